"""How does a reply that we need not understand reach its caller? As it comes; a copy is read where that says something."""

from typing import Final

from changeover.exchange.failover import error_for, outcome_for
from changeover.exchange.journey import outcome_of
from changeover.exchange.observation import Outcome
from changeover.gateway.answer import Broken, Ending, Envelope, Refused, is_encoded
from changeover.gateway.body import BODILESS, Body
from changeover.gateway.encoded import Inflater, inflater_for
from changeover.gateway.whole import HELD_BYTES_MAX, READ_BYTES_MAX
from changeover.wire.events import EventReader
from changeover.wire.failure import classify
from changeover.wire.readers import reply_reader, stream_reader
from changeover.wire.reply_facts import NO_FACTS, ReplyFacts

ENCODED: Final = "reply_encoded"
"""The error code of an answer that could not be read, because the provider compressed it in a way unknown here."""

_OK: Final = range(200, 300)
_EVENT_STREAM: Final = b"text/event-stream"


class PassingAnswer:
    """A reply of a surface that passes through, or a compressed one. Only one that failed by its status is held."""

    __slots__ = ("_body", "_copy", "_ended", "_envelope", "_inflater", "_parts", "_reader", "_size", "_status")

    def __init__(self, envelope: Envelope) -> None:
        upstream, surface = envelope.upstream, envelope.errand.ask.surface
        self._envelope = envelope
        self._body = Body(envelope)
        self._status = upstream.status
        self._parts: list[bytes] = []
        self._copy: list[bytes] = []
        self._size = 0
        self._ended = False
        self._inflater: Inflater | None = None
        self._reader: EventReader | None = None
        if envelope.errand.first_class and is_encoded(upstream):
            self._inflater = inflater_for(upstream.names[b"content-encoding"], READ_BYTES_MAX)
            if self._inflater is not None and upstream.names.get(b"content-type", b"").lower().startswith(_EVENT_STREAM):
                self._reader = stream_reader(surface)
                envelope.errand.journey.streamed = True

    @property
    def status(self) -> int | None:
        return self._status if self._body.flowing else None

    @property
    def content_started(self) -> bool:
        return self._body.flowing

    @property
    def facts(self) -> ReplyFacts:
        return NO_FACTS if self._reader is None else self._reader.facts

    def receive(self, data: bytes, *, ended: bool, at: float) -> Ending | Broken | Refused | None:
        self._size += len(data)
        self._ended = ended
        self._read(data, at=at)
        broken = self._broken() if ended else None
        if broken is not None:
            return broken
        if self._body.flowing:
            self._body.more(data, ended=ended)
            return self._ending() if ended else None
        self._parts.append(data)
        failed = self._status not in _OK and self._status not in BODILESS
        if failed and not ended and self._size <= HELD_BYTES_MAX:
            return None
        said = b"".join(self._parts)
        if failed:
            failure = classify(self._status, said, self._envelope.upstream.names, now=self._envelope.errand.unix(at))
            return Refused(failure, error_for(failure, status=self._status))
        self._body.open(said, whole=ended, at=at)
        return self._ending() if ended else None

    def deliver(self, refused: Refused, *, at: float, extra: bytes) -> Ending | None:
        self._body.open(b"".join(self._parts), whole=self._ended, at=at, extra=extra)
        return Ending(outcome_for(refused.failure.kind), refused.code, NO_FACTS) if self._ended else None

    def end_early(self) -> Ending | None:
        return None

    def cut(self, code: str, message: str) -> bool:  # noqa: ARG002 - there is no room for words in bytes that are not ours
        if self._body.flowing:
            self._envelope.errand.caller.abort()
        return not self._body.flowing

    def _read(self, data: bytes, *, at: float) -> None:
        if self._inflater is None:
            return
        copy = self._inflater.feed(data)
        if self._reader is None:
            self._copy.append(copy)
        else:
            self._reader.feed(copy)
            if self._reader.content_started:
                self._envelope.errand.journey.first_token(at)

    def _broken(self) -> Broken | None:
        """A compressed stream that could be read to its end needs the end that every stream needs."""
        reader, inflater = self._reader, self._inflater
        if reader is None or inflater is None or inflater.lost:
            return None
        reader.close()
        if reader.done or reader.failed is not None:
            return None
        return Broken("upstream_cut", "ended its stream before its last event")

    def _ending(self) -> Ending:
        if self._status not in _OK and self._status not in BODILESS:
            return Ending(Outcome.FAILED, f"status_{self._status}", NO_FACTS)
        if self._reader is not None and self._inflater is not None and not self._inflater.lost:
            failed = self._reader.failed
            return Ending(Outcome.ANSWERED if failed is None else Outcome.FAILED, failed, self._reader.facts)
        if self._inflater is not None and self._inflater.whole:
            facts = reply_reader(self._envelope.errand.ask.surface)(b"".join(self._copy)) or NO_FACTS
            return Ending(outcome_of(self._status, facts), facts.error, facts)
        return Ending(Outcome.ANSWERED, ENCODED if is_encoded(self._envelope.upstream) else None, NO_FACTS)
