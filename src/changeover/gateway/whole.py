"""How does a JSON reply reach its caller? Held until it is whole or too long to hold, and read."""

from typing import Final

from changeover.exchange.failover import error_for, outcome_for
from changeover.exchange.observation import Outcome
from changeover.gateway.answer import Broken, Ending, Envelope, Refused
from changeover.gateway.body import BODILESS, Body
from changeover.gateway.limits import KIB, MIB
from changeover.wire.failure import classify
from changeover.wire.readers import reply_reader
from changeover.wire.reply_facts import NO_FACTS, ReplyFacts

HELD_BYTES_MAX: Final = 256 * KIB
"""A JSON reply is of no use before it is whole: it is held up to here, so that a cut one becomes an error."""
READ_BYTES_MAX: Final = 4 * MIB
"""A longer reply is not read."""

_OK: Final = range(200, 300)
_CUT: Final = Broken("upstream_reset", "closed the connection before its answer was complete")
_UNREADABLE: Final = Broken("upstream_invalid", "answered with a body that is not the JSON it has to be")


class WholeAnswer:
    """A reply of a first-class surface, relayed byte for byte. It has to be a JSON document, or it is no answer."""

    __slots__ = ("_body", "_ended", "_envelope", "_facts", "_parts", "_read", "_size", "_status")

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._body = Body(envelope)
        self._status = envelope.upstream.status
        self._read = reply_reader(envelope.errand.ask.surface)
        self._parts: list[bytes] = []
        self._size = 0
        self._facts = NO_FACTS
        self._ended = False

    @property
    def status(self) -> int | None:
        return self._status if self._body.flowing else None

    @property
    def content_started(self) -> bool:
        return self._body.flowing

    @property
    def facts(self) -> ReplyFacts:
        return self._facts

    def receive(self, data: bytes, *, ended: bool, at: float) -> Ending | Broken | Refused | None:
        self._size += len(data)
        self._ended = ended
        flowing = self._body.flowing
        if not flowing or self._size <= READ_BYTES_MAX:
            self._parts.append(data)
        if not ended and (flowing or self._size <= HELD_BYTES_MAX):
            if flowing:
                self._body.more(data, ended=False)
            return None
        said = self._joined()
        wrong = self._wrong(said, ended=ended, at=at)
        if wrong is not None and (not flowing or isinstance(wrong, Broken)):
            return wrong
        if flowing:
            self._body.more(data, ended=True)
        else:
            self._body.open(said, whole=ended, at=at)
        if not ended:
            return None
        return Ending(Outcome.ANSWERED, None, self._facts) if wrong is None else _ending(wrong, self._facts)

    def deliver(self, refused: Refused, *, at: float, extra: bytes) -> Ending | None:
        self._body.open(self._joined(), whole=self._ended, at=at, extra=extra)
        return _ending(refused, self._facts) if self._ended else None

    def end_early(self) -> Ending | None:
        return None

    def cut(self, code: str, message: str) -> bool:  # noqa: ARG002 - half a JSON body has no room for words
        if self._body.flowing:
            self._envelope.errand.caller.abort()
        return not self._body.flowing

    def _joined(self) -> bytes:
        parts = self._parts
        if len(parts) == 1:
            return parts[0]
        said = b"".join(parts)
        self._parts = [said]
        return said

    def _wrong(self, said: bytes, *, ended: bool, at: float) -> Refused | Broken | None:
        """What keeps the reply from being an answer."""
        status, envelope = self._status, self._envelope
        if ended and status not in BODILESS and self._size <= READ_BYTES_MAX:
            readable = self._learn(said)
            if not readable and status in _OK:
                return _CUT if envelope.upstream.until_close else _UNREADABLE
        if status in _OK and self._facts.error is None:
            return None
        return self._refused(said, at=at)

    def _refused(self, said: bytes, *, at: float) -> Refused:
        status, envelope = self._status, self._envelope
        failure = classify(status, said, envelope.upstream.names, now=envelope.errand.unix(at))
        return Refused(failure, error_for(failure, status=status) or self._facts.error)

    def _learn(self, said: bytes) -> bool:
        """Read the facts. What SDKs cannot read, JSON that is no UTF-8 among it, is no answer either."""
        facts = self._read(said)
        if facts is None:
            return False
        self._facts = facts  # also of what is no answer: its tokens are paid for
        return is_text(said)


def is_text(data: bytes) -> bool:
    """Whether ``data`` is UTF-8."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _ending(refused: Refused, facts: ReplyFacts) -> Ending:
    return Ending(outcome_for(refused.failure.kind), refused.code, facts)
