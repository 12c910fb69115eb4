"""The log in a file of its own: one line a change, one at the end that says where it ends. Checked without anything else."""

from collections.abc import Iterable, Iterator

import msgspec

from changeover.rollout.audit_chain import Head, Link


class AuditFileError(Exception):
    """The file is no exported log; the message names the line."""


class _Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change with its hash, or the head, which comes last."""

    revision: int = 0
    hash: str = ""
    change: msgspec.Raw = msgspec.Raw(b"")
    head: Head | None = None


class _Named(msgspec.Struct, frozen=True):
    at: float
    actor: str


def written(links: Iterable[Link]) -> Iterator[bytes]:
    """A line for every change, without its end."""
    for link in links:
        yield msgspec.json.encode(_Line(revision=link.revision, hash=link.hash, change=link.change))


def written_head(head: Head) -> bytes:
    """The last line."""
    return msgspec.json.encode(_Line(head=head))


def read(lines: Iterable[bytes]) -> tuple[list[Link], Head]:
    """What such a file holds.

    Raises:
        AuditFileError: a line is none of these, or the last one is missing: the file was cut off.
    """
    links: list[Link] = []
    head: Head | None = None
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        if head is not None:
            raise AuditFileError(f"line {number} comes after the line with the head, which is the last")
        line = _line(number, text)
        head = line.head
        if head is None:
            links.append(_link(number, line))
    if head is None:
        raise AuditFileError("the last line, which says where the log ends, is missing: the file was cut off")
    return links, head


def _line(number: int, text: bytes) -> _Line:
    try:
        return msgspec.json.decode(text, type=_Line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AuditFileError(f"line {number} cannot be read: {error}") from error


def _link(number: int, line: _Line) -> Link:
    try:
        named = msgspec.json.decode(line.change, type=_Named)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AuditFileError(f"line {number} holds no change: {error}") from error
    return Link(revision=line.revision, at=named.at, actor=named.actor, hash=line.hash, change=msgspec.Raw(bytes(line.change)))
