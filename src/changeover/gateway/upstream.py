"""What does one provider's connection say? Framing of replies and the connection's fitness for another request."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Final, Protocol, cast

import httptools

from changeover.gateway.call import FRAMING, head_bytes
from changeover.gateway.headers import Header
from changeover.gateway.limits import Limits

_CONTENT_LENGTH: Final = b"content-length"
_TRANSFER_ENCODING: Final = b"transfer-encoding"
_SWITCHING: Final = 101
_FINAL: Final = 200
_BODILESS: Final = frozenset({204, 304})


class Awaiting(Protocol):
    """Who waits for the reply."""

    request: bytes
    head_only: bool
    """Whether a reply has no body whatever its head says (HEAD)."""

    def replied(self, upstream: "Upstream", data: bytes, *, ended: bool) -> None:
        """The head is known and ``data`` is the next of the body. Called again until ``ended``."""
        ...

    def broken(self, code: str, message: str) -> None:
        """No whole reply will come."""
        ...

    def stale(self) -> None:
        """The connection had been closed by the provider before it saw the request."""
        ...


class Home(Protocol):
    """Where an idle connection is kept."""

    def give(self, upstream: "Upstream") -> None: ...


class _Stop(Exception):  # noqa: N818 - it stops the parser
    """Parse no further: ``code`` and ``message`` say why, empty for bytes after the end."""

    def __init__(self, code: str = "", message: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message


class Upstream(asyncio.Protocol):
    """One connection to a provider: one reply at a time, read by llhttp, handed on as it comes.

    Interim replies (1xx) are skipped. Bytes after the end of a reply are never handed on, and such a connection is not
    used again; nor is one whose reply ended with the connection.
    """

    __slots__ = (
        "_answered_bytes", "_awaiting", "_connection_fit", "_ended", "_head_bytes", "_head_read", "_head_told", "_headers",
        "_home", "_interim", "_limits", "_parser", "_parts", "_paused", "_read_bytes", "_reused", "_surplus", "_to_the_end",
        "_transport", "born_at", "head_only", "idle_since", "names", "status",
    )  # fmt: skip

    def __init__(self, home: Home, limits: Limits) -> None:
        self._home = home
        self._limits = limits
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._awaiting: Awaiting | None = None
        self._paused = self._reused = False
        self.head_only = False
        self.born_at = self.idle_since = 0.0
        self._begin()

    def _begin(self) -> None:
        self._headers: list[Header] = []
        self.names: dict[bytes, bytes] = {}
        self.status = 0
        self._parts: list[bytes] = []
        self._head_bytes = self._read_bytes = 0
        self._answered_bytes = self._head_read = self._head_told = self._interim = self._ended = self._surplus = self._to_the_end = False
        self._connection_fit = True

    @property
    def headers(self) -> list[Header]:
        """The reply's headers as they were written; ``names`` has them by lower-case name."""
        return self._headers

    @property
    def length(self) -> int | None:
        """The reply's announced length, ``None`` when it is not."""
        announced = self.names.get(_CONTENT_LENGTH)
        return None if announced is None else int(announced)

    @property
    def until_close(self) -> bool:
        """The reply ends with the connection: it cannot be told from one that was cut."""
        return self._to_the_end

    @property
    def is_usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    # For who waits

    def send(self, awaiting: Awaiting) -> None:
        """Send the request of ``awaiting``, who hears of the reply."""
        assert self._transport is not None
        self._awaiting = awaiting
        self._begin()
        self.head_only = awaiting.head_only
        self._transport.write(awaiting.request)

    def pause(self) -> None:
        """Read no further until ``resume``: the caller is slow."""
        if not self._paused and self.is_usable:
            self._paused = True
            assert self._transport is not None
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._paused and self.is_usable:
            self._paused = False
            assert self._transport is not None
            self._transport.resume_reading()

    def release(self) -> None:
        """The reply has been taken: the connection goes home, or away."""
        self._awaiting = None
        if not self._ended or self._surplus or not self._connection_fit or not self.is_usable:
            self.abort()
            return
        self.resume()  # a paused connection in the pool would never hear its next reply
        self._reused = True
        self.idle_since = monotonic()
        if self.idle_since - self.born_at > self._limits.connection_age_s:
            self.abort()
        else:
            self._home.give(self)

    def abort(self) -> None:
        """Leave at once: the provider stops working on what nobody waits for."""
        self._awaiting = None
        if self._transport is not None:
            self._transport.abort()

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.born_at = monotonic()

    def data_received(self, data: bytes) -> None:
        if self._awaiting is None or self._parser is None:
            self.abort()  # nobody asked
            return
        self._answered_bytes = True
        self._read_bytes = len(data)
        fault: _Stop | None = None
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            fault = self._fault(error)
        if fault is None and not self._head_read:
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.head_bytes_max:
                fault = self._too_long()
        self._hand_on(fault)

    def _hand_on(self, fault: _Stop | None) -> None:
        """Give what was read to who waits, then what is wrong."""
        parts = self._parts
        awaiting = self._awaiting
        if awaiting is not None and self._head_read and (parts or self._ended or not self._head_told):
            self._parts = []
            self._head_told = True
            awaiting.replied(self, parts[0] if len(parts) == 1 else b"".join(parts), ended=self._ended)
        if fault is not None and self._awaiting is not None:
            self._break(fault.code, fault.message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = self._parser = None
        awaiting = self._awaiting
        if awaiting is None or self._ended:
            return
        if self._to_the_end and exc is None:
            self._ended = True
            awaiting.replied(self, b"", ended=True)
        elif self._reused and not self._answered_bytes:
            self._awaiting = None
            awaiting.stale()
        else:
            self._break("upstream_reset", "closed the connection before its answer was complete")

    def _break(self, code: str, message: str) -> None:
        awaiting, self._awaiting = self._awaiting, None
        self.abort()
        if awaiting is not None:
            awaiting.broken(code, message)

    def _fault(self, error: Exception) -> _Stop | None:
        """What an end of parsing means; ``None`` for bytes after the end of the reply, which are left out."""
        cause = error.__context__
        if cause is not None and not isinstance(cause, _Stop):
            raise cause  # a fault of ours inside a callback, not the provider's
        if self._ended:
            self._surplus = True
            return None
        return cause or _Stop("upstream_invalid", f"answered with invalid HTTP/1.1 ({error})")

    def _too_long(self) -> _Stop:
        return _Stop(
            "upstream_invalid",
            f"answered with more than {self._limits.header_count_max} headers or {self._limits.head_bytes_max} bytes of them",
        )

    # What the parser says

    def on_message_begin(self) -> None:
        if self._ended:
            self._surplus = True
            raise _Stop

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_read:
            if name.lower() in FRAMING:
                raise _Stop("upstream_invalid", "sent a trailer that frames a message")
            return  # any other trailer is dropped
        self._headers.append((name, value))
        if len(self._headers) > self._limits.header_count_max:
            raise self._too_long()

    def on_headers_complete(self) -> None:
        parser = self._parser
        assert parser is not None
        self.status = parser.get_status_code()
        if self.status == _SWITCHING:
            raise _Stop("upstream_invalid", "switched protocols without being asked")
        self._interim = self.status < _FINAL
        if self._interim:
            return
        self.names = {name.lower(): value for name, value in self._headers}
        coding = self.names.get(_TRANSFER_ENCODING)
        if coding is not None and (coding.lower() != b"chunked" or _codings(self._headers) > 1):
            raise _Stop("upstream_invalid", "answered with a transfer coding other than chunked")
        most = self._limits.head_bytes_max
        if self._head_bytes + self._read_bytes > most and head_bytes(b"", self._headers) > most:
            raise self._too_long()
        self._head_read = True
        if self.head_only:
            self._ended, self._connection_fit = True, False  # llhttp cannot be told that no body follows
            raise _Stop
        self._to_the_end = coding is None and _CONTENT_LENGTH not in self.names and self.status not in _BODILESS

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        parser = self._parser
        assert parser is not None
        if self._interim:
            self._begin()
            self._answered_bytes = True
            return
        self._ended = True
        self._connection_fit = parser.should_keep_alive()


def _codings(headers: Sequence[Header]) -> int:
    """How often a transfer coding is named."""
    return sum(name.lower() == _TRANSFER_ENCODING for name, _ in headers)
