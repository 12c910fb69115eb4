"""When are two answers the same? When nothing differs but what no two answers share: ids, the second, what is left of an allowance."""

import re
from collections.abc import Sequence
from typing import Any, Final

_TOKEN: Final = re.compile(r"[0-9a-f]{24,32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECOND: Final = re.compile(r'("created(?:_at)?": ?)[1-9][0-9]{9}(?:\.0)?')
_NULL_USAGE: Final = '"usage":null'


def likeness(text: str) -> str:
    """``text`` with its ids numbered in the order in which they come, and without its seconds."""
    seen: dict[str, str] = {}
    text = _TOKEN.sub(lambda found: seen.setdefault(found.group()[:24], f"<id {len(seen)}>"), text)
    return _SECOND.sub(r"\1<second>", text)


def likenesses(objects: Sequence[Any]) -> list[str]:
    """The same of an SDK's objects, all their fields included."""
    return likeness("\n".join(one.to_json(indent=None) for one in objects)).split("\n")


def without_null_usage(stream: str) -> str:
    """``stream`` without what asking for usage adds to chunks: the one difference that is allowed."""
    return stream.replace("," + _NULL_USAGE, "")
