"""A whole gateway process but for the process: table in, requests served, observations out."""

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from changeover.adapters.memory import HandClock, SeededDice
from changeover.adapters.memory_link import MemoryCrashLedger, MemoryPlaneLink, MemorySpool, MemoryTableCache
from changeover.gateway.process import GatewayParts, run_gateway
from changeover.gateway.server import PortTakenError
from tests.integration.gateway.rig import (
    CONTENT,
    STREAM_HEAD,
    STREAM_REQUEST,
    Client,
    Provider,
    answers,
    chunk,
    request,
    says,
    table_for,
    until,
)


@pytest.fixture(autouse=True)
def _thaw():
    """The process settles its memory; this one goes on."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def parts_on(link: MemoryPlaneLink, *, cache: MemoryTableCache | None = None, spool: MemorySpool | None = None) -> GatewayParts:
    return GatewayParts(
        plane="p", boot="b", link=link, cache=cache or MemoryTableCache(), spool=spool or MemorySpool(),
        ledger=MemoryCrashLedger(), clock=HandClock(), dice=SeededDice(), secret=lambda _: "k",
    )  # fmt: skip


@asynccontextmanager
async def running(parts: GatewayParts) -> AsyncGenerator[tuple[int, asyncio.Event, asyncio.Task[None]]]:
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(run_gateway(parts, host="127.0.0.1", port=0, stop=stop, on_ready=ready.set_result))
    try:
        yield await ready, stop, task
    finally:
        stop.set()
        await task


async def connect(port: int) -> Client:
    return Client(*await asyncio.open_connection("127.0.0.1", port))


async def test_a_table_is_acknowledged_served_from_and_what_was_served_is_reported() -> None:
    link = MemoryPlaneLink()
    async with Provider(answers) as provider, running(parts_on(link)) as (port, _, _task):
        client = await connect(port)
        assert (await client.ask(request())).status == 503
        await link.publish(table_for({"blue": f"http://127.0.0.1:{provider.port}"}))
        await until(lambda: link.acknowledgements)
        assert (await client.ask(request())).status == 200
        client.leave()
    assert [acknowledgement.revision for acknowledgement in link.acknowledgements] == [3]
    seen = [observation for batch in link.batches for observation in batch.observations]
    assert [(one.status, one.served) for one in seen] == [(503, None), (200, "blue")]


async def test_a_gateway_without_a_control_plane_serves_from_its_last_table_and_spools() -> None:
    link, spool = MemoryPlaneLink(), MemorySpool()
    await link.cut()
    async with Provider(answers) as provider:
        cache = MemoryTableCache(table_for({"blue": f"http://127.0.0.1:{provider.port}"}))
        async with running(parts_on(link, cache=cache, spool=spool)) as (port, _, _task):
            client = await connect(port)
            assert (await client.ask(request())).status == 200
            client.leave()
    assert [observation.served for batch in spool.batches for observation in batch.observations] == ["blue"]


async def test_a_stop_waits_for_what_is_under_way() -> None:
    link = MemoryPlaneLink()
    async with Provider(says(STREAM_HEAD, chunk(CONTENT), then="wait")) as provider:
        cache = MemoryTableCache(table_for({"blue": f"http://127.0.0.1:{provider.port}"}))
        async with running(parts_on(link, cache=cache)) as (port, stop, task):
            client = await connect(port)
            await client.send(STREAM_REQUEST)
            await client.reader.readuntil(CONTENT)
            stop.set()
            for _ in range(50):
                await asyncio.sleep(0)
            assert not task.done()
            client.leave()
    assert [observation.error for batch in link.batches for observation in batch.observations] == ["caller_left"]


async def test_a_taken_port_ends_the_start_with_the_reason() -> None:
    link = MemoryPlaneLink()
    async with running(parts_on(link)) as (port, _, _task):
        with pytest.raises(PortTakenError, match=str(port)):
            await run_gateway(parts_on(link), host="127.0.0.1", port=port, stop=asyncio.Event(), on_ready=lambda _: None)
