"""A gateway, providers that behave as told, and a caller that says exactly what it is told: real sockets, one loop."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast

import h11
import msgspec

from changeover.adapters.memory import HandClock, SeededDice
from changeover.exchange.observation import Observation
from changeover.gateway.egress import Egress
from changeover.gateway.inquiry import IssuerBook
from changeover.gateway.limits import Limits
from changeover.gateway.server import Gateway
from changeover.ports.credentials import TokenSource
from changeover.traffic.table import Route, RoutingTable, Side
from changeover.versions import Account, AccountKind, Deployment, ModelVersion, SecretReference

STARTED_AT = 1_800_000_000.0
FIRST_ID = SeededDice().token()
SECRET = "the-accounts-own-key"
BODY = b'{"model": "summarise","messages":[]}'
USAGE = b'"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}'
ANSWER = (
    b'{"id":"c1","object":"chat.completion","model":"gpt-4o-2024-11-20","choices":[{"index":0,"message":{"role":"assistant","content":"Yes."},"finish_reason":"stop"}],'
    + USAGE
    + b"}"
)
EVENTS = (
    b'data: {"id":"c1","model":"gpt-4o-2024-11-20","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n',
    b'data: {"id":"c1","model":"gpt-4o-2024-11-20","choices":[{"index":0,"delta":{"content":"Yes"}}]}\n\n',
    b'data: {"id":"c1","model":"gpt-4o-2024-11-20","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
)
USAGE_EVENT = b'data: {"id":"c1","model":"gpt-4o-2024-11-20","choices":[],' + USAGE + b"}\n\n"
DONE = b"data: [DONE]\n\n"
ROLE, CONTENT, FINISH = EVENTS


async def until(condition: Callable[[], object]) -> None:
    """Give the others their turns until ``condition`` holds; the test's own deadline ends a vain wait."""
    while not condition():  # noqa: ASYNC110 - what is waited for is not ours to signal
        await asyncio.sleep(0)


class Notes:
    """Keeps observations, and lets a test wait for them."""

    def __init__(self) -> None:
        self.begun: dict[str, float] = {}
        self.sides: dict[str, Side] = {}
        self.observations: list[Observation] = []
        self._came = asyncio.Event()

    def begin(self, request_id: str, started_at: float) -> None:
        self.begun[request_id] = started_at

    def assigned(self, request_id: str, side: Side) -> None:
        self.sides[request_id] = side

    def record(self, observation: Observation) -> None:
        assert observation.request_id in self.begun
        self.observations.append(observation)
        self._came.set()

    async def count(self, wanted: int) -> list[Observation]:
        """All observations, once there are ``wanted``."""
        while len(self.observations) < wanted:
            self._came.clear()
            await self._came.wait()
        assert len(self.observations) == wanted
        return self.observations

    async def only(self) -> Observation:
        return (await self.count(1))[0]


@dataclass
class Received:
    """One request as a provider received it."""

    line: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def names(self) -> dict[bytes, bytes]:
        return dict(self.headers)

    @property
    def fields(self) -> dict[str, Any]:
        return msgspec.json.decode(self.body)


Behaviour = Callable[[Received, "Wire"], Awaitable[None]]


@dataclass
class Wire:
    """A provider's side of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    open: bool = True

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self.writer.drain()

    def close(self) -> None:
        self.open = False
        self.writer.close()

    def reset(self) -> None:
        self.open = False
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the gateway leaves."""
        with contextlib.suppress(ConnectionError):
            assert await self.reader.read() == b""


@dataclass
class Provider:
    """A server that records every byte it gets and answers as ``behave`` says."""

    behave: Behaviour
    tls: ssl.SSLContext | None = None
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    raw: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        wire = Wire(reader, writer)
        try:
            while wire.open:
                request = await self._read(reader)
                if request is None:
                    break
                self.received.append(request)
                await self.behave(request, wire)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._serving.discard(task)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Received | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            self.raw += len(error.partial)
            return None
        line, *lines = head[:-4].split(b"\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (entry.partition(b":") for entry in lines)]
        body = await reader.readexactly(int(dict(headers).get(b"content-length", b"0")))
        self.raw += len(head) + len(body)
        return Received(line, headers, body)


def whole(body: bytes = ANSWER, *, status: bytes = b"200 OK", kind: bytes = b"application/json", extra: bytes = b"") -> bytes:
    """A reply with a length."""
    return b"HTTP/1.1 %b\r\ncontent-type: %b\r\n%bcontent-length: %d\r\n\r\n%b" % (status, kind, extra, len(body), body)


STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNKED_JSON_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def says(*pieces: bytes, then: str = "keep") -> Behaviour:
    """A provider that sends ``pieces``, each in a write of its own, then keeps, closes or resets the connection."""

    async def behave(_: Received, wire: Wire) -> None:
        for piece in pieces:
            await wire.send(piece)
            await asyncio.sleep(0)
        if then == "close":
            wire.close()
        elif then == "reset":
            wire.reset()
        elif then == "wait":
            await wire.gone()

    return behave


async def answers(request: Received, wire: Wire) -> None:
    """A healthy provider: JSON, or a stream, with usage if it was asked for."""
    fields = request.fields
    if not fields.get("stream"):
        await wire.send(whole())
        return
    usage = chunk(USAGE_EVENT) if (fields.get("stream_options") or {}).get("include_usage") else b""
    await wire.send(STREAM_HEAD)
    for event in EVENTS:
        await wire.send(chunk(event))
    await wire.send(usage + chunk(DONE) + LAST_CHUNK)


@dataclass
class Answer:
    """One answer, as an independent HTTP implementation reads it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    interim: list[int] = field(default_factory=list)

    @property
    def names(self) -> dict[bytes, bytes]:
        return dict(self.headers)

    @property
    def error(self) -> dict[str, Any]:
        return msgspec.json.decode(self.body)["error"]


class Client:
    """A caller's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._held = b""

    @property
    def transport(self) -> asyncio.Transport:
        return cast("asyncio.Transport", self.writer.transport)

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def answer(self, method: str = "POST") -> Answer:
        """The next answer on this connection; h11 must accept every byte of it."""
        reading = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        reading.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
        reading.send(h11.EndOfMessage())
        if self._held:
            reading.receive_data(self._held)
        result = Answer(0, [], b"")
        pieces: list[bytes] = []
        while True:
            event = reading.next_event()
            if event is h11.NEED_DATA:
                reading.receive_data(await self.reader.read(65536))
            elif isinstance(event, h11.InformationalResponse):
                result.interim.append(event.status_code)
            elif isinstance(event, h11.Response):
                result.status, result.headers = event.status_code, list(event.headers)
            elif isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
            else:
                assert isinstance(event, h11.EndOfMessage), event
                self._held = reading.trailing_data[0]
                result.body = b"".join(pieces)
                return result

    async def ask(self, data: bytes, method: str = "POST") -> Answer:
        await self.send(data)
        return await self.answer(method)

    async def rest(self) -> bytes:
        """All that comes until the gateway closes."""
        with contextlib.suppress(ConnectionError):
            return self._held + await self.reader.read()
        return self._held

    def leave(self) -> None:
        self.transport.abort()


def request(body: bytes = BODY, *, path: bytes = b"/v1/chat/completions", extra: bytes = b"", method: bytes = b"POST") -> bytes:
    head = b"%b %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer sk-caller\r\n%bContent-Length: %d\r\n\r\n"
    return head % (method, path, extra, len(body)) + body


STREAM_REQUEST = request(b'{"model":"summarise","messages":[],"stream":true}')


def table_for(endpoints: dict[str, str], *, kind: AccountKind = "azure-openai", revision: int = 3, permille: int = 0) -> RoutingTable:
    """The first endpoint is the task's stable, the second, if any, its candidate."""
    names = list(endpoints)
    candidate = names[1] if len(names) > 1 else None
    route = Route(
        task="summarise", stable=names[0], candidate=candidate, candidate_permille=permille, attempt=2, salt="salt", sticky_by=("user",)
    )
    return RoutingTable(
        revision=revision,
        routes={"summarise": route},
        deployments={name: Deployment(name=name, account=name, model=ModelVersion(name="gpt-4o", version="2024-11-20")) for name in names},
        accounts={
            name: Account(name=name, kind=kind, endpoint=endpoint, auth=SecretReference(source="env", name="KEY"))
            for name, endpoint in endpoints.items()
        },
    )


class Rig:
    """A gateway on a port of its own."""

    def __init__(self, gateway: Gateway, notes: Notes, port: int) -> None:
        self.gateway = gateway
        self.notes = notes
        self.port = port
        self._clients: list[Client] = []

    async def client(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self._clients.append(client)
        return client

    async def ask(self, data: bytes, method: str = "POST") -> Answer:
        """One request on a connection of its own."""
        return await (await self.client()).ask(data, method)

    async def raw(self, data: bytes) -> bytes:
        """All that comes for ``data`` on a connection of its own, until the gateway closes it."""
        client = await self.client()
        await client.send(data)
        return await client.rest()

    async def lives(self) -> bool:
        """Whether the gateway still answers somebody else."""
        return (await self.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET")).status == 200

    def leave(self) -> None:
        for client in self._clients:
            client.leave()


@contextlib.asynccontextmanager
async def rig(
    table: RoutingTable | None = None,
    *,
    limits: Limits | None = None,
    secret: str | None = SECRET,
    tls: ssl.SSLContext | None = None,
    egress: Egress | None = None,
    tokens: TokenSource | None = None,
    issuers: IssuerBook | None = None,
    clock: HandClock | None = None,
) -> AsyncGenerator[Rig]:
    notes = Notes()
    gateway = Gateway(
        recorder=notes,
        secret=lambda _: secret,
        clock=clock or HandClock(STARTED_AT),
        dice=SeededDice(),
        limits=limits or Limits(),
        egress=egress,
        tls=tls,
        tokens=tokens,
        issuers=issuers,
    )
    if table is not None:
        gateway.use(table)
    made = Rig(gateway, notes, await gateway.start("127.0.0.1", 0))
    try:
        yield made
    finally:
        made.leave()
        await gateway.close()


@contextlib.asynccontextmanager
async def served(behave: Behaviour = answers, *, limits: Limits | None = None) -> AsyncGenerator[tuple[Rig, Provider]]:
    """A gateway with one task on one provider."""
    async with (
        Provider(behave) as provider,
        rig(table_for({"blue": f"http://127.0.0.1:{provider.port}"}), limits=limits) as made,
    ):
        yield made, provider
