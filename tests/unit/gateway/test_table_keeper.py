"""A data plane serves from the newest fit table it has seen, with or without a control plane."""

import asyncio

import pytest

from changeover.adapters.memory_link import MemoryPlaneLink, MemoryTableCache
from changeover.gateway import table_keeper
from changeover.gateway.table_keeper import BACKOFF_MAX_S, BACKOFF_MIN_S, TableKeeper
from changeover.ports.planes import Acknowledgement, LinkDownError
from changeover.traffic.table import RoutingTable
from tests.unit.gateway.planes import table


class EnoughError(Exception):
    """Ends a loop that runs for ever."""


class ServingPlane:
    """A table keeper on an in-memory link and cache; ``seen`` are the tables its gateway was given."""

    def __init__(self, cached: RoutingTable | None = None) -> None:
        self.link = MemoryPlaneLink()
        self.cache = MemoryTableCache(cached)
        self.seen: list[int] = []
        self.keeper = TableKeeper(plane="p", boot="b", link=self.link, cache=self.cache, on_table=self._on_table)
        self.keeper.load()

    def _on_table(self, new: RoutingTable) -> None:
        assert self.keeper.table is new
        self.seen.append(new.revision)

    @property
    def acknowledged(self) -> list[int]:
        return [each.revision for each in self.link.acknowledgements]

    async def offer(self, new: RoutingTable) -> bool:
        await self.link.publish(new)
        return await self.keeper.step()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_keeper, "POLL_WAIT_S", 0.0)


def test_without_cache_or_control_plane_there_is_no_table() -> None:
    plane = ServingPlane()
    assert (plane.keeper.table, plane.keeper.revision, plane.keeper.connected) == (None, 0, None)


def test_the_cached_table_serves_before_any_control_plane_is_heard() -> None:
    plane = ServingPlane(table(7))
    assert (plane.keeper.revision, plane.seen) == (7, [7])


def test_an_unfit_cached_table_does_not_serve() -> None:
    plane = ServingPlane(table(7, stable="undeclared"))
    assert (plane.keeper.table, plane.seen) == (None, [])


def test_a_newer_table_serves_is_kept_and_is_acknowledged() -> None:
    async def story() -> None:
        plane = ServingPlane(table(3))
        assert await plane.offer(table(5))
        assert (plane.seen, plane.acknowledged) == ([3, 5], [3, 5])
        assert plane.cache.table == table(5)
        assert plane.link.acknowledgements[-1] == Acknowledgement(plane="p", boot="b", revision=5)

    asyncio.run(story())


def test_a_table_is_kept_on_disk_before_it_is_acknowledged() -> None:
    async def story() -> None:
        plane = ServingPlane()
        kept_when_acknowledged: list[int | None] = []
        take = plane.link.acknowledge

        async def acknowledge(acknowledgement: Acknowledgement) -> None:
            kept_when_acknowledged.append(None if plane.cache.table is None else plane.cache.table.revision)
            await take(acknowledgement)

        plane.link.acknowledge = acknowledge
        await plane.offer(table(5))
        assert kept_when_acknowledged == [5]

    asyncio.run(story())


@pytest.mark.parametrize("offered", [4, 5])
def test_a_revision_that_is_not_larger_is_refused(offered: int) -> None:
    async def story() -> None:
        plane = ServingPlane(table(5))

        async def forgetful(revision: int, *, wait_s: float) -> RoutingTable | None:
            return table(offered)

        plane.link.table_after = forgetful
        await plane.keeper.step()
        assert (plane.keeper.revision, plane.seen, plane.acknowledged) == (5, [5], [5])

    asyncio.run(story())


def test_a_table_with_faults_is_refused_and_the_old_one_serves_on(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        plane = ServingPlane(table(5))
        for _ in range(3):
            assert not await plane.offer(table(6, stable="undeclared"))
        assert (plane.keeper.revision, plane.acknowledged, plane.cache.table) == (5, [5], table(5))
        assert await plane.offer(table(7))
        assert plane.seen == [5, 7]

    asyncio.run(story())
    refusals = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(refusals) == 1
    assert "undeclared is not a declared deployment" in refusals[0]


def test_a_table_is_acknowledged_once_while_the_control_plane_stays() -> None:
    async def story() -> None:
        plane = ServingPlane()
        await plane.offer(table(5))
        assert await plane.keeper.step()
        assert plane.acknowledged == [5]

    asyncio.run(story())


def test_after_the_control_plane_was_away_the_table_is_acknowledged_again() -> None:
    async def story() -> None:
        plane = ServingPlane()
        await plane.offer(table(5))
        await plane.link.cut()
        assert not await plane.keeper.step()
        assert (plane.keeper.revision, plane.keeper.connected) == (5, False)
        await plane.link.restore()
        assert await plane.keeper.step()
        assert (plane.acknowledged, plane.keeper.connected) == ([5, 5], True)

    asyncio.run(story())


def test_an_acknowledgement_that_failed_is_made_up_for() -> None:
    async def story() -> None:
        plane = ServingPlane()
        take = plane.link.acknowledge

        async def failing(acknowledgement: Acknowledgement) -> None:
            raise LinkDownError("reset")

        plane.link.acknowledge = failing
        assert not await plane.offer(table(5))
        assert plane.keeper.revision == 5
        plane.link.acknowledge = take
        assert await plane.keeper.step()
        assert plane.acknowledged == [5]

    asyncio.run(story())


def test_pauses_grow_while_the_control_plane_is_away_and_start_small_again() -> None:
    plane = ServingPlane(table(5))
    slept: list[float] = []
    take = plane.link.acknowledge

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 7:
            await plane.link.restore()
            await plane.link.publish(table(6))
        if len(slept) == 8:
            raise EnoughError

    async def then_cut(acknowledgement: Acknowledgement) -> None:
        await take(acknowledgement)
        if acknowledgement.revision == 6:
            await plane.link.cut()

    async def story() -> None:
        plane.link.acknowledge = then_cut
        await plane.link.cut()
        await plane.keeper.run(sleep)

    with pytest.raises(EnoughError):
        asyncio.run(story())
    assert slept == [BACKOFF_MIN_S, 0.2, 0.4, 0.8, 1.6, BACKOFF_MAX_S, BACKOFF_MAX_S, BACKOFF_MIN_S]
    assert (plane.seen, plane.acknowledged) == ([5, 6], [5, 6])


def test_a_waiting_plane_gets_a_new_table_the_moment_it_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_keeper, "POLL_WAIT_S", 60.0)

    async def story() -> None:
        plane = ServingPlane(table(5))
        polling = asyncio.Event()
        poll = plane.link.table_after

        async def noticed(revision: int, *, wait_s: float) -> RoutingTable | None:
            polling.set()
            return await poll(revision, wait_s=wait_s)

        plane.link.table_after = noticed
        waiting = asyncio.create_task(plane.keeper.step())
        await polling.wait()
        await plane.link.publish(table(6))
        assert await waiting
        assert plane.seen == [5, 6]

    asyncio.run(story())


def test_a_start_takes_the_newest_table_before_anybody_is_served_and_acknowledges_it_when_it_serves() -> None:
    async def scenario() -> None:
        plane = ServingPlane(table(7))
        await plane.link.publish(table(8))
        await plane.keeper.catch_up(1.0)
        assert (plane.keeper.revision, plane.seen, plane.acknowledged, plane.keeper.connected) == (8, [7, 8], [], True)
        assert plane.cache.table == table(8)
        await plane.keeper.step()
        assert plane.acknowledged == [8]

    asyncio.run(scenario())


def test_a_start_without_a_control_plane_serves_from_the_cache() -> None:
    async def scenario() -> None:
        plane = ServingPlane(table(7))
        await plane.link.cut()
        await plane.keeper.catch_up(1.0)
        assert (plane.keeper.revision, plane.keeper.connected) == (7, False)

    asyncio.run(scenario())
