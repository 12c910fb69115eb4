"""Starting, stopping, and what must not be lost in between."""

import asyncio
import socket

import pytest

from changeover.adapters.memory import HandClock, SeededDice
from changeover.exchange.observation import Outcome
from changeover.gateway.server import Gateway, PortTakenError
from tests.integration.gateway.rig import (
    ANSWER,
    CONTENT,
    DONE,
    LAST_CHUNK,
    STREAM_HEAD,
    STREAM_REQUEST,
    Notes,
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


def another() -> Gateway:
    return Gateway(recorder=Notes(), secret=lambda _: None, clock=HandClock(), dice=SeededDice())


async def test_a_port_that_answers_already_is_refused() -> None:
    async with rig() as house:
        for host in ("127.0.0.1", "0.0.0.0"):
            with pytest.raises(PortTakenError, match=f"{house.port}.*choose another"):
                await another().start(host, house.port)


async def test_a_port_shared_by_a_forgotten_process_is_refused() -> None:
    with socket.socket() as forgotten:
        forgotten.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        forgotten.bind(("127.0.0.1", 0))
        forgotten.listen()
        with pytest.raises(PortTakenError):
            await another().start("127.0.0.1", forgotten.getsockname()[1])


async def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(PortTakenError, match=r"192\.0\.2\.1"):
        await another().start("192.0.2.1", 0)


async def test_draining_finishes_what_is_under_way_and_takes_nothing_new() -> None:
    go_on = asyncio.Event()

    async def behave(received: Received, wire: Wire) -> None:
        if received.fields.get("stream"):
            await wire.send(STREAM_HEAD + chunk(CONTENT))
            await go_on.wait()
            await wire.send(chunk(DONE) + LAST_CHUNK)
        else:
            await go_on.wait()
            await answers(received, wire)

    async with served(behave) as (house, provider):
        idle, whole, streaming = await house.client(), await house.client(), await house.client()
        await idle.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET")
        await whole.send(request())
        await streaming.send(STREAM_REQUEST)
        await streaming.reader.readuntil(CONTENT)
        await until(lambda: len(provider.received) == 2)
        draining = asyncio.ensure_future(house.gateway.drain(5.0))
        assert await idle.rest() == b""
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", house.port)
        go_on.set()
        assert (await whole.answer()).body == ANSWER
        assert (await streaming.rest()).endswith(chunk(DONE) + LAST_CHUNK)
        assert await draining
        assert {seen.outcome for seen in await house.notes.count(2)} == {Outcome.ANSWERED}


async def test_a_request_that_is_still_coming_is_answered_while_draining_and_told_to_go() -> None:
    async with served() as (house, _):
        client = await house.client()
        await client.send(request()[:40])
        assert await house.lives()
        draining = asyncio.ensure_future(house.gateway.drain(5.0))
        await asyncio.sleep(0)
        answer = await client.ask(request()[40:])
        assert (answer.status, answer.names[b"connection"]) == (200, b"close")
        house.leave()
        assert await draining


async def test_a_drain_that_takes_too_long_says_so_and_closing_cuts_the_rest() -> None:
    async with served(says(STREAM_HEAD, chunk(CONTENT), then="wait")) as (house, _):
        client = await house.client()
        await client.send(STREAM_REQUEST)
        await client.reader.readuntil(CONTENT)
        assert not await house.gateway.drain(0.01)
        await house.gateway.close()
        assert b"[DONE]" not in await client.rest()
        assert (await house.notes.only()).outcome is Outcome.LEFT
        assert house.gateway.under_way == house.gateway.open_callers == 0


async def test_closing_gives_up_attempts_to_connect() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(8)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        async with rig(table_for({"blue": f"http://127.0.0.1:{listener.getsockname()[1]}"})) as house:
            client = await house.client()
            await client.send(request())
            assert await house.lives()
        assert (await house.notes.only()).outcome is Outcome.ABANDONED
        for filler in fillers:
            filler.close()


async def test_a_deployment_that_left_the_table_finishes_and_then_loses_its_connections() -> None:
    go_on = asyncio.Event()

    async def behave(received: Received, wire: Wire) -> None:
        await go_on.wait()
        await answers(received, wire)
        await wire.gone()
        wire.close()
        left.set()

    left = asyncio.Event()
    async with Provider(behave) as blue, Provider(answers) as green, rig(table_for({"blue": f"http://127.0.0.1:{blue.port}"})) as house:
        client = await house.client()
        await client.send(request())
        await until(lambda: blue.received)
        house.gateway.use(table_for({"green": f"http://127.0.0.1:{green.port}"}, revision=4))
        go_on.set()
        answer = await client.answer()
        assert (answer.status, answer.names[b"x-changeover-deployment"], answer.names[b"x-changeover-revision"]) == (200, b"blue", b"3")
        await left.wait()
        assert (await client.ask(request())).names[b"x-changeover-deployment"] == b"green"


async def test_a_rollback_reaches_the_very_next_request_while_streams_finish() -> None:
    go_on = asyncio.Event()

    async def candidate(_: Received, wire: Wire) -> None:
        await wire.send(STREAM_HEAD + chunk(CONTENT))
        await go_on.wait()
        await wire.send(chunk(DONE) + LAST_CHUNK)

    async with Provider(answers) as blue, Provider(candidate) as green:
        endpoints = {"blue": f"http://127.0.0.1:{blue.port}", "green": f"http://127.0.0.1:{green.port}"}
        async with rig(table_for(endpoints, permille=1000)) as house:
            streaming, client = await house.client(), await house.client()
            await streaming.send(STREAM_REQUEST)
            await streaming.reader.readuntil(CONTENT)
            house.gateway.use(table_for({"blue": endpoints["blue"]}, revision=4))
            assert (await client.ask(request())).names[b"x-changeover-deployment"] == b"blue"
            go_on.set()
            await streaming.reader.readuntil(DONE)
            assert [seen.served for seen in await house.notes.count(2)] == ["blue", "green"]
            assert len(green.received) == 1
