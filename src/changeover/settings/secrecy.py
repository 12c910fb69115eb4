"""Does this text look like a key? Secrets are named in the file, never written into it, and never printed."""

import re
from typing import Final

HIDDEN: Final = "(not shown)"

_KNOWN_BEGINNINGS: Final = re.compile(
    r"(?:\b|_)(?:sk|pk|rk|ghp|gho|github_pat|xox[a-z])[-_][A-Za-z0-9_-]{8,}|\beyJ[A-Za-z0-9_-]{10,}|\bBearer\s+\S{8,}"
)
_LONG_RUN: Final = re.compile(r"[A-Za-z0-9]{32,}")
"""Keys of Azure OpenAI are 32 hexadecimal or 84 alphanumeric signs in a row; names people give have separators."""


def looks_secret(text: str) -> bool:
    if _KNOWN_BEGINNINGS.search(text):
        return True
    return any(_is_mixed(run.group()) for run in _LONG_RUN.finditer(text))


def _is_mixed(run: str) -> bool:
    return any(sign.isdigit() for sign in run) and any(sign.isalpha() for sign in run)
