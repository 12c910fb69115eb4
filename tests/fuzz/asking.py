"""A caller's bytes, read by us and by h11: what we serve, h11 must have read as the very same request. No test runs here."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from time import monotonic
from typing import Final

import h11

from changeover.gateway.call import Call
from changeover.gateway.caller import Caller
from changeover.gateway.limits import Limits
from tests.unit.gateway.wires import HandTransport, PatientHouse

WIDE: Final = Limits()
NARROW: Final = Limits(head_bytes_max=300, url_bytes_max=80, header_count_max=6, body_bytes_max=200, framing_bytes_max=100)
"""Limits that are met. How soon is a matter of the reads, so that only what is served can be compared."""
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_SPACES: Final = re.compile(rb"\A([A-Z-]+) +([^ \r\n]+) +(?=HTTP/)")
_REFUSED: Final = range(400, 600)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it was understood. ``refusal`` is the status of who would not serve it, 0 for none."""

    method: bytes
    target: bytes
    body: bytes
    refusal: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a caller's bytes. ``ended``: no more is read on this connection."""

    asked: tuple[Asked, ...]
    ended: bool


class LateHouse(PatientHouse):
    """Answers a request only when its connection says that it will hear no more before that."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits, at_once=False)
        self._answered = 0

    def catch_up(self, caller: Caller) -> None:
        while self._answered < len(self.calls):
            self._answered += 1
            self.answer(caller, self.calls[self._answered - 1])


def pieces_of(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """``data`` cut at those of ``cuts`` that lie in it."""
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(data)}), len(data)]
    return [data[start:end] for start, end in pairwise(edges) if start < end]


def ours(pieces: Sequence[bytes], *, limits: Limits = WIDE, late: bool = False) -> Heard:
    """Read by the gateway's caller side. ``late``: requests are answered as late as they may be."""
    house = LateHouse(limits) if late else PatientHouse(limits)
    caller, transport = Caller(house), HandTransport()
    caller.connection_made(transport)
    for piece in pieces:
        if isinstance(house, LateHouse) and not transport.reading:
            house.catch_up(caller)
        if transport.closing:
            break
        assert transport.reading, "a caller that is owed nothing is not heard"
        caller.data_received(piece)
    if isinstance(house, LateHouse):
        house.catch_up(caller)
    ended = transport.closing or transport.ended
    # How often the body is asked for is a matter of the reads: not at all where it came along.
    answered = [int(status) for status in transport.written.replace(CONTINUE, b"").split(b";") if status]
    assert transport.written.count(CONTINUE) <= sum(call.expects_continue for call in house.calls) + 1
    assert answered == [call.refusal.status if call.refusal else 200 for call in house.calls], "an answer too many, or too few"
    caller.check(monotonic() + limits.linger_s + 1)
    assert transport.closing or not transport.ended, "a refused caller stays"
    caller.connection_lost(None)
    assert not house.callers
    return Heard(tuple(map(_asked, house.calls)), ended)


def _asked(call: Call) -> Asked:
    if call.refusal is not None:
        return Asked(call.method, call.url, b"", call.refusal.status)
    return Asked(call.method, call.url, call.body)


def theirs(data: bytes) -> tuple[Asked, ...]:
    """Read by h11, up to where it refuses to read on; whole requests only. Line ends before a request are skipped, as every
    server should (RFC 9112, 2.2) and h11 does not; so are spaces too many in its first line, as llhttp does.
    """
    found: list[Asked] = []
    left: bytes | None = data
    while left:
        asked, left = _first(_SPACES.sub(rb"\1 \2 ", left.lstrip(b"\r\n")))
        if asked is not None:
            found.append(asked)
    return tuple(found)


def _first(data: bytes) -> tuple[Asked | None, bytes | None]:
    """The first request, if it is whole, and what follows it, if anything may."""
    reading = h11.Connection(h11.SERVER, max_incomplete_event_size=1_000_000)
    reading.receive_data(data)
    head: h11.Request | None = None
    body: list[bytes] = []
    try:
        while True:
            event = reading.next_event()
            if isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                rest = reading.trailing_data[0] if reading.their_state is h11.DONE else None
                return Asked(head.method, head.target, b"".join(body)), rest
            else:
                return None, None
    except h11.RemoteProtocolError:
        return None, None


def check(data: bytes, cuts: Iterable[int]) -> Heard:
    """All that must hold of one caller's bytes, however they are cut and however late they are answered."""
    cuts = tuple(cuts)
    whole = ours([data])
    pieces = pieces_of(data, cuts)
    for late in (False, True):
        assert ours(pieces, late=late) == whole, "cut or answered otherwise, read otherwise"
    read = theirs(data)
    _compare(whole, read)
    _compare(ours(pieces, limits=NARROW), read)
    return whole


def _compare(heard: Heard, read: Sequence[Asked]) -> None:
    for number, asked in enumerate(heard.asked):
        if asked.refusal:
            assert asked.refusal in _REFUSED
        else:
            assert read[number : number + 1] == (asked,), f"served {asked}; h11 read {read[number : number + 1]}"
