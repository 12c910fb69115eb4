"""Where do the prompts of a settings file lie? Beside it: a relative path is seen from its folder."""

from collections.abc import Callable
from pathlib import Path


def prompts_beside(config: Path) -> Callable[[str], str | None]:
    """The text of a file that the settings at ``config`` name; ``None`` when it cannot be read as UTF-8 text."""

    def read(name: str) -> str | None:
        try:
            return (config.parent / name).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None

    return read
