"""Is the log the one that was written? Every change is tied to the one before by a hash; decides nothing, repairs nothing.

``hash = sha256(previous hash as 64 hexadecimal digits + canonical text of the change)``. The canonical text is the change's JSON
with sorted keys, without spaces, in UTF-8, a whole number written without a fraction: so it may pass through other programs.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final, cast

import msgspec

GENESIS: Final = "0" * 64
"""What the first change is tied to."""

_WHOLE_MAX: Final = 2.0**53
"""Up to here every whole number has one float, and every such float is one whole number."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Where a log ends: the last revision and its hash. Who keeps one elsewhere can tell later that nothing before it changed."""

    revision: int = 0
    hash: str = GENESIS

    def __str__(self) -> str:
        return f"{self.revision}:{self.hash}"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One entry as it is stored: ``change`` is the change's own text, the rest what stands beside it."""

    revision: int
    at: float
    actor: str
    hash: str
    change: msgspec.Raw


class _Named(msgspec.Struct, frozen=True):
    """What a change's text says of itself."""

    revision: int
    at: float
    actor: str


def link_hash(previous: str, change: bytes) -> str:
    """The hash of a change whose text is ``change``, after one with the hash ``previous``.

    Raises:
        msgspec.DecodeError: the text is no JSON.
    """
    canonical = msgspec.json.encode(_plain(msgspec.json.decode(change)), order="sorted")
    return hashlib.sha256(previous.encode() + canonical).hexdigest()


def chain_faults(links: Iterable[Link], *, head: Head, anchors: Iterable[Head] = ()) -> Iterator[str]:
    """Every place at which the log is not the one that was written, the first broken link first; nothing when it is whole.

    ``head`` is where it should end. Each of ``anchors`` is a head that was kept elsewhere at an earlier time. What follows a broken
    link is judged by the hashes that are stored, so that one rewritten change is one fault.
    """
    wanted = {anchor.revision: anchor.hash for anchor in anchors}
    last, expected = Head(), 1
    for link in links:
        yield from _place_faults(link, expected)
        yield from _link_faults(link, last.hash)
        kept = wanted.pop(link.revision, link.hash)
        if kept != link.hash:
            yield f"revision {link.revision} has hash {link.hash}, the anchor says {kept}: the log up to there was written anew"
        last, expected = Head(revision=link.revision, hash=link.hash), link.revision + 1
    if last != head:
        yield f"the log ends at revision {last.revision} with hash {last.hash}, the state says {head.revision} with hash {head.hash}"
    for revision in sorted(wanted):
        if revision or wanted[revision] != GENESIS:
            yield f"revision {revision}, of which an anchor was kept, is not in the log"


def _place_faults(link: Link, expected: int) -> Iterator[str]:
    if link.revision > expected:
        missing = f"revision {expected} is" if link.revision == expected + 1 else f"revisions {expected} to {link.revision - 1} are"
        yield f"{missing} missing"
    elif link.revision < expected:
        yield f"revision {link.revision} comes after revision {expected - 1}: the log is out of order"


def _link_faults(link: Link, previous: str) -> Iterator[str]:
    try:
        said = msgspec.json.decode(link.change, type=_Named)
        found = link_hash(previous, bytes(link.change))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        yield f"revision {link.revision} cannot be read: {error}"
        return
    if said != _Named(revision=link.revision, at=link.at, actor=link.actor):
        yield (
            f"revision {link.revision} was rewritten: its row says actor {link.actor!r} at {link.at}, "
            f"the change itself {said.actor!r} at {said.at}, revision {said.revision}"
        )
    elif found != link.hash:
        yield f"revision {link.revision} was rewritten, or what comes before it: its hash is {link.hash}, its content gives {found}"


def _plain(value: object) -> object:
    """A JSON value with every whole number an integer."""
    match value:
        case float():
            return int(value) if value.is_integer() and abs(value) < _WHOLE_MAX else value
        case dict():
            return {key: _plain(inner) for key, inner in cast("dict[str, object]", value).items()}
        case list():
            return [_plain(inner) for inner in cast("list[object]", value)]
        case _:
            return value
