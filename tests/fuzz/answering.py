"""A provider's bytes, read by us and by h11: what we take for a whole reply, h11 must have read as the same. No test runs here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import h11

from changeover.gateway.limits import Limits
from changeover.gateway.upstream import Upstream
from tests.fuzz.asking import pieces_of
from tests.unit.gateway.wires import HandTransport

_FINAL: Final = 200
_STATUSES: Final = range(200, 1000)
_LINE_ENDS: Final = b"\r\n"
WIDE: Final = Limits()
NARROW: Final = Limits(head_bytes_max=200, header_count_max=4)


@dataclass(slots=True)
class Reply:
    """What came of a provider's bytes. ``whole``: the reply ended as it should; ``fault``: what was said against it."""

    status: int = 0
    body: bytes = b""
    whole: bool = False
    fault: str = ""
    kept: bool = False
    """The connection would carry another request."""
    ends: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])


class Waiting:
    """Who waits for the reply; ``give`` is the pool."""

    request = b""

    def __init__(self, *, head_only: bool) -> None:
        self.head_only = head_only
        self.reply = Reply()

    def replied(self, upstream: Upstream, data: bytes, *, ended: bool) -> None:
        reply = self.reply
        assert not reply.ends, "a reply goes on after its end"
        reply.status, reply.headers = upstream.status, upstream.headers
        reply.body += data
        if ended:
            reply.whole = True
            reply.ends += 1
            upstream.release()

    def broken(self, code: str, message: str) -> None:
        assert message
        self.reply.fault = code
        self.reply.ends += 1

    def stale(self) -> None:
        self.reply.fault = "stale"
        self.reply.ends += 1

    def give(self, upstream: Upstream) -> None:
        assert upstream.is_usable
        self.reply.kept = True


def ours(pieces: Sequence[bytes], *, head_only: bool = False, eof: bool = True, limits: Limits = WIDE) -> Reply:
    """Read by the gateway's provider side. ``eof``: then the connection ends cleanly, else nothing more comes."""
    waiting = Waiting(head_only=head_only)
    upstream, transport = Upstream(waiting, limits), HandTransport()
    upstream.connection_made(transport)
    upstream.send(waiting)
    for piece in pieces:
        if transport.closing:
            break
        upstream.data_received(piece)
    waiting.reply.kept = waiting.reply.kept and not transport.closing  # what comes on an idle connection ends it
    if eof or transport.closing:
        upstream.connection_lost(None)
    assert waiting.reply.ends <= 1, "a reply ended twice"
    assert waiting.reply.ends == 1 or not eof, "nobody was told of the end"
    return waiting.reply


def theirs(data: bytes, *, head_only: bool = False) -> Reply:
    """Read by h11, to the end or to where it refuses to. Line ends around a reply say nothing: llhttp skips them, h11 does not."""
    left: bytes | None = data
    reply = Reply()
    while left is not None:
        reply, left = _first(left.lstrip(_LINE_ENDS), head_only=head_only)
    return reply


def _first(data: bytes, *, head_only: bool) -> tuple[Reply, bytes | None]:
    """The reply; or, of an interim one, what follows it."""
    reading = h11.Connection(h11.CLIENT, max_incomplete_event_size=1_000_000)
    reading.send(h11.Request(method="HEAD" if head_only else "POST", target="/", headers=[("host", "x")]))
    reading.send(h11.EndOfMessage())
    reply = Reply()
    told = False
    try:
        reading.receive_data(data)
        while True:
            event = reading.next_event()
            if isinstance(event, h11.InformationalResponse):
                return reply, reading.trailing_data[0]
            if isinstance(event, h11.Response):
                reply.status = event.status_code
            elif isinstance(event, h11.Data):
                reply.body += bytes(event.data)
            elif event is h11.NEED_DATA and not told:
                told = True
                reading.receive_data(b"")
            else:
                reply.whole = isinstance(event, h11.EndOfMessage)
                reply.kept = reading.their_state is h11.DONE and not reading.trailing_data[0].strip(_LINE_ENDS) and not told
                return reply, None
    except h11.RemoteProtocolError as error:
        reply.fault = str(error)
        return reply, None


def check(data: bytes, cuts: Iterable[int], *, head_only: bool = False) -> Reply:
    """All that must hold of one provider's bytes, however they are cut."""
    cuts = tuple(cuts)
    whole = ours([data], head_only=head_only)
    pieces = pieces_of(data, cuts)
    cut = ours(pieces, head_only=head_only)
    assert (cut.whole, cut.fault) == (whole.whole, whole.fault), f"cut otherwise, read otherwise: {cut}, {whole}"
    if whole.whole:
        assert (cut.status, cut.body) == (whole.status, whole.body)
    read = theirs(data, head_only=head_only)
    for reply in (whole, cut, ours(pieces, head_only=head_only, limits=NARROW)):
        _compare(reply, read)
    return whole


def _compare(reply: Reply, read: Reply) -> None:
    if read.fault.startswith("illegal status line") and reply.status in _STATUSES:
        return  # the words behind the status are not read, and not handed on
    if reply.whole:
        assert read.whole, f"took for whole what h11 would not: {reply}, {read}"
        assert (reply.status, reply.body) == (read.status, read.body)
        assert reply.status >= _FINAL
        assert read.kept or not reply.kept, f"kept a connection that h11 would not: {reply}, {read}"
    elif not read.fault:
        assert read.body.startswith(reply.body), f"handed on what was not sent: {reply}, {read}"
