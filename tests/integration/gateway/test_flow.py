"""Slow and leaving parties: nothing piles up, nothing hangs, nothing goes on for nobody."""

import asyncio

import pytest

from changeover.exchange.observation import Outcome
from changeover.gateway.caller import Caller
from tests.integration.gateway.houses import endpoint, failing_over
from tests.integration.gateway.rig import (
    ANSWER,
    BODY,
    CONTENT,
    DONE,
    LAST_CHUNK,
    ROLE,
    STREAM_HEAD,
    STREAM_REQUEST,
    Behaviour,
    Provider,
    Received,
    Wire,
    answers,
    chunk,
    request,
    rig,
    says,
    served,
    table_for,
    until,
)
from tests.unit.gateway.wires import HandTransport

PIECE = b'data: {"choices":[{"delta":{"content":"' + b"a" * 60_000 + b'"}}]}\n\n'


async def test_a_caller_that_stops_reading_stops_the_provider_and_then_gets_everything() -> None:
    count, sent = 250, 0

    async def behave(_: Received, wire: Wire) -> None:
        nonlocal sent
        await wire.send(STREAM_HEAD)
        for _number in range(count):
            await wire.send(chunk(PIECE))
            sent += 1
        await wire.send(chunk(DONE) + LAST_CHUNK)

    async with served(behave) as (house, _):
        client = await house.client()
        await client.send(STREAM_REQUEST)
        await until(lambda: sent)
        before = -1
        while sent > before:  # until no more goes out
            before = sent
            for _turn in range(200):
                await asyncio.sleep(0)
        assert 0 < sent < count, "15 MB were taken in for a caller that does not read"
        assert (await client.answer()).body == PIECE * count + DONE


@pytest.mark.parametrize("size", [200_000, 400_000, 900_000, 2_000_000])
async def test_a_connection_that_was_paused_carries_the_next_request(size: int) -> None:
    async def behave(received: Received, wire: Wire) -> None:
        if received.fields.get("seed") == 1:
            long = b'{"text":"%b"}' % (b"a" * (size - 11))
            await wire.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % size)
            for start in range(0, size, 10_000):
                await wire.send(long[start : start + 10_000])
        else:
            await answers(received, wire)

    async with served(behave) as (house, provider):
        slow, other = await house.client(), await house.client()
        for _ in range(3):
            await slow.send(request(b'{"model":"summarise","messages":[],"seed":1}'))
            for _turn in range(30):
                await asyncio.sleep(0)
            assert len((await slow.answer()).body) == size
            assert (await other.ask(request())).body == ANSWER
        assert provider.connections <= 2


async def waiting(_: Received, wire: Wire) -> None:
    await wire.gone()
    wire.close()


@pytest.mark.parametrize(
    ("behave", "seen_by_caller", "outcome"),
    [
        (waiting, b"", Outcome.ABANDONED),
        (says(STREAM_HEAD, chunk(ROLE), then="wait"), ROLE, Outcome.ABANDONED),
        (says(STREAM_HEAD, chunk(ROLE), chunk(CONTENT), then="wait"), CONTENT, Outcome.LEFT),
    ],
    ids=["before the head", "before content", "while content flows"],
)
async def test_a_caller_that_leaves_ends_the_work_for_it(behave: Behaviour, seen_by_caller: bytes, outcome: Outcome) -> None:
    ended = asyncio.Event()

    async def watched(received: Received, wire: Wire) -> None:
        await behave(received, wire)
        wire.open = False
        ended.set()

    async with Provider(watched) as provider, rig(table_for({"blue": f"http://127.0.0.1:{provider.port}"})) as house:
        client = await house.client()
        await client.send(STREAM_REQUEST)
        if seen_by_caller:
            await client.reader.readuntil(seen_by_caller)
        await until(lambda: provider.received)
        client.leave()
        await ended.wait()
        seen = await house.notes.only()
        assert (seen.outcome, seen.error) == (outcome, "caller_left")
        assert seen.served == ("blue" if outcome is Outcome.LEFT else None)
        assert seen.is_error is (outcome is Outcome.ABANDONED)
        assert house.gateway.under_way == 0
        assert await house.lives()


async def test_a_caller_that_leaves_while_we_connect_leaves_nothing_behind() -> None:
    async with served() as (house, provider):
        caller = Caller(house.gateway._dispatch)
        caller.connection_made(HandTransport())
        caller.data_received(request())
        caller.connection_lost(None)
        assert (await house.notes.only()).outcome is Outcome.ABANDONED
        (pool,) = house.gateway.pools
        await until(lambda: pool.idle)
        assert (provider.raw, house.gateway.under_way) == (0, 0)
        assert (await house.ask(request())).status == 200
        assert provider.connections == 1, "the connection was kept for the next"


async def test_a_large_request_reaches_a_slow_provider_whole() -> None:
    body = BODY[:-1] + b',"x":"' + b"a" * 3_000_000 + b'"}'
    async with served() as (house, provider):
        assert (await house.ask(request(body))).status == 200
        assert len(provider.received[0].fields["x"]) == 3_000_000


async def test_a_provider_that_breaks_during_a_long_upload_leaves_its_caller_served() -> None:
    async def breaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(100)
        writer.transport.abort()

    body = BODY[:-1] + b',"x":"' + b"a" * 5_000_000 + b'"}'
    server = await asyncio.start_server(breaks, "127.0.0.1", 0, limit=2000)
    where = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with Provider(answers) as spare, rig(failing_over({"blue": where, "spare": endpoint(spare)})) as house:
        client = await house.client()
        await client.send(request(body) + request())
        for _turn in range(2):
            answer = await client.answer()
            assert (answer.status, answer.body, answer.names[b"x-changeover-deployment"]) == (200, ANSWER, b"spare")
        assert len(spare.received[0].fields["x"]) == 5_000_000
        assert house.gateway.under_way == 0
    server.close()


async def test_a_pipelining_caller_that_does_not_read_is_not_served_ahead() -> None:
    big = b'{"a":"' + b"a" * 200_000 + b'"}'
    reply = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(big), big)
    async with served(says(reply)) as (house, provider):
        client = await house.client()
        client.transport.pause_reading()
        await client.send(request() * 200)
        before = -1
        while len(provider.received) > before:
            before = len(provider.received)
            for _turn in range(200):
                await asyncio.sleep(0)
        assert 0 < before < 100, "40 MB of answers piled up"
        client.transport.resume_reading()
        for _ in range(200):
            assert (await client.answer()).status == 200
