"""What lasts too long is ended by the sweeper; the tests move the time it is told."""

import asyncio
from time import monotonic

import pytest

from changeover.exchange.observation import Outcome
from changeover.gateway.limits import Limits
from tests.integration.gateway.rig import (
    CONTENT,
    STREAM_HEAD,
    STREAM_REQUEST,
    Client,
    Provider,
    Received,
    Rig,
    Wire,
    chunk,
    request,
    says,
    served,
    until,
)

LIMITS = Limits()
SILENT = says(then="wait")


async def received_by(provider: Provider) -> None:
    await until(lambda: provider.received)


@pytest.mark.parametrize(("data", "patience_s"), [(STREAM_REQUEST, LIMITS.first_byte_stream_s), (request(), LIMITS.first_byte_whole_s)])
async def test_a_deployment_that_does_not_begin_to_answer_is_given_up(data: bytes, patience_s: float) -> None:
    async with served(SILENT) as (house, provider):
        client = await house.client()
        await client.send(data)
        await received_by(provider)
        house.gateway.sweep(monotonic() + patience_s - 1)
        assert house.gateway.under_way == 1
        house.gateway.sweep(monotonic() + patience_s + 1)
        answer = await client.answer()
        assert (answer.status, answer.error["code"]) == (504, "first_byte_timeout")
        seen = await house.notes.only()
        assert (seen.outcome, seen.status, seen.error) == (Outcome.FAILED, 504, "first_byte_timeout")


async def test_a_stream_that_falls_silent_ends_in_an_error() -> None:
    async with served(says(STREAM_HEAD, chunk(CONTENT), then="wait")) as (house, _):
        client = await house.client()
        await client.send(STREAM_REQUEST)
        await client.reader.readuntil(CONTENT)
        house.gateway.sweep(monotonic() + LIMITS.chunk_idle_s - 1)
        assert house.gateway.under_way == 1
        house.gateway.sweep(monotonic() + LIMITS.chunk_idle_s + 1)
        said = await client.reader.readuntil(b"0\r\n\r\n")
        assert b'"code":"idle_timeout"' in said
        assert b"[DONE]" not in said
        assert (await house.notes.only()).error == "idle_timeout"


async def test_an_answer_that_never_ends_is_ended() -> None:
    limits = Limits(chunk_idle_s=1e9)
    async with served(says(STREAM_HEAD, chunk(CONTENT), then="wait"), limits=limits) as (house, _):
        client = await house.client()
        await client.send(STREAM_REQUEST)
        await client.reader.readuntil(CONTENT)
        house.gateway.sweep(monotonic() + limits.total_s + 1)
        assert b'"code":"total_timeout"' in await client.reader.readuntil(b"0\r\n\r\n")


async def test_a_caller_that_never_reads_its_stream_is_dropped_and_the_deployment_not_blamed() -> None:
    async def endless(_: Received, wire: Wire) -> None:
        await wire.send(STREAM_HEAD)
        while not wire.writer.is_closing():
            await wire.send(chunk(CONTENT * 1000))

    async with served(endless) as (house, _):
        client = await house.client()
        await client.send(STREAM_REQUEST)
        await client.reader.readuntil(CONTENT)
        for _turn in range(500):
            await asyncio.sleep(0)
        house.gateway.sweep(monotonic() + LIMITS.stall_s + 1)
        seen = await house.notes.only()
        assert (seen.outcome, seen.error, seen.is_error) == (Outcome.LEFT, "caller_left", False)


async def test_a_caller_that_dribbles_its_head_is_refused() -> None:
    async with served() as (house, _):
        client = await house.client()
        await client.send(request()[:30])
        await settled(house)
        house.gateway.sweep(monotonic() + LIMITS.head_s - 1)
        house.gateway.sweep(monotonic() + LIMITS.head_s + 1)
        answer = await client.answer()
        assert (answer.status, answer.error["code"]) == (408, "request_timeout")
        assert await client.rest() == b""
        assert house.notes.observations == []


async def test_a_caller_that_dribbles_its_body_is_refused_and_noted() -> None:
    async with served() as (house, _):
        client = await house.client()
        await client.send(request()[:-3])
        await settled(house)
        house.gateway.sweep(monotonic() + LIMITS.head_s + 1)
        house.gateway.sweep(monotonic() + LIMITS.head_s + LIMITS.body_s + 1)
        assert (await client.answer()).status == 408
        seen = await house.notes.only()
        assert (seen.outcome, seen.error) == (Outcome.REFUSED, "request_timeout")


async def test_an_idle_caller_is_closed_in_silence() -> None:
    async with served() as (house, _):
        client = await house.client()
        assert (await client.ask(request())).status == 200
        house.gateway.sweep(monotonic() + LIMITS.idle_s - 1)
        assert house.gateway.open_callers == 1
        house.gateway.sweep(monotonic() + LIMITS.idle_s + 1)
        assert await client.rest() == b""


async def test_a_refused_caller_that_stays_is_closed() -> None:
    async with served() as (house, _):
        client = await house.client()
        await client.send(b"nonsense\r\n\r\n")
        assert (await client.answer()).status == 400
        assert house.gateway.open_callers == 1
        house.gateway.sweep(monotonic() + LIMITS.linger_s + 1)
        await until(lambda: not house.gateway.open_callers)


async def test_too_many_callers_are_sent_away() -> None:
    async with served(limits=Limits(callers_max=2)) as (house, _):
        first, second = await house.client(), await house.client()
        assert (await first.ask(request())).status == 200
        assert (await second.ask(request())).status == 200
        third: Client = await house.client()
        answer = await third.answer()
        assert (answer.status, answer.error["code"]) == (503, "too_many_connections")
        assert await third.rest() == b""
        assert (await first.ask(request())).status == 200


async def test_the_sweeper_runs_by_itself() -> None:
    async with served(SILENT, limits=Limits(sweep_s=0.01, first_byte_whole_s=0.02)) as (house, _):
        assert (await house.ask(request())).error["code"] == "first_byte_timeout"


async def settled(house: Rig) -> None:
    """Until the gateway has read what was sent."""
    assert await house.lives()
    for _ in range(5):
        await asyncio.sleep(0)
