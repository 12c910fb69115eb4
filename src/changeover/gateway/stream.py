"""How does an event stream reach its caller? As it comes, whole events only, and never with an end it did not have."""

from typing import Final

from changeover.exchange.observation import Outcome
from changeover.gateway.answer import LAST_CHUNK, Broken, Ending, Errand, chunk
from changeover.gateway.limits import KIB
from changeover.gateway.upstream import Upstream
from changeover.wire.errors import stream_error_event
from changeover.wire.reply import ReplyFacts
from changeover.wire.sse import StreamReader

EVENT_HELD_BYTES_MAX: Final = 64 * KIB
"""A longer event is passed on in pieces."""

_EVENT_ENDS: Final = (b"\n\n", b"\r\n\r\n")


class StreamAnswer:
    """A streamed reply. A piece of an event waits for its rest, so that an error can still be said when it never comes."""

    __slots__ = ("_errand", "_hide_usage", "_open", "_reader", "_rest", "_upstream")

    def __init__(self, errand: Errand, upstream: Upstream) -> None:
        self._errand = errand
        self._upstream = upstream
        self._hide_usage = errand.hide_usage
        self._reader = StreamReader(hide_usage=errand.hide_usage)
        self._rest = b""
        self._open = False
        errand.journey.streamed = True

    @property
    def status(self) -> int | None:
        return self._upstream.status if self._open else None

    @property
    def content_started(self) -> bool:
        return self._reader.content_started

    @property
    def facts(self) -> ReplyFacts:
        return self._reader.facts

    def receive(self, data: bytes, *, ended: bool, at: float) -> Ending | Broken | None:
        reader = self._reader
        out = reader.feed(data) if data else b""
        if not self._hide_usage:
            out = self._whole_events(out)
        if reader.content_started:
            self._errand.journey.first_token(at)
        if not ended:
            self._write(out, at=at)
            return None
        return self._end(out, at=at)

    def cut(self, code: str, message: str) -> bool:
        if self._open:
            self._send(stream_error_event(message, code), last=True)
        return not self._open

    def _end(self, out: bytes, *, at: float) -> Ending | Broken:
        reader = self._reader
        rest = reader.close() + self._rest
        if reader.done or reader.failed is not None:
            self._write(out + rest, at=at, last=True)
            return Ending(Outcome.FAILED if reader.failed else Outcome.ANSWERED, reader.failed, reader.facts)
        self._write(out, at=at)
        return Broken("upstream_cut", "ended its stream before its last event")

    def _whole_events(self, data: bytes) -> bytes:
        """What can be passed on of ``data`` and what waited before it; the reader does the same when it hides."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        if data.endswith(_EVENT_ENDS):
            return data
        end = max(data.rfind(mark) + len(mark) if mark in data else 0 for mark in _EVENT_ENDS)
        if len(data) - end > EVENT_HELD_BYTES_MAX:
            return data
        self._rest = data[end:]
        return data[:end]

    def _write(self, out: bytes, *, at: float, last: bool = False) -> None:
        """Send ``out``, with the head before the first piece. The head goes as soon as it is known, even without content."""
        if not self._open:
            self._errand.caller.write(self._errand.head(self._upstream, self._errand.unknown_length()))
            self._open = True
        if out:
            self._errand.journey.first_byte(at)
        self._send(out, last=last)

    def _send(self, out: bytes, *, last: bool) -> None:
        if self._errand.chunks:
            out = (chunk(out) if out else b"") + (LAST_CHUNK if last else b"")
        if out:
            self._errand.caller.write(out)
