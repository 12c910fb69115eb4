"""A provider that does as each request says: `python -m benchmarks.sse_provider` prints its port and ends with its standard input.

The request's field ``bench`` is an object, all of it optional: ``events`` and ``gap_ms`` of a stream, ``cut`` (break the
stream off in its middle), ``status`` (refuse), ``bytes`` (of content in a whole answer), ``response`` (answer as the
responses API does). It records nothing.
"""

import asyncio
import sys
from asyncio import BaseTransport, TimerHandle, Transport
from itertools import count
from typing import Final, cast

import msgspec
import uvloop

USAGE: Final = b'"usage":{"prompt_tokens":400,"completion_tokens":60,"total_tokens":460}'
SAFE: Final = b'{"hate":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}'
STREAM_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END: Final = b"\r\n\r\n"
_numbers: Final = count()


class Order(msgspec.Struct, kw_only=True):
    """What one request wants done."""

    events: int = 12
    gap_ms: float = 500.0
    cut: bool = False
    status: int = 200
    bytes: int = 700
    response: bool = False


class Body(msgspec.Struct, kw_only=True):
    model: str = ""
    stream: bool = False
    bench: Order = msgspec.field(default_factory=Order)


_BODY: Final = msgspec.json.Decoder(Body)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(identity: int, choices: bytes, extra: bytes = b"") -> bytes:
    return b'data: {"id":"chatcmpl-%d","object":"chat.completion.chunk","model":"gpt-4o-2024-11-20","choices":[%b]%b}\n\n' % (
        identity,
        choices,
        extra,
    )


def whole(order: Order) -> bytes:
    if order.status != 200:
        body = b'{"error":{"code":"Bench","message":"as told"}}'
    elif order.response:
        body = (
            b'{"id":"resp_%032d","object":"response","status":"completed","model":"gpt-4o-2024-11-20","output":[],'
            b'"usage":{"input_tokens":400,"output_tokens":60}}' % next(_numbers)
        )
    else:
        body = (
            b'{"id":"chatcmpl-%d","object":"chat.completion","model":"gpt-4o-2024-11-20","choices":[{"index":0,"finish_reason":"stop",'
            b'"message":{"role":"assistant","content":"%b"},"content_filter_results":%b}],%b}'
            % (next(_numbers), b"a" * order.bytes, SAFE, USAGE)
        )
    return b"HTTP/1.1 %d Told\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (order.status, len(body), body)


class Connection(asyncio.Protocol):
    """One connection of the gateway; requests come one after the other."""

    def __init__(self) -> None:
        self._held = b""
        self._transport: Transport | None = None
        self._timer: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast("Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, end, rest = self._held.partition(END)
        if not end:
            return
        at = head.lower().find(b"content-length:")
        length = int(head[at + 15 :].partition(b"\r\n")[0]) if at >= 0 else 0
        if len(rest) < length:
            return
        self._held = rest[length:]
        self._answer(_BODY.decode(rest[:length]))

    def _answer(self, body: Body) -> None:
        assert self._transport is not None
        order = body.bench
        if not body.stream or order.status != 200:
            self._transport.write(whole(order))
            return
        identity = next(_numbers)
        self._transport.write(STREAM_HEAD + chunk(event(identity, b'{"index":0,"delta":{"role":"assistant","content":""}}')))
        self._next(order, identity, 0)

    def _later(self, order: Order, identity: int, number: int) -> None:
        self._timer = asyncio.get_running_loop().call_later(order.gap_ms / 1000, self._next, order, identity, number)

    def _next(self, order: Order, identity: int, number: int) -> None:
        if self._transport is None:
            return
        if order.cut and number == order.events // 2:
            self._transport.abort()
        elif number < order.events:
            self._transport.write(chunk(event(identity, b'{"index":0,"delta":{"content":" word"},"content_filter_results":%b}' % SAFE)))
            self._later(order, identity, number + 1)
        else:
            last = event(identity, b'{"index":0,"delta":{},"finish_reason":"stop"}')
            self._transport.write(chunk(last) + chunk(event(identity, b"", b"," + USAGE)) + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)  # until whoever started it lets go
    server.close()


def main() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())


if __name__ == "__main__":
    main()
