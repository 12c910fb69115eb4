"""Where in the file? A path as people read it: ``rollouts.summarise.steps[1].weight``."""

import json
import re
from typing import Final

from changeover.settings.secrecy import HIDDEN, looks_secret

Path = tuple[str | int, ...]

WHOLE_FILE: Final = "(file)"

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")


def written(path: Path) -> str:
    """Names with other signs than letters, digits, ``_`` and ``-`` stand in quotes; one that looks like a secret is hidden."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{_name(part)}" if text else _name(part)
    return text or WHOLE_FILE


def _name(part: str) -> str:
    if looks_secret(part):
        return HIDDEN
    return part if _PLAIN.fullmatch(part) else json.dumps(part[:80], ensure_ascii=True)
