"""Can it be printed anywhere? Text from a file in one line of printable signs, with nothing in it that looks like a key."""

import re
from typing import Final

from changeover.settings.secrecy import HIDDEN, looks_secret

_WORD: Final = re.compile(r"[^\s,;()]+")


def in_plain_signs(text: str) -> str:
    """Signs that cannot be printed are written as escapes; a word that looks like a secret is not shown."""
    printable = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
    return _WORD.sub(lambda word: HIDDEN if looks_secret(word.group()) else word.group(), printable)
