"""The week is summed up once, whichever server looks, however often it was restarted."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from changeover.adapters.memory import HandClock, MemoryStore
from changeover.controller.office import StoreOffice
from changeover.controller.weekly import LOOK_AGAIN_S, Weekly
from changeover.rollout.week import DAY_S, WEEK_S
from changeover.rollout.world import WeekSummed
from changeover.settings.declared_alert import SummaryMoment
from tests.contract.store_samples import TASK, proposing, seeded

FRIDAY = datetime(2026, 3, 6, 15, tzinfo=UTC).timestamp()
MOMENT = SummaryMoment()


class Stage:
    def __init__(self, store: MemoryStore, clock: HandClock, office: StoreOffice) -> None:
        self.store, self.clock, self.office = store, clock, office
        self.moment = MOMENT
        self.restart()

    def restart(self) -> None:
        self.weekly = Weekly(self.office, self.clock, moment=lambda: self.moment)

    async def look(self) -> int:
        """How many summaries there are now."""
        await self.weekly.look()
        return sum(isinstance(change.body, WeekSummed) for change in self.store.changes())


@asynccontextmanager
async def staged(*, first_start: float) -> AsyncGenerator[Stage]:
    store, clock = MemoryStore(), HandClock(first_start)
    store.commit(proposing(seeded()), at=first_start)
    office = StoreOffice(store, clock)
    yield Stage(store, clock, office)
    await office.close()


def test_it_comes_on_friday_once_also_after_a_restart_and_again_a_week_later() -> None:
    async def check() -> None:
        async with staged(first_start=FRIDAY - 2 * DAY_S) as stage:
            assert await stage.look() == 0
            stage.clock.set(FRIDAY - 1)
            assert await stage.look() == 0
            stage.clock.set(FRIDAY + LOOK_AGAIN_S)
            assert await stage.look() == 1
            stage.restart()
            assert await stage.look() == 1
            stage.clock.set(FRIDAY + WEEK_S + 1)
            assert await stage.look() == 2
            letters = stage.store.letters(10)
            assert [letter.command.topic for letter in letters] == ["summary", "summary"]
            assert TASK in letters[0].command.text

    asyncio.run(check())


def test_a_server_that_was_away_sends_one_when_it_is_back() -> None:
    async def check() -> None:
        async with staged(first_start=FRIDAY - 60 * DAY_S) as stage:
            stage.clock.set(FRIDAY + 2 * DAY_S)
            assert await stage.look() == 1
            assert await stage.look() == 1

    asyncio.run(check())


def test_a_first_start_after_the_moment_waits_for_the_next_one() -> None:
    async def check() -> None:
        async with staged(first_start=FRIDAY + 1) as stage:
            stage.clock.set(FRIDAY + 6 * DAY_S)
            assert await stage.look() == 0
            stage.clock.set(FRIDAY + WEEK_S)
            assert await stage.look() == 1

    asyncio.run(check())


def test_two_servers_send_one() -> None:
    async def check() -> None:
        async with staged(first_start=FRIDAY - DAY_S) as stage:
            other = Weekly(stage.office, stage.clock, moment=lambda: MOMENT)
            stage.clock.set(FRIDAY + 1)
            await asyncio.gather(stage.weekly.look(), other.look())
            assert await stage.look() == 1

    asyncio.run(check())


def test_an_edited_moment_counts() -> None:
    async def check() -> None:
        async with staged(first_start=FRIDAY - DAY_S) as stage:
            stage.moment = SummaryMoment(day=3, minute=18 * 60)
            stage.clock.set(FRIDAY - DAY_S + 3 * 3600 + 1)
            assert await stage.look() == 1

    asyncio.run(check())


def test_an_empty_store_has_no_week() -> None:
    async def check() -> None:
        store, clock = MemoryStore(), HandClock(FRIDAY)
        office = StoreOffice(store, clock)
        await Weekly(office, clock, moment=lambda: MOMENT).look()
        assert list(store.changes()) == []
        await office.close()

    asyncio.run(check())
