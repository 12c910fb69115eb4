"""Requests that try a deployment, over real connections: sent as they are, bounded in time and size, told when they fail."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
import trustme

from changeover.adapters.prober import HttpProber
from changeover.adapters.prober.http import ANSWER_BYTES_MAX
from changeover.ports.probing import ProbeAnswer, ProbeCall, ProbeFailedError, ProbeHead
from changeover.versions import Account, Deployment, ModelVersion, SecretReference
from changeover.wire.surface import Ask, Surface

AUTHORITY = trustme.CA()
BODY = b'{"model":"new"}'
CALL = ProbeCall(
    deployment=Deployment(name="new", account="aoai", model=ModelVersion(name="m", version="1")),
    account=Account(name="aoai", kind="azure-openai", endpoint="https://aoai.example", auth=SecretReference(source="none")),
    ask=Ask(Surface.CHAT, b"/chat/completions"),
    body=BODY,
)
LONG_S = 30.0


class Server:
    """Answers every request with ``answer``; ``None`` says nothing. ``requests`` are whole."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.port = 0
        self.handlers: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.current_task()
        assert handler is not None
        self.handlers.add(handler)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head + await reader.readexactly(len(BODY)))
            if self.answer is None:
                await reader.read()
            else:
                writer.write(self.answer)
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def serving(answer: bytes | None, *, tls: bool = False) -> AsyncGenerator[Server]:
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    server = Server(answer)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await asyncio.gather(*server.handlers)


def framed(status: str, body: bytes, *headers: str) -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {status}\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body


async def send(url: str, *, timeout_s: float = LONG_S, tls: ssl.SSLContext | None = None, proxy: str | None = None) -> ProbeAnswer:
    async def head(_: ProbeCall) -> ProbeHead:
        proxy_headers = (("proxy-authorization", "Basic eDp5"),) if proxy else ()
        return ProbeHead(url=url, headers=(("api-key", "k"), ("accept-encoding", "identity")), proxy=proxy, proxy_headers=proxy_headers)

    return await HttpProber(head, tls=tls).send(CALL, timeout_s=timeout_s)


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(story())  # type: ignore[arg-type]


def test_a_request_goes_out_as_it_is_and_its_answer_comes_back_whole() -> None:
    async def story() -> None:
        async with serving(framed("429 Too Many", b'{"error":{}}', "Retry-After-MS: 1500")) as server:
            answer = await send(f"http://127.0.0.1:{server.port}/openai/x?api-version=1")
        assert (answer.status, answer.headers[b"retry-after-ms"], answer.body) == (429, b"1500", b'{"error":{}}')
        (request,) = server.requests
        assert request.startswith(b"POST /openai/x?api-version=1 HTTP/1.1\r\n")
        assert b"\r\napi-key: k\r\n" in request
        assert request.endswith(b"\r\n\r\n" + BODY)

    run(story)


def test_of_a_very_long_answer_only_the_beginning_is_read() -> None:
    async def story() -> None:
        async with serving(framed("200 OK", b"x" * (3 * ANSWER_BYTES_MAX))) as server:
            answer = await send(f"http://127.0.0.1:{server.port}/")
        assert ANSWER_BYTES_MAX <= len(answer.body) < 2 * ANSWER_BYTES_MAX

    run(story)


def test_a_deployment_that_never_answers_is_told_by_name_of_its_time() -> None:
    async def story() -> None:
        async with serving(None) as server:
            with pytest.raises(ProbeFailedError, match=r"did not answer within 0\.2 s") as caught:
                await send(f"http://127.0.0.1:{server.port}/", timeout_s=0.2)
        assert caught.value.kind == "timeout"

    run(story)


def test_an_account_that_cannot_be_reached_is_told_without_the_credential() -> None:
    async def story() -> None:
        async with serving(b"") as server:
            with pytest.raises(ProbeFailedError, match=r"account aoai cannot be reached at https://aoai\.example") as caught:
                await send(f"http://127.0.0.1:{server.port}/")
        assert caught.value.kind == "unreachable"
        with pytest.raises(ProbeFailedError, match="cannot be reached"):
            await send(f"http://127.0.0.1:{server.port}/")

    run(story)


def test_certificates_are_verified() -> None:
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)

    async def story() -> None:
        async with serving(framed("200 OK", b"{}"), tls=True) as server:
            assert (await send(f"https://127.0.0.1:{server.port}/", tls=trusting)).status == 200
            with pytest.raises(ProbeFailedError, match="cannot be reached"):
                await send(f"https://127.0.0.1:{server.port}/")

    run(story)


def test_a_proxy_is_asked_in_its_own_form() -> None:
    async def story() -> None:
        async with serving(framed("200 OK", b"{}")) as server:
            await send("http://away.example:80/v1/chat/completions", proxy=f"http://127.0.0.1:{server.port}")
        (request,) = server.requests
        assert request.startswith(b"POST http://away.example")
        assert b"proxy-authorization: Basic eDp5\r\n" in request.lower().replace(b"basic edp5", b"Basic eDp5")

    run(story)
