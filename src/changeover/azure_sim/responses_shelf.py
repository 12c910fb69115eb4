"""Which responses does the resource remember? The last thousands, each with the deployment that gave it."""

from typing import Final

import msgspec

REMEMBERED_MAX: Final = 10_000


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A response as it was given, and what a follow-up needs of it. ``tokens`` are those of prompt and answer together."""

    deployment: str
    document: str
    tokens: int
    body: bytes


class ResponsesShelf:
    """Responses by id; the oldest goes when there are too many."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}

    def put(self, response_id: str, kept: Kept) -> None:
        if len(self._kept) >= REMEMBERED_MAX:
            del self._kept[next(iter(self._kept))]
        self._kept[response_id] = kept

    def get(self, response_id: str, *, deployment: str | None = None) -> Kept | None:
        """With ``deployment``: only if that one gave it."""
        kept = self._kept.get(response_id)
        return kept if kept is not None and deployment in {None, kept.deployment} else None

    def drop(self, response_id: str) -> bool:
        return self._kept.pop(response_id, None) is not None
