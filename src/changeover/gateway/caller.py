"""What does one caller's connection say, and when is it its turn? Framing, limits and order; decides nothing about requests."""

import asyncio
from collections import deque
from time import monotonic
from typing import Final, Protocol, cast

import httptools

from changeover.gateway.call import DOUBTFUL, FRAMING, Call, check_head, head_bytes, too_large
from changeover.gateway.headers import Header
from changeover.gateway.limits import Limits
from changeover.gateway.refusal import Refusal

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_CONNECTION: Final = b"connection"
_HTTP_1_1: Final = "1.1"
# Where in a request the next byte belongs.
_IDLE: Final = 0
_HEAD: Final = 1
_BODY: Final = 2


class Attached(Protocol):
    """What is being answered on this connection."""

    def caller_gone(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class House(Protocol):
    """Where a caller's connection belongs."""

    limits: Limits
    draining: bool
    callers: set["Caller"]

    def admit(self, call: Call, /) -> None:
        """The head of ``call`` has been read: whoever may not come in gets a ``call.refusal``."""
        ...

    def serve(self, caller: "Caller", call: Call, /) -> None:
        """Answer ``call`` on ``caller``, now or later; ends in ``caller.finish``."""
        ...

    def left(self, caller: "Caller", call: Call | None, /) -> None:
        """The connection is no more; ``call`` is the request that it left unfinished."""
        ...


class _Stop(Exception):  # noqa: N818 - it stops the parser; what is wrong stands in the queue already
    """Parse no further."""


class Caller(asyncio.Protocol):
    """One connection of a caller. Requests are answered one at a time, in their order (a request sent early waits).

    After a refusal that leaves the request unread the connection is deaf: it answers once, waits a moment so that the
    answer can be read, and closes.
    """

    __slots__ = (
        "_attached", "_body", "_body_bytes", "_busy", "_call", "_completed", "_continue_due", "_deaf", "_headers", "_house",
        "_in_one_read", "_limits", "_linger_until", "_names", "_parser", "_phase", "_pumping", "_queue", "_raw_bytes", "_read_bytes",
        "_reading", "_since", "_transport", "_url", "write_paused",
    )  # fmt: skip

    def __init__(self, house: House) -> None:
        self._house = house
        self._limits = house.limits
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._queue: deque[Call] = deque()
        self._attached: Attached | None = None
        self._call: Call | None = None
        self._headers: list[Header] = []
        self._names: dict[bytes, bytes] = {}
        self._url = b""
        self._body: list[bytes] = []
        self._body_bytes = self._raw_bytes = self._read_bytes = 0
        self._phase = _IDLE
        self._since = monotonic()
        self._linger_until = 0.0
        self._busy = self._completed = self._continue_due = self._deaf = self._pumping = False
        self._reading = self._in_one_read = True
        self.write_paused = False

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._house.callers.add(self)
        if len(self._house.callers) > self._limits.callers_max:
            message = f"More than {self._limits.callers_max} connections are open here; try again soon."
            self._give_up(Refusal(503, "too_many_connections", message, headers=b"retry-after: 1\r\n"))
            self._pump()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended, it is gone
        self._transport = self._parser = None
        self._queue.clear()
        if self._attached is not None:
            attached, self._attached = self._attached, None
            attached.caller_gone()
        self._house.left(self, None if self._deaf else self._call)

    def pause_writing(self) -> None:
        self.write_paused = True
        if self._attached is not None:
            self._attached.pause()

    def resume_writing(self) -> None:
        self.write_paused = False
        if self._attached is not None:
            self._attached.resume()
        self._pump()

    def data_received(self, data: bytes) -> None:
        if self._deaf or self._parser is None:
            return
        was_idle = self._phase == _IDLE
        self._completed = False
        body_bytes = self._body_bytes
        self._read_bytes = len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._unreadable(error)
        else:
            if self._phase != _IDLE:
                self._incomplete(data, was_idle=was_idle, body_bytes=0 if was_idle or self._completed else body_bytes)
        if self._queue or self._continue_due:
            self._pump()
        if self._queue or self._phase != _IDLE or not self._reading:
            self._pace()

    # What the parser says

    def on_message_begin(self) -> None:
        self._phase = _HEAD
        self._headers = []
        self._names = {}
        self._url = b""
        self._raw_bytes = self._body_bytes = 0
        self._in_one_read = True

    def on_url(self, url: bytes) -> None:
        self._url += url
        if len(self._url) > self._limits.url_bytes_max:
            self._refuse(Refusal(414, "url_too_long", f"The URL is longer than {self._limits.url_bytes_max} bytes; send a shorter one."))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._phase != _HEAD:
            self._trailer(name)
            return
        lowered = name.lower()
        self._headers.append((lowered, value))
        self._names[lowered] = value

    def _trailer(self, name: bytes) -> None:
        """Dropped: the head is what it was when it ended. One that would frame a message may mean more to somebody else."""
        if name.lower() in FRAMING:
            self._refuse(Refusal(400, "invalid_trailer", "Found a trailer that frames a message; expected none such. Send it without."))

    def on_headers_complete(self) -> None:
        parser = self._parser
        assert parser is not None
        if len(self._headers) > self._limits.header_count_max:
            message = f"Found more than {self._limits.header_count_max} headers; send fewer."
            self._refuse(Refusal(431, "too_many_headers", message))
        # A head within one read of a smaller size, as nearly all are, need not be measured.
        most = self._limits.head_bytes_max
        if (self._read_bytes > most or not self._in_one_read) and head_bytes(self._url, self._headers) > most:
            self._refuse(self._head_too_large())
        keep_alive = parser.should_keep_alive()
        # Without a word on it only connections of HTTP/1.1 are kept.
        version = _HTTP_1_1 if keep_alive and _CONNECTION not in self._names else parser.get_http_version()
        call = Call(method=parser.get_method(), url=self._url, headers=self._headers, names=self._names, version=version)
        self._call = call
        self._phase = _BODY
        found = call.refusal = check_head(call, self._limits, upgrade=parser.should_upgrade())
        self._house.admit(call)
        if call.refusal is not None and (call.has_body or (found is not None and found.status in DOUBTFUL)):
            self._refuse(call.refusal)
        call.keep_alive = keep_alive and version == _HTTP_1_1
        self._continue_due = call.expects_continue

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._body.append(body)
        if self._body_bytes > self._limits.body_bytes_max:
            self._refuse(too_large(self._limits))

    def on_message_complete(self) -> None:
        call = self._call
        assert call is not None
        pieces = self._body
        call.body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._body = []
        self._call = None
        self._phase = _IDLE
        self._completed = True
        self._continue_due = False
        self._queue.append(call)

    # What is wrong with it

    def _refuse(self, refusal: Refusal) -> None:
        self._give_up(refusal)
        raise _Stop

    def _give_up(self, refusal: Refusal) -> None:
        """Answer the request under way with ``refusal`` when its turn comes, and listen no more."""
        call = self._call or Call()
        call.refusal = refusal
        call.keep_alive = False
        self._deaf = True
        self._body = []
        self._queue.append(call)

    def _unreadable(self, error: Exception) -> None:
        cause = error.__context__
        if isinstance(cause, _Stop):
            return
        if cause is not None:
            raise cause  # a fault of ours inside a callback, not the caller's
        self._give_up(Refusal(400, "invalid_http", f"The request is not valid HTTP/1.1: {error}."))

    def _incomplete(self, data: bytes, *, was_idle: bool, body_bytes: int) -> None:
        """Bound what the parser does not hand out: a header without end, chunk sizes and extensions, trailers."""
        if was_idle:
            self._since = monotonic()
        self._in_one_read = False
        if self._phase == _BODY:
            self._raw_bytes += len(data) - (self._body_bytes - body_bytes)
            if self._raw_bytes > self._limits.framing_bytes_max:
                message = f"The body's chunks carry more than {self._limits.framing_bytes_max} bytes of framing; send larger chunks."
                self._give_up(Refusal(413, "framing_too_large", message))
        elif not self._completed:  # else the read began with an earlier request, and its share is unknown
            self._raw_bytes += len(data)
            if self._raw_bytes > self._limits.head_bytes_max:
                self._give_up(self._head_too_large())

    def _head_too_large(self) -> Refusal:
        return Refusal(
            431, "head_too_large", f"URL and headers are larger than {self._limits.head_bytes_max} bytes; send fewer or shorter headers."
        )

    # Turns

    def _pump(self) -> None:
        """Serve what waits, one at a time. Never recursive: many small requests in one read must not pile up frames."""
        if self._pumping:
            return
        self._pumping = True
        while self._queue and not self._busy and not self.write_paused and self.is_open:
            self._busy = True
            self._house.serve(self, self._queue.popleft())
        self._pumping = False
        if self._continue_due and not self._busy and self.is_open:
            self._continue_due = False
            self.write(_CONTINUE)

    def _pace(self) -> None:
        """Stop reading while requests wait for their turn. Not otherwise: only who reads hears that the caller has gone."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        crowded = self._busy and not self._deaf and (bool(self._queue) or self._phase != _IDLE)
        if crowded and self._reading:
            self._reading = False
            transport.pause_reading()
        elif not crowded and not self._reading:
            self._reading = True
            transport.resume_reading()

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def attach(self, attached: Attached) -> None:
        """``attached`` answers the request under way and hears of the caller."""
        self._attached = attached

    def write(self, data: bytes) -> None:
        """Send ``data`` to the caller, unless it has gone."""
        if self._transport is not None:
            self._transport.write(data)

    def finish(self, *, keep: bool) -> None:
        """The answer is complete; the next request may have its turn, if the connection is to be kept."""
        self._attached = None
        self._busy = False
        if not keep:
            if self.is_open:
                self._close()
            return
        self._since = monotonic()
        if self._queue or self._continue_due:
            self._pump()
        if not self._reading:
            self._pace()
        if self._house.draining:
            self.close_if_idle()

    def abort(self) -> None:
        """Break the connection: what was sent must not look whole."""
        if self._transport is not None:
            self._transport.abort()

    def close_if_idle(self) -> None:
        """Close unless a request is under way."""
        if self._transport is not None and not self._busy and not self._queue and self._phase == _IDLE:
            self._transport.close()

    def _close(self) -> None:
        transport = self._transport
        assert transport is not None
        self._queue.clear()
        if not self._deaf or not transport.can_write_eof():
            transport.close()
            return
        # Closing with unread bytes resets the connection, and the reset can overtake the answer.
        self._linger_until = monotonic() + self._limits.linger_s
        transport.write_eof()

    def check(self, now: float) -> None:
        """The sweeper's visit: has anything lasted too long?"""
        waited_s = now - self._since
        if self._transport is None or self._transport.is_closing():
            return
        if self._linger_until:
            if now >= self._linger_until:
                self._transport.close()
        elif self._busy or self._deaf:
            return  # the answer has deadlines of its own
        elif self._phase == _IDLE:
            if waited_s > self._limits.idle_s:
                self._transport.close()
        elif waited_s > self._limits.head_s + (self._limits.body_s if self._phase == _BODY else 0.0):
            self._give_up(Refusal(408, "request_timeout", "The request did not arrive in time; send it again, faster."))
            self._pump()
