"""Rule I7: of several control planes one moves rollouts, and who lost that commits nothing."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from changeover.adapters.memory import HandClock, MemoryStore
from changeover.controller.leadership import LeaderOffice, Leadership
from changeover.controller.office import StoreOffice
from changeover.ports.lease import CONTROLLER, LEASE_S
from changeover.ports.store import LeaseLostError, StoreError
from tests.contract.store_samples import proposing, seeded, split


class Planes:
    """Control planes over one store, each with an office of its own, and a steady clock moved by hand."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = HandClock(1000.0)
        self.offices: list[StoreOffice] = []

    def join(self, holder: str, *, alone: bool = False) -> tuple[Leadership, LeaderOffice]:
        office = StoreOffice(self.store, self.clock)
        self.offices.append(office)
        leadership = Leadership(office, self.clock, holder=holder, alone=alone)
        return leadership, LeaderOffice(office, leadership)


@asynccontextmanager
async def planes() -> AsyncGenerator[Planes]:
    made = Planes()
    try:
        yield made
    finally:
        for office in made.offices:
            await office.close()


def played(scene: Callable[[Planes], Awaitable[None]]) -> None:
    async def play() -> None:
        async with planes() as made:
            await scene(made)

    asyncio.run(play())


def test_the_first_leads_and_the_second_waits() -> None:
    async def scene(made: Planes) -> None:
        (one, _), (other, _) = made.join("one"), made.join("other")
        await one.look(0.0)
        for now in (0.0, 1.0, LEASE_S):
            await other.look(now)
            await one.look(now)
        assert (one.epoch, other.epoch) == (1, None)

    played(scene)


def test_a_leader_that_is_silent_is_followed_by_another_under_the_next_epoch() -> None:
    async def scene(made: Planes) -> None:
        (one, _), (other, _) = made.join("one"), made.join("other")
        await one.look(0.0)
        await other.look(1.0)
        await other.look(1.0 + LEASE_S)
        assert other.epoch is None
        await other.look(1.1 + LEASE_S)
        assert other.epoch == 2

    played(scene)


def test_a_leader_that_slept_through_its_lease_commits_nothing_when_it_wakes() -> None:
    async def scene(made: Planes) -> None:
        (one, its_office), (other, other_office) = made.join("one"), made.join("other")
        await one.look(0.0)
        await its_office.commit(proposing(seeded()))
        await other.look(0.0)
        await other.look(0.1 + LEASE_S)
        with pytest.raises(LeaseLostError, match="epoch 1 is over"):
            await its_office.commit(proposing(split(500)))
        assert one.epoch is None
        with pytest.raises(LeaseLostError, match="does not move rollouts now"):
            await its_office.commit(proposing(split(500)))
        assert made.store.world().revision == 1
        await other_office.commit(proposing(split(100)))
        await one.look(9.0 + LEASE_S)
        assert (one.epoch, other.epoch) == (None, 2)

    played(scene)


def test_a_wall_clock_that_jumps_moves_no_lease() -> None:
    async def scene(made: Planes) -> None:
        (one, _), (other, _) = made.join("one"), made.join("other")
        await one.look(0.0)
        await other.look(0.0)
        made.clock.advance(3600.0)
        await other.look(1.0)
        assert other.epoch is None

    played(scene)


def test_a_restart_leads_again_at_once_under_a_new_epoch() -> None:
    async def scene(made: Planes) -> None:
        first, _ = made.join("one")
        await first.look(0.0)
        again, its_office = made.join("one")
        await again.look(0.0)
        assert again.epoch == 2
        await its_office.commit(proposing(seeded()))

    played(scene)


def test_who_is_alone_leads_whoever_was_there_before() -> None:
    async def scene(made: Planes) -> None:
        one, _ = made.join("one")
        await one.look(0.0)
        copied, _ = made.join("another machine", alone=True)
        await copied.look(0.0)
        assert copied.epoch == 2

    played(scene)


def test_a_lease_that_was_given_back_is_free_at_once() -> None:
    async def scene(made: Planes) -> None:
        (one, _), (other, _) = made.join("one"), made.join("other")
        stop = asyncio.Event()
        led = asyncio.Event()

        async def duty(over: asyncio.Event) -> None:
            led.set()
            await over.wait()

        running = asyncio.create_task(one.run(stop, duty))
        await led.wait()
        await other.look(0.0)
        assert other.epoch is None
        stop.set()
        await running
        assert one.epoch is None
        await other.look(0.0)
        assert other.epoch == 2

    played(scene)


def test_the_duty_ends_when_the_lease_is_lost() -> None:
    async def scene(made: Planes) -> None:
        (one, its_office), (other, _) = made.join("one"), made.join("other")
        stop, ended = asyncio.Event(), asyncio.Event()

        async def duty(over: asyncio.Event) -> None:
            seen = made.store.lease(CONTROLLER)
            assert made.store.take_lease(CONTROLLER, holder="other", seen=seen, expires_at=0.0)
            with pytest.raises(LeaseLostError):
                await its_office.commit(proposing(seeded()))
            await over.wait()
            ended.set()
            stop.set()

        await one.run(stop, duty)
        assert ended.is_set()
        assert one.epoch is None
        assert other.epoch is None
        kept = made.store.lease(CONTROLLER)
        assert kept is not None
        assert (kept.holder, kept.epoch) == ("other", 2)

    played(scene)


def test_a_duty_that_breaks_is_not_hidden() -> None:
    async def scene(made: Planes) -> None:
        one, _ = made.join("one")

        async def duty(over: asyncio.Event) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await one.run(asyncio.Event(), duty)

    played(scene)


def test_a_store_that_is_away_too_long_ends_the_term(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(made: Planes) -> None:
        one, _ = made.join("one")
        await one.look(0.0)

        def away(*_: object, **__: object) -> None:
            raise StoreError("it cannot be reached")

        monkeypatch.setattr(made.store, "renew_lease", away)
        await one.look(LEASE_S)
        assert one.epoch == 1
        await one.look(LEASE_S + 0.1)
        assert one.epoch is None

    played(scene)
