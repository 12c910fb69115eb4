"""Events as they come: what a browser or a script reads from the stream."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgspec
import pytest

from changeover.api.answers import EventView
from changeover.api.serve import ControlServer, listen_tcp
from tests.unit.api.bench import Bench

PATH = "/api/v1/events/stream"


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


@asynccontextmanager
async def serving(bench: Bench) -> AsyncGenerator[tuple[ControlServer, httpx2.AsyncClient]]:
    server = ControlServer(bench.app, listen_tcp("127.0.0.1", 0))
    await server.start()
    async with httpx2.AsyncClient(base_url=server.url, trust_env=False) as client:
        try:
            yield server, client
        finally:
            await server.stop()


async def first(lines: Any, count: int) -> list[str]:
    """So many lines that are not empty."""
    found: list[str] = []
    async for line in lines:
        found += [line] if line else []
        if len(found) == count:
            break
    return found


def test_an_event_has_its_revision_as_id_its_kind_and_its_body(bench: Bench) -> None:
    async def story() -> None:
        async with serving(bench) as (_, client), client.stream("GET", PATH) as reply:
            assert reply.headers["content-type"].startswith("text/event-stream")
            assert reply.headers["cache-control"] == "no-store"
            identity, kind, data = await first(reply.aiter_lines(), 3)
        assert (identity, kind) == ("id: 1", "event: seeded")
        assert msgspec.json.decode(data.removeprefix("data: "), type=EventView).revision == 1

    bench.run(story())


@pytest.mark.parametrize(("query", "headers"), [("?after=1", {}), ("", {"last-event-id": "1"}), ("?after=1", {"last-event-id": "0"})])
def test_it_is_taken_up_where_it_was_left(bench: Bench, query: str, headers: dict[str, str]) -> None:
    bench.start()

    async def story() -> None:
        async with serving(bench) as (_, client), client.stream("GET", PATH + query, headers=headers) as reply:
            assert await first(reply.aiter_lines(), 2) == ["id: 2", "event: rollout_started"]

    bench.run(story())


def test_a_quiet_log_is_told_from_a_dead_server_and_a_stopping_one_ends_it(bench: Bench) -> None:
    async def story() -> None:
        async with serving(bench) as (server, client), client.stream("GET", PATH + "?after=1") as reply:
            lines = reply.aiter_lines()
            assert await first(lines, 1) == [": still there"]
            await server.stop()
            assert not [line async for line in lines if line.startswith("data")]

    bench.run(story())


def test_what_is_committed_meanwhile_comes_at_once(bench: Bench) -> None:
    async def story() -> None:
        async with serving(bench) as (_, client), client.stream("GET", PATH + "?after=1&task=email") as reply:
            lines = reply.aiter_lines()
            await first(lines, 1)
            other = await client.post("/api/v1/tasks/chat/split", json={"weights": {"old": 90, "new": 10}, "reason": "look"})
            assert other.status_code == 200, other.text
            mine = await client.post("/api/v1/tasks/email/split", json={"weights": {"old": 90, "new": 10}, "reason": "look"})
            assert mine.status_code == 200, mine.text
            async with asyncio.timeout(10):
                identity = next(line for line in await first(lines, 1) if line.startswith("id"))
            assert identity == f"id: {mine.json()['revision']}", "others' events are not for whoever follows one task"

    bench.run(story())


def test_an_unknown_task_is_refused_before_anything_streams(bench: Bench) -> None:
    assert bench.get(PATH + "?task=nobody").status_code == 404
