"""A table that one control plane commits is served by the others of the same database at once."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from changeover.adapters.memory import HandClock
from changeover.adapters.sql import PostgresBell, open_database
from changeover.controller.office import StoreOffice
from tests.contract.store_samples import CANDIDATE, TASK, proposing, seeded, split
from tests.postgres import Cluster, database_of

COMMITS = 20


@asynccontextmanager
async def following(url: str) -> AsyncGenerator[StoreOffice]:
    office, stop = StoreOffice(open_database(url), HandClock(1000.0)), asyncio.Event()
    ear = asyncio.create_task(office.follow(PostgresBell(url), stop))
    try:
        yield office
    finally:
        stop.set()
        await ear
        await office.close()


def played(url: str, scene: Callable[[StoreOffice, StoreOffice], Awaitable[None]]) -> None:
    async def play() -> None:
        async with following(url) as one, following(url) as other:
            await one.commit(proposing(seeded()))
            await scene(one, other)

    asyncio.run(play())


async def seen_after(office: StoreOffice, revision: int) -> float:
    began = asyncio.get_running_loop().time()
    table = await office.table_after(revision - 1, wait_s=20.0)
    assert table is not None
    assert table.revision >= revision
    return asyncio.get_running_loop().time() - began


def test_a_follower_serves_a_table_as_soon_as_it_is_committed(cluster: Cluster) -> None:
    async def scene(one: StoreOffice, other: StoreOffice) -> None:
        await seen_after(other, 1)
        delays: list[float] = []
        for number in range(COMMITS):
            change = await one.commit(proposing(split(100 + number)))
            delays.append(await seen_after(other, change.revision))
        middle = sorted(delays)[COMMITS // 2]
        sys.stdout.write(f"a follower has the table after {1000 * middle:.1f} ms, at most {1000 * max(delays):.1f} ms\n")
        assert other.table.routes[TASK].candidate == CANDIDATE

    played(cluster.fresh(), scene)


def test_a_bell_that_was_cut_off_is_hung_up_again(cluster: Cluster) -> None:
    url = cluster.fresh()

    async def scene(one: StoreOffice, other: StoreOffice) -> None:
        await seen_after(other, 1)
        lost = f"datname = '{database_of(url)}' AND application_name = 'changeover bell'"
        await asyncio.to_thread(cluster.sql, "postgres", f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {lost}")
        change = await one.commit(proposing(split(500)))
        await seen_after(other, change.revision)

    played(url, scene)


def test_a_table_never_goes_back_for_a_follower(cluster: Cluster) -> None:
    async def scene(one: StoreOffice, other: StoreOffice) -> None:
        for number in range(1, 9):
            await (one if number % 2 else other).commit(proposing(split(100 * number)))
        last = await seen_after(one, 9)
        assert last >= 0
        assert one.table.routes[TASK].candidate_permille == 800
        assert await one.table_after(9, wait_s=0.0) is None

    played(cluster.fresh(), scene)
