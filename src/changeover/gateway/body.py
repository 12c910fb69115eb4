"""How is a reply's body framed for the caller? The bytes stay, the framing is ours."""

from typing import Final

from changeover.gateway.answer import LAST_CHUNK, Envelope, chunk

BODILESS: Final = frozenset({204, 304})
"""Replies of these have no body."""


class Body:
    """One answer's bytes on their way: the head before the first of them. ``flowing`` once something has been sent."""

    __slots__ = ("_chunked", "_envelope", "flowing")

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._chunked = self.flowing = False

    def open(self, data: bytes, *, whole: bool, at: float, extra: bytes = b"") -> None:
        """Send the head and ``data``: usually the whole answer in one write."""
        envelope = self._envelope
        framing = self._framing(len(data), whole=whole)
        envelope.errand.journey.first_byte(at)
        envelope.errand.caller.write(envelope.head(framing, extra) + (chunk(data) if self._chunked and data else data))
        self.flowing = True

    def more(self, data: bytes, *, ended: bool) -> None:
        """Send the next of it."""
        if self._chunked:
            data = (chunk(data) if data else b"") + (LAST_CHUNK if ended else b"")
        if data:
            self._envelope.errand.caller.write(data)

    def _framing(self, size: int, *, whole: bool) -> bytes:
        upstream, errand = self._envelope.upstream, self._envelope.errand
        if upstream.status in BODILESS:
            return b""
        length = upstream.length
        if whole and not upstream.head_only:
            length = size
        if length is not None:
            return b"content-length: %d\r\n" % length
        if upstream.head_only:
            return b""
        self._chunked = errand.chunks
        return errand.unknown_length()
