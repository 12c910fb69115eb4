"""How does an event stream reach its caller? As it comes, whole events only, and never with an end it did not have."""

import codecs
from typing import Final

import msgspec

from changeover.exchange.failover import error_for, outcome_for
from changeover.exchange.observation import Outcome
from changeover.gateway.answer import LAST_CHUNK, Broken, Ending, Envelope, Refused, chunk
from changeover.gateway.limits import KIB
from changeover.gateway.refusal import broken_event
from changeover.wire.events import EVENT_UNREADABLE
from changeover.wire.failure import Failure, FailureKind, classify
from changeover.wire.readers import stream_reader
from changeover.wire.reply import CONTENT_FILTER
from changeover.wire.reply_facts import ReplyFacts

EVENT_HELD_BYTES_MAX: Final = 64 * KIB
"""A longer event is passed on in pieces."""
START_BYTES_MAX: Final = 64 * KIB
START_READS_MAX: Final = 64
"""What comes before content waits up to here, so that an error in its place can still be answered by somebody else."""

_EVENT_ENDS: Final = (b"\n\n", b"\r\n\r\n")
_NOT_TEXT: Final = Broken("upstream_invalid", "sent bytes that are not UTF-8")
_NOT_JSON: Final = Broken("upstream_invalid", "sent an event that is not JSON")
_UTF8: Final = codecs.getincrementaldecoder("utf-8")


class StreamAnswer:
    """A streamed reply. A piece of an event waits for its rest, so that an error can still be said when it never comes."""

    __slots__ = (
        "_envelope", "_errand", "_hide_usage", "_open", "_reader", "_rest", "_start", "_start_bytes", "_text", "_waiting",
    )  # fmt: skip

    def __init__(self, envelope: Envelope) -> None:
        errand = envelope.errand
        self._envelope = envelope
        self._errand = errand
        self._hide_usage = errand.request.hides_usage
        self._reader = stream_reader(errand.ask.surface, hide_usage=self._hide_usage)
        self._text = _UTF8() if errand.first_class else None
        self._rest = b""
        self._open = False
        self._waiting = envelope.held
        self._start: list[bytes] = []
        self._start_bytes = 0
        errand.journey.streamed = True

    @property
    def status(self) -> int | None:
        return self._envelope.upstream.status if self._open else None

    @property
    def content_started(self) -> bool:
        return self._open and self._reader.content_started

    @property
    def facts(self) -> ReplyFacts:
        facts = self._reader.facts
        return msgspec.structs.replace(facts, filtered=True) if self._reader.failed == CONTENT_FILTER else facts

    def receive(self, data: bytes, *, ended: bool, at: float) -> Ending | Broken | Refused | None:
        reader = self._reader
        if self._text is not None and not self._is_text(data, ended=ended):
            return _NOT_TEXT
        out = reader.feed(data) if data else b""
        if reader.failed == EVENT_UNREADABLE:
            return _NOT_JSON
        if not self._hide_usage:
            out = self._whole_events(out)
        if self._waiting:
            return self._receive_start(out, ended=ended, at=at)
        if reader.content_started:
            self._errand.journey.first_token(at)
        if not ended:
            self._write(out, at=at)
            return None
        return self._end(out, at=at)

    def deliver(self, refused: Refused, *, at: float, extra: bytes) -> Ending | None:
        """An error in a stream's beginning, for which nobody else could be asked."""
        self._waiting = False
        self._write(b"".join(self._start) + self._rest + self._reader.close(), at=at, last=True, extra=extra)
        self._rest = b""
        return Ending(outcome_for(refused.failure.kind), refused.code, self.facts)

    def end_early(self) -> Ending | None:
        reader = self._reader
        if not self._open or not reader.done or reader.failed is not None or not self._errand.first_class:
            return None
        self._send(b"", last=True)
        return Ending(Outcome.ANSWERED, None, self.facts)

    def cut(self, code: str, message: str) -> bool:
        if self._open:
            self._send(broken_event(message, code=code, dialect=self._errand.call.dialect), last=True)
        return not self._open

    def _receive_start(self, out: bytes, *, ended: bool, at: float) -> Ending | Broken | Refused | None:
        """Before content: keep what comes, as long as somebody else could still be asked."""
        reader = self._reader
        if ended:
            out += reader.close() + self._rest
            self._rest = b""
        self._start.append(out)
        self._start_bytes += len(out) + len(self._rest)
        if not reader.content_started and reader.failed is not None:
            return self._refused(at)
        if ended and not reader.done:
            return Broken("upstream_cut", "ended its stream before its last event")
        if not (ended or reader.content_started or self._start_bytes > START_BYTES_MAX or len(self._start) > START_READS_MAX):
            return None
        self._waiting = False
        if reader.content_started:
            self._errand.journey.first_token(at)
        held = b"".join(self._start)
        self._start = []
        if ended:
            return self._end(held, at=at)
        self._write(held, at=at)
        return None

    def _refused(self, at: float) -> Refused:
        reader, upstream = self._reader, self._envelope.upstream
        failure = classify(upstream.status, reader.error or b"", upstream.names, now=self._errand.unix(at))
        if failure.kind is FailureKind.ANSWER:
            failure = Failure(FailureKind.CONTENT_FILTER if reader.failed == CONTENT_FILTER else FailureKind.PROVIDER_FAULT)
        return Refused(failure, error_for(failure, status=upstream.status) if failure.code else reader.failed)

    def _end(self, out: bytes, *, at: float) -> Ending | Broken:
        reader = self._reader
        rest = reader.close() + self._rest
        if reader.done or reader.failed is not None:
            self._write(out + rest, at=at, last=True)
            good = reader.failed is None or reader.failed == CONTENT_FILTER
            return Ending(Outcome.ANSWERED if good else Outcome.FAILED, reader.failed, self.facts)
        self._write(out, at=at)
        return Broken("upstream_cut", "ended its stream before its last event")

    def _is_text(self, data: bytes, *, ended: bool) -> bool:
        """Whether the stream is UTF-8 so far. A character may be cut by a read; at the end it may not."""
        assert self._text is not None
        if not ended and data.isascii() and not self._text.getstate()[0]:
            return True
        try:
            self._text.decode(data, ended)
        except UnicodeDecodeError:
            return False
        return True

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

    def _write(self, out: bytes, *, at: float, last: bool = False, extra: bytes = b"") -> None:
        """Send ``out``, with the head before the first piece."""
        if not self._open:
            self._errand.caller.write(self._envelope.head(self._errand.unknown_length(), extra))
            self._open = True
        if out:
            self._errand.journey.first_byte(at)
        self._send(out, last=last)

    def _send(self, out: bytes, *, last: bool) -> None:
        if self._errand.chunks:
            out = (chunk(out) if out else b"") + (LAST_CHUNK if last else b"")
        if out:
            self._errand.caller.write(out)
