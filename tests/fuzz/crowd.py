"""Several callers and unruly providers around one gateway, without a network: nobody hears what is meant for another.

A script is a row of steps (what, how): bytes, so that both hypothesis and a fuzzer can write it. Every request carries a mark
of its own, every reply the mark of the request it answers; what a provider sends behind a reply is marked as forged. No test
runs here.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic
from types import CoroutineType
from typing import Any, Final, NamedTuple

import h11

from changeover.adapters.memory import HandClock, SeededDice
from changeover.gateway.caller import Caller
from changeover.gateway.limits import Limits
from changeover.gateway.pool import Pool
from changeover.gateway.server import Gateway
from changeover.gateway.upstream import Upstream
from tests.integration.gateway.houses import failing_over
from tests.integration.gateway.rig import CHUNKED_JSON_HEAD, LAST_CHUNK, STARTED_AT, STREAM_HEAD, Notes, chunk, request, whole
from tests.unit.gateway.wires import HandTransport

CALLERS: Final = 4
TURNS: Final = 3
STEPS_MAX: Final = 200
FORGED: Final = b"FORGED"
MARK: Final = re.compile(rb"mark-\d{5}")
LIMITS: Final = Limits(linger_s=0.0)
_SENT: Final = re.compile(rb"content-length: (\d+)\r\n\r\n", re.IGNORECASE)
_EVENT: Final = b'data: {"id":"%b","choices":[{"delta":{"content":"%b"}}]}\n\n'
_ERROR: Final = b'{"error":{"code":"no","message":"%b"}}'


class Step(NamedTuple):
    what: int
    how: int


def script(data: bytes) -> list[Step]:
    """Two bytes a step."""
    return [Step(what, how) for what, how in zip(data[::2], data[1::2], strict=False)][:STEPS_MAX]


def document(mark: bytes) -> bytes:
    return b'{"id":"%b","choices":[{"message":{"content":"%b"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}' % (mark, mark)


def stream(mark: bytes) -> bytes:
    return STREAM_HEAD + chunk(_EVENT % (mark, mark)) + chunk(_EVENT % (mark, mark)) + chunk(b"data: [DONE]\n\n") + LAST_CHUNK


REPLIES: Final[list[Callable[[bytes], bytes]]] = [
    lambda mark: whole(document(mark)),
    stream,
    lambda mark: CHUNKED_JSON_HEAD + chunk(document(mark)[:9]) + chunk(document(mark)[9:]) + LAST_CHUNK,
    lambda mark: whole(_ERROR % mark, status=b"503 Service Unavailable"),
    lambda mark: whole(_ERROR % mark, status=b"400 Bad Request"),
    lambda mark: whole(_ERROR % mark, status=b"429 Too Many Requests", extra=b"retry-after: 60\r\n"),
    lambda mark: b"HTTP/1.1 100 Continue\r\n\r\n" + whole(document(mark), extra=b"connection: close\r\n"),
    lambda mark: whole(document(mark)) + FORGED,
    lambda mark: whole(document(mark)) + whole(document(FORGED)),
    lambda mark: stream(mark) + whole(document(FORGED)),
    lambda mark: CHUNKED_JSON_HEAD + chunk(document(mark)) + b"0\r\nx-t: FORGED\r\n\r\n" + FORGED,
    lambda mark: whole(document(mark)[:-4]),
    lambda mark: STREAM_HEAD + chunk(_EVENT % (mark, mark)) + LAST_CHUNK,
    lambda mark: STREAM_HEAD + chunk(_EVENT % (mark, mark)) + b"zz\r\n" + FORGED,
    lambda mark: b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + document(mark),
    lambda mark: b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nFORGED" + mark,
    lambda mark: b"HTTP/1.1 204 No Content\r\n\r\n",
    lambda mark: whole(b'{"text":"' + mark + b"a" * 300_000 + b'"}'),
]


class Party:
    """One caller: what it asked for, in order, and what it has been told."""

    def __init__(self, gateway: Gateway) -> None:
        self.caller = Caller(gateway._dispatch)
        self.transport = HandTransport()
        self.marks: list[bytes] = []
        self.unsent = b""
        self.left = False
        self.caller.connection_made(self.transport)

    def hear(self, data: bytes) -> None:
        if self.transport.reading and not self.transport.closing and not self.left:
            self.caller.data_received(data)
        else:
            self.unsent += data

    def leave(self) -> None:
        if not self.left:
            self.left = True
            self.caller.connection_lost(None)


class Line:
    """One connection to a provider."""

    def __init__(self, pool: Pool) -> None:
        self.upstream = Upstream(pool, LIMITS)
        self.transport = HandTransport()
        self.heard = self.answered = 0
        self.unsaid = b""
        self.gone = False
        self.upstream.connection_made(self.transport)

    def asked(self) -> list[bytes]:
        """The marks of the requests that have come since this was asked last."""
        found: list[bytes] = []
        while (sent := _SENT.search(self.transport.written, self.heard)) is not None:
            self.heard = sent.end() + int(sent[1])
            assert len(self.transport.written) >= self.heard, "half a request"
            (mark,) = MARK.findall(self.transport.written[sent.end() : self.heard])
            found.append(mark)
        return found

    def say(self, data: bytes) -> None:
        self.unsaid += data

    def flush(self, most: int | None = None) -> None:
        """Bytes arrive, unless the gateway has stopped reading. What is forged comes in one read with the end before it: in
        the next it could not be told from the answer to the next request, which may have gone out by then.
        """
        if most is None or FORGED in self.unsaid:
            most = len(self.unsaid)
        data, rest = self.unsaid[:most], self.unsaid[most:]
        if data and self.transport.reading and not self.transport.closing and not self.gone:
            self.unsaid = rest
            self.upstream.data_received(data)

    def end(self, error: Exception | None = None) -> None:
        if not self.gone:
            self.gone = True
            self.upstream.connection_lost(error)


class Crowd:
    """The gateway, its callers, its providers. ``play`` takes a script; ``close`` ends everything and checks it all."""

    def __init__(self) -> None:
        self.notes = Notes()
        self.gateway = Gateway(recorder=self.notes, secret=lambda _: "k", clock=HandClock(STARTED_AT), dice=SeededDice(), limits=LIMITS)
        self.gateway.use(failing_over({"blue": "http://127.0.0.1:1", "spare": "http://127.0.0.1:2"}))
        self.lines: list[Line] = []
        self.parties = [Party(self.gateway) for _ in range(CALLERS)]
        self.past: list[Party] = []
        self.count = 0
        self.received: Counter[bytes] = Counter()
        for pool in self.gateway.pools:
            pool.connect = self._connecting(pool)

    def _connecting(self, pool: Pool) -> "Callable[[], CoroutineType[Any, Any, Upstream]]":
        async def connect() -> Upstream:
            self.lines.append(Line(pool))
            return self.lines[-1].upstream

        return connect

    async def play(self, steps: Sequence[Step]) -> None:
        for what, how in steps:
            self._take(what % 8, how)
            for _ in range(TURNS):
                await asyncio.sleep(0)
            self._see_to_lines()

    def _take(self, what: int, how: int) -> None:
        party = self.parties[how % CALLERS]
        match what:
            case 0 | 1:
                self._ask(party, how // CALLERS)
            case 2 | 3:
                self._reply(how)
            case 4:
                for line in self.lines:
                    line.flush(1 + how)
            case 5:
                self._lose(how)
            case 6:
                self._exchange(how % CALLERS)
            case _:
                (party.caller.pause_writing if how & 8 else party.caller.resume_writing)()

    def _ask(self, party: Party, how: int) -> None:
        mark = b"mark-%05d" % self.count
        self.count += 1
        if len(party.unsent) > 10_000 or party.left:
            return
        party.marks.append(mark)
        streamed = b',"stream":true' if how & 1 else b""
        data = request(b'{"model":"summarise","user":"%b"%b}' % (mark, streamed))
        cut = how * 5 % len(data) if how & 2 else len(data)
        party.hear(data[:cut])
        party.hear(data[cut:])

    def _see_to_lines(self) -> None:
        for line in self.lines:
            self.received.update(line.asked())
        for party in self.parties:
            if party.unsent and party.transport.reading:
                data, party.unsent = party.unsent, b""
                party.hear(data)

    def _reply(self, how: int) -> None:
        """To the request that came last on some line, if it has not been answered yet."""
        waiting = [line for line in self.lines if not line.gone and not line.unsaid and line.heard > line.answered]
        if not waiting:
            return
        line = waiting[how % len(waiting)]
        line.answered = line.heard
        mark = MARK.findall(line.transport.written[: line.heard])[-1]
        line.say(REPLIES[how % len(REPLIES)](mark))

    def _lose(self, how: int) -> None:
        alive = [line for line in self.lines if not line.gone]
        if alive:
            alive[how % len(alive)].end(ConnectionResetError() if how & 1 else None)

    def _exchange(self, number: int) -> None:
        """A caller leaves, another one comes."""
        self.parties[number].leave()
        self.past.append(self.parties[number])
        self.parties[number] = Party(self.gateway)

    async def close(self) -> None:
        """Say what is unsaid, end every line and every caller; then everything must have been told once, to whom it was due."""
        for party in self.parties:
            party.caller.resume_writing()
        for _ in range(3 * STEPS_MAX):
            before = sum(map(len, (line.transport.written for line in self.lines)))
            for line in self.lines:
                line.flush()
                if not line.unsaid:
                    line.end()
            for _turn in range(TURNS):
                await asyncio.sleep(0)
            self._see_to_lines()
            if sum(map(len, (line.transport.written for line in self.lines))) == before and all(line.gone for line in self.lines):
                break
        self.gateway.sweep(monotonic() + 1e6)
        for party in self.parties:
            party.leave()
        await self.gateway.close()
        for line in self.lines:
            line.end()
        for party in (*self.past, *self.parties):
            check_party(party)
        self._check_notes()

    def _check_notes(self) -> None:
        seen = [observation.request_id for observation in self.notes.observations]
        assert Counter(seen) == Counter(self.notes.begun.keys()), "a request counted twice, or not at all"
        assert sum(observation.attempts for observation in self.notes.observations) == self.received.total()
        assert self.gateway.under_way == self.gateway.open_callers == 0


def check_party(party: Party) -> None:
    """What one caller was told is for it, in order, in answers that h11 can read."""
    said = party.transport.written
    assert FORGED not in said, said
    told = [party.marks.index(mark) if mark in party.marks else -1 for mark in MARK.findall(said)]
    assert -1 not in told, "bytes of another caller's answer"
    assert told == sorted(told), "answers out of order"
    answers = answers_in(said)
    assert len(answers) <= len(party.marks), "more answers than requests"
    for number, body in enumerate(answers):
        assert set(MARK.findall(body)) <= {party.marks[number]}, "an answer to another request"


def answers_in(said: bytes) -> list[bytes]:
    """The bodies of the whole answers in ``said``. What h11 refuses to read is a fault; an answer cut off by the end is none."""
    found: list[bytes] = []
    while said:
        reading = h11.Connection(h11.CLIENT, max_incomplete_event_size=1_000_000)
        reading.send(h11.Request(method="POST", target="/", headers=[("host", "x")]))
        reading.send(h11.EndOfMessage())
        reading.receive_data(said)
        body: list[bytes] = []
        while True:
            event = reading.next_event()
            if isinstance(event, h11.Data):
                body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                break
            elif event is h11.NEED_DATA or event is h11.PAUSED:
                return found
        found.append(b"".join(body))
        said = reading.trailing_data[0]
    return found


def run(data: bytes) -> Crowd:
    """Play a script to its end on a loop of its own."""

    async def play() -> Crowd:
        crowd = Crowd()
        await crowd.play(script(data))
        await crowd.close()
        return crowd

    return asyncio.run(play())
