"""Streams: as they come, and never with an end that they did not have."""

import asyncio

import pytest

from changeover.exchange.observation import Outcome, Tokens
from tests.integration.gateway.rig import (
    CONTENT,
    DONE,
    EVENTS,
    FINISH,
    LAST_CHUNK,
    ROLE,
    STREAM_HEAD,
    STREAM_REQUEST,
    USAGE_EVENT,
    Received,
    Wire,
    chunk,
    request,
    says,
    served,
)

ASKED_REQUEST = request(b'{"model":"summarise","messages":[],"stream":true,"stream_options":{"include_usage":true}}')
REQUESTS = pytest.mark.parametrize("asked", [STREAM_REQUEST, ASKED_REQUEST], ids=["usage hidden", "usage asked for"])


@REQUESTS
async def test_each_event_arrives_before_the_next_is_sent(asked: bytes) -> None:
    go_on = asyncio.Semaphore(0)

    async def behave(_: Received, wire: Wire) -> None:
        await wire.send(STREAM_HEAD)
        for event in (*EVENTS, DONE):
            await go_on.acquire()
            await wire.send(chunk(event))
        await wire.send(LAST_CHUNK)

    async with served(behave) as (house, _):
        client = await house.client()
        await client.send(asked)
        await client.reader.readuntil(b"\r\n\r\n")  # the head comes without an event
        for event in (*EVENTS, DONE):
            go_on.release()
            await client.reader.readuntil(event)
        await client.reader.readuntil(LAST_CHUNK)


@REQUESTS
@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize("partial", [b"", FINISH[:40]], ids=["between events", "in an event"])
async def test_a_stream_that_breaks_ends_in_an_error_and_not_in_done(asked: bytes, then: str, partial: bytes) -> None:
    pieces = [STREAM_HEAD, chunk(ROLE), chunk(CONTENT), *([chunk(partial)] if partial else [])]

    async def behave(_: Received, wire: Wire) -> None:
        for piece in pieces:
            await wire.send(piece)
        await go_on.wait()
        await says(then=then)(_, wire)

    go_on = asyncio.Event()
    async with served(behave) as (house, _):
        client = await house.client()
        await client.send(asked)
        await client.reader.readuntil(CONTENT)
        go_on.set()
        said = await client.reader.readuntil(LAST_CHUNK)
        assert said.count(b"data: ") == 1
        assert b'data: {"error":{"message":"Deployment blue: ' in said
        assert b'"code":"upstream_reset"' in said
        assert b"[DONE]" not in said
        seen = await house.notes.only()
        assert (seen.outcome, seen.status, seen.error, seen.served) == (Outcome.FAILED, 200, "upstream_reset", None)
        assert seen.first_token_ms is not None
        assert await house.lives()


@REQUESTS
async def test_a_stream_that_ends_without_done_is_broken_however_cleanly(asked: bytes) -> None:
    async with served(says(STREAM_HEAD + chunk(ROLE) + chunk(CONTENT) + LAST_CHUNK)) as (house, _):
        answer = await house.ask(asked)
        assert answer.body.startswith(ROLE + CONTENT + b'data: {"error":')
        assert b"[DONE]" not in answer.body
        seen = await house.notes.only()
        assert (seen.outcome, seen.error) == (Outcome.FAILED, "upstream_cut")


async def test_a_stream_that_ends_with_its_connection_needs_its_done_too() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    async with served(says(head, *EVENTS, DONE, then="close")) as (house, _):
        assert (await house.ask(STREAM_REQUEST)).body == b"".join(EVENTS) + DONE
        assert (await house.notes.only()).outcome is Outcome.ANSWERED
    async with served(says(head, *EVENTS, then="close")) as (house, _):
        assert b"[DONE]" not in (await house.ask(STREAM_REQUEST)).body
        assert (await house.notes.only()).outcome is Outcome.FAILED


async def test_a_stream_that_breaks_before_its_head_is_an_ordinary_error() -> None:
    async with served(says(b"HTTP/1.1 200 OK\r\ncontent-ty", then="reset")) as (house, _):
        answer = await house.ask(STREAM_REQUEST)
        assert (answer.status, answer.error["code"]) == (502, "upstream_reset")


async def test_an_error_event_of_the_provider_is_passed_on_and_counts() -> None:
    event = b'data: {"error":{"code":"server_overloaded","message":"no"}}\n\n'
    async with served(says(STREAM_HEAD + chunk(ROLE) + chunk(event) + LAST_CHUNK)) as (house, _):
        answer = await house.ask(STREAM_REQUEST)
        assert answer.body == ROLE + event
        seen = await house.notes.only()
        assert (seen.outcome, seen.error) == (Outcome.FAILED, "server_overloaded")


async def test_the_usage_is_read_and_hidden_wherever_the_reads_fall() -> None:
    stream = b"".join(EVENTS) + USAGE_EVENT + DONE
    for cut in range(1, len(stream), 7):
        async with served(says(STREAM_HEAD, chunk(stream[:cut]), chunk(stream[cut:]) + LAST_CHUNK)) as (house, _):
            assert (await house.ask(STREAM_REQUEST)).body == b"".join(EVENTS) + DONE
            seen = await house.notes.only()
            assert (seen.outcome, seen.tokens) == (Outcome.ANSWERED, Tokens(prompt=7, completion=3))


async def test_a_stream_with_a_length_loses_the_length_with_its_usage() -> None:
    stream = b"".join(EVENTS) + USAGE_EVENT + DONE
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncontent-length: %d\r\n\r\n" % len(stream)
    async with served(says(head + stream)) as (house, _):
        client = await house.client()
        assert (await client.ask(STREAM_REQUEST)).body == b"".join(EVENTS) + DONE
        assert (await client.ask(STREAM_REQUEST)).status == 200


async def test_a_compressed_stream_passes_unread() -> None:
    head = STREAM_HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: br\r\n\r\n")
    async with served(says(head + chunk(b"\x0b\x02") + LAST_CHUNK)) as (house, _):
        assert (await house.ask(STREAM_REQUEST)).body == b"\x0b\x02"
        assert (await house.notes.only()).error == "reply_encoded"


@REQUESTS
async def test_many_streams_at_once_each_get_their_own_events(asked: bytes) -> None:
    async def behave(received: Received, wire: Wire) -> None:
        seed = received.fields["seed"]
        await wire.send(STREAM_HEAD)
        for number in range(20):
            await wire.send(chunk(b'data: {"choices":[{"delta":{"content":"%d-%d"}}]}\n\n' % (seed, number)))
            await asyncio.sleep(0)
        await wire.send(chunk(DONE) + LAST_CHUNK)

    async with served(behave) as (house, _):
        body = asked.partition(b"\r\n\r\n")[2]
        clients = [await house.client() for _ in range(30)]
        for number, client in enumerate(clients):
            await client.send(request(body[:-1] + b',"seed":%d}' % number))
        for number, client in enumerate(clients):
            got = (await client.answer()).body
            assert got == b"".join(b'data: {"choices":[{"delta":{"content":"%d-%d"}}]}\n\n' % (number, k) for k in range(20)) + DONE
        assert {seen.outcome for seen in await house.notes.count(30)} == {Outcome.ANSWERED}
