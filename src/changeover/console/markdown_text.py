"""How is text put into Markdown so that it stays what it is? GitHub's Markdown: tables, lists, nothing else. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

_SIGNS: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")
"""Signs that Markdown may take for its own. Names come from a file and from people."""


def table_of(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [tuple(heads), ("---",) * len(heads)]
    lines += [tuple(_cell(text) for text in texts) for texts in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {safe(line)}" for line in lines)


def safe(text: str) -> str:
    """``text`` in one line, every sign of it shown."""
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))


def _cell(text: str) -> str:
    return "<br>".join(safe(line) for line in text.split("\n"))
