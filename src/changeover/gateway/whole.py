"""How does a reply that is no stream reach its caller? Held until it is whole or too long to hold."""

from typing import Final

from changeover.exchange.journey import outcome_of
from changeover.exchange.observation import Outcome
from changeover.gateway.answer import LAST_CHUNK, Broken, Ending, Errand, chunk, is_encoded
from changeover.gateway.limits import KIB, MIB
from changeover.gateway.upstream import Upstream
from changeover.wire.reply import NO_FACTS, ReplyFacts, read_document, read_reply

HELD_BYTES_MAX: Final = 256 * KIB
"""A JSON reply is of no use before it is whole: it is held up to here, so that a cut one becomes an error."""
READ_BYTES_MAX: Final = 4 * MIB
"""The facts of a longer reply are not read."""
ENCODED: Final = "reply_encoded"
"""The error code of an answer whose body could not be read because the provider compressed it."""

_BODILESS: Final = frozenset({204, 304})


class WholeAnswer:
    """A reply of known or unknown length, relayed byte for byte, its facts read when it is complete."""

    __slots__ = ("_body_bytes", "_chunked", "_encoded", "_errand", "_flowing", "_json", "_parts", "_status", "_upstream")

    def __init__(self, errand: Errand, upstream: Upstream) -> None:
        self._errand = errand
        self._upstream = upstream
        self._status = upstream.status
        self._encoded = is_encoded(upstream)
        self._json = not self._encoded and b"json" in upstream.names.get(b"content-type", b"")
        self._parts: list[bytes] = []
        self._body_bytes = 0
        self._flowing = self._chunked = False

    @property
    def status(self) -> int | None:
        return self._status if self._flowing else None

    @property
    def content_started(self) -> bool:
        return self._flowing

    @property
    def facts(self) -> ReplyFacts:
        return NO_FACTS

    def receive(self, data: bytes, *, ended: bool, at: float) -> Ending | Broken | None:
        self._body_bytes += len(data)
        if self._body_bytes <= READ_BYTES_MAX or not self._flowing:
            self._parts.append(data)
        if self._flowing:
            self._pass_on(data, ended=ended)
        elif not ended and self._body_bytes <= HELD_BYTES_MAX:
            return None
        body = self._joined()
        if ended and not self._flowing and self._upstream.until_close and self._json and read_document(body) is None:
            return Broken("upstream_reset", "closed the connection before its answer was complete")
        if not self._flowing:
            self._open(body, ended=ended, at=at)
        return self._ending(body) if ended else None

    def cut(self, code: str, message: str) -> bool:  # noqa: ARG002 - half a JSON body has no room for words
        if self._flowing:
            self._errand.caller.abort()
        return not self._flowing

    def _joined(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def _open(self, body: bytes, *, ended: bool, at: float) -> None:
        """Send the head and what has been held: usually the whole answer in one write."""
        errand = self._errand
        if self._status in _BODILESS:
            framing = b""
        elif ended:
            framing = b"content-length: %d\r\n" % self._body_bytes
        elif self._upstream.length is not None:
            framing = b"content-length: %d\r\n" % self._upstream.length
        else:
            framing = errand.unknown_length()
            self._chunked = errand.chunks
        errand.journey.first_byte(at)
        errand.caller.write(errand.head(self._upstream, framing) + (chunk(body) if self._chunked else body))
        self._flowing = True

    def _pass_on(self, data: bytes, *, ended: bool) -> None:
        if self._chunked:
            data = (chunk(data) if data else b"") + (LAST_CHUNK if ended else b"")
        if data:
            self._errand.caller.write(data)

    def _ending(self, body: bytes) -> Ending:
        facts = read_reply(body) if self._json and self._body_bytes <= READ_BYTES_MAX else NO_FACTS
        outcome = outcome_of(self._status, facts)
        error = facts.error
        if error is None and outcome is not Outcome.ANSWERED:
            error = f"status_{self._status}"
        elif error is None and self._encoded:
            error = ENCODED
        return Ending(outcome, error, facts)
