"""Alerts reach whoever asked for them, at least once and by one id, and hold nothing up."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from changeover.adapters.alerts import MemoryDestination
from changeover.adapters.memory import HandClock, MemoryStore, SeededDice
from changeover.controller.office import StoreOffice
from changeover.controller.outbox import LETTERS_MAX, AlertOutbox
from changeover.controller.retrying import FIRST_WAIT_S, GIVE_UP_S, JITTER, LONGEST_WAIT_S, REST_S_MAX, wait_s
from changeover.ports.alerts import AlertFailedError, Message
from changeover.ports.store import StoreError
from changeover.rollout.state import Command
from tests.contract.store_samples import PUBLISH, TASK, proposing, seeded, split

T0 = 1_700_000_000.0


@dataclass
class Post:
    """A store with what it owes, and an outbox over it. ``restart`` is what a server that was killed does next."""

    office: StoreOffice
    store: MemoryStore
    clock: HandClock
    destinations: list[MemoryDestination] = field(default_factory=list[MemoryDestination])
    outbox: AlertOutbox = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.outbox = AlertOutbox(
            self.office, self.clock, SeededDice(1), destinations=lambda: self.destinations, address=lambda: "http://127.0.0.1:8401"
        )

    def owe(self, *texts: str, topic: str = "paused") -> None:
        commands = [Command(kind="alert", subject=TASK, text=text, topic=topic) for text in texts]
        body = split(self.store.world().revision) if self.store.world().revision else seeded()
        self.store.commit(proposing(body, *commands), at=self.clock.now())

    async def turn(self, times: int = 1) -> None:
        for _ in range(times):
            await self.outbox.turn()
            await self.outbox.quiet()


@asynccontextmanager
async def posting(*destinations: MemoryDestination) -> AsyncGenerator[Post]:
    store, clock = MemoryStore(), HandClock(T0)
    office = StoreOffice(store, clock)
    post = Post(office=office, store=store, clock=clock, destinations=list(destinations))
    try:
        yield post
    finally:
        await post.outbox.close()
        await office.close()


def failing(times: int, problem: str = "it answered 500") -> list[AlertFailedError]:
    return [AlertFailedError(problem) for _ in range(times)]


def texts(destination: MemoryDestination) -> list[str]:
    return [message.text for message in destination.sent]


def test_an_alert_reaches_everybody_who_asked_for_its_topic_and_is_then_done() -> None:
    async def check() -> None:
        both, other = MemoryDestination("both"), MemoryDestination("other", topics=("completed",))
        async with posting(both, other) as post:
            post.owe("first", "second")
            await post.turn(3)
            assert (texts(both), texts(other)) == (["first", "second"], [])
            assert list(post.store.owed(10)) == []
            (first, second) = both.sent
            assert first.id != second.id
            assert (first.task, first.at, first.actor, first.why) == (TASK, T0, "somebody", "because")
            assert first.link == f"http://127.0.0.1:8401/api/v1/tasks/{TASK}"
            assert first.rollback == f"changeover rollback {TASK}"

    asyncio.run(check())


def test_without_destinations_alerts_stand_in_the_log_and_tables_are_settled(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def check() -> None:
        async with posting() as post:
            post.store.commit(proposing(seeded(), PUBLISH, Command(kind="alert", subject=TASK, text="look here", topic="drift")), at=T0)
            await post.turn()
            assert list(post.store.owed(10)) == []

    asyncio.run(check())
    assert "look here" in capsys.readouterr().out + caplog.text


def test_a_failure_is_tried_again_later_and_later_under_the_same_id() -> None:
    async def check() -> None:
        destination = MemoryDestination()
        ids: list[str] = []
        send = destination.send

        async def noting(message: Message, *, now: float) -> None:
            ids.append(message.id)
            await send(message, now=now)

        destination.send = noting  # type: ignore[method-assign]
        async with posting(destination) as post:
            destination.failures += failing(2)
            post.owe("news")
            await post.turn(3)
            assert destination.tried == 1, "not before its time"
            post.clock.advance(FIRST_WAIT_S * (1 + JITTER))
            await post.turn(3)
            assert destination.tried == 2
            post.clock.advance(FIRST_WAIT_S * (1 + JITTER))
            await post.turn(3)
            assert destination.tried == 2, "the second wait is longer"
            post.clock.advance(3 * FIRST_WAIT_S * (1 + JITTER))
            await post.turn(2)
            assert texts(destination) == ["news"]
            assert len(set(ids)) == 1
            assert list(post.store.owed(10)) == []

    asyncio.run(check())


def test_a_broken_destination_holds_up_nobody_and_nothing() -> None:
    class Hanging(MemoryDestination):
        async def send(self, message: Message, *, now: float) -> None:
            await super().send(message, now=now)
            await asyncio.Event().wait()

    async def check() -> None:
        hanging, well = Hanging("hanging"), MemoryDestination("well")
        async with posting(hanging, well) as post:
            post.owe("one", "two", "three")
            for _ in range(20):
                await post.outbox.turn()
                await asyncio.sleep(0)
            assert texts(well) == ["one", "two", "three"]
            assert texts(hanging) == ["one"], "one at a time"
            assert len(post.store.letters(10)) == 3

    asyncio.run(check())


def test_what_arrived_before_a_restart_is_not_sent_again_and_the_rest_is() -> None:
    async def check() -> None:
        well, broken = MemoryDestination("well"), MemoryDestination("broken")
        broken.failures += failing(1)
        async with posting(well, broken) as post:
            post.owe("news")
            await post.turn(2)
            post.restart()
            await post.turn(2)
            assert (texts(well), texts(broken)) == (["news"], [])
            post.clock.advance(REST_S_MAX)
            await post.turn(2)
            assert (texts(well), texts(broken)) == (["news"], ["news"])
            assert list(post.store.owed(10)) == []

    asyncio.run(check())


def test_a_delivery_that_is_broken_off_is_made_again_under_the_same_id() -> None:
    async def check() -> None:
        destination = MemoryDestination()
        async with posting(destination) as post:
            post.owe("news")
            real = post.store.note_deliveries
            post.store.note_deliveries = _fails_after(1, real)  # type: ignore[method-assign]
            await post.turn()
            assert texts(destination) == ["news"]
            post.store.note_deliveries = real  # type: ignore[method-assign]
            post.restart()
            await post.turn(2)
            assert texts(destination) == ["news", "news"]
            assert len({message.id for message in destination.sent}) == 1

    asyncio.run(check())


def _fails_after(count: int, real: Callable[..., None]) -> Callable[..., None]:
    calls: list[int] = []

    def note(*arguments: object) -> None:
        calls.append(1)
        if len(calls) > count:
            raise StoreError("the disk is full")
        real(*arguments)

    return note


def test_while_the_store_fails_what_arrived_is_not_sent_in_a_loop() -> None:
    async def check() -> None:
        destination = MemoryDestination()
        async with posting(destination) as post:
            post.owe("news")
            post.store.note_deliveries = _fails_after(1, post.store.note_deliveries)  # type: ignore[method-assign]
            await post.turn(5)
            assert destination.tried == 1

    asyncio.run(check())


def test_a_look_that_read_the_store_before_a_delivery_ended_does_not_send_it_again() -> None:
    async def check() -> None:
        destination = MemoryDestination()
        async with posting(destination) as post:
            post.owe("news")
            await post.outbox.turn()
            before = post.store.letters(10)
            await post.outbox.quiet()
            post.store.letters = lambda limit: before[:limit]  # type: ignore[method-assign]
            await post.turn()
            assert destination.tried == 1

    asyncio.run(check())


def test_a_destination_that_breaks_inside_rests_and_is_not_tried_at_every_look(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(MemoryDestination):
        async def send(self, message: Message, *, now: float) -> None:
            await super().send(message, now=now)
            raise OverflowError("sEcReT")

    async def check() -> None:
        broken, well = Broken("broken"), MemoryDestination("well")
        async with posting(broken, well) as post:
            post.owe("news")
            for _ in range(5):
                await post.outbox.turn()
                await asyncio.gather(post.outbox.quiet(), return_exceptions=True)
            assert (broken.tried, texts(well)) == (1, ["news"])
            assert [each.problem for each in await post.outbox.standing()] == ["it broke inside (OverflowError)", ""]
            post.clock.advance(3 * GIVE_UP_S)
            await post.outbox.turn()
            assert list(post.store.owed(10)) == [], "nothing is owed for ever"

    asyncio.run(check())
    assert "sEcReT" not in capsys.readouterr().out + caplog.text


def test_after_a_day_an_alert_is_given_up_and_others_still_arrive(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def check() -> None:
        destination = MemoryDestination()
        destination.failures += failing(100)
        async with posting(destination) as post:
            post.owe("old news")
            while post.store.letters(10):
                assert post.clock.now() - T0 <= GIVE_UP_S + LONGEST_WAIT_S
                await post.turn()
                post.clock.advance(600)
            assert 20 < destination.tried < 40
            (standing,) = await post.outbox.standing()
            assert (standing.given_up, standing.waiting, standing.problem) == (1, 0, "it answered 500")
            destination.failures.clear()
            post.owe("new")
            post.clock.advance(REST_S_MAX)
            await post.turn(2)
            assert texts(destination) == ["new"]

    asyncio.run(check())
    assert "given up" in capsys.readouterr().out + caplog.text


def test_a_destination_that_wants_no_more_of_it_is_not_asked_again() -> None:
    async def check() -> None:
        destination = MemoryDestination()
        destination.failures.append(AlertFailedError("it answered 410", final=True))
        async with posting(destination) as post:
            post.owe("news")
            await post.turn(3)
            assert (destination.tried, list(post.store.owed(10))) == (1, [])

    asyncio.run(check())


def test_a_destination_that_asks_for_time_gets_it() -> None:
    async def check() -> None:
        destination = MemoryDestination()
        destination.failures.append(AlertFailedError("it answered 429", retry_after_s=1800.0))
        async with posting(destination) as post:
            post.owe("first", "second")
            await post.turn(2)
            post.clock.advance(1799)
            await post.turn(2)
            assert destination.tried == 1
            post.clock.advance(2)
            await post.turn(3)
            assert sorted(texts(destination)) == ["first", "second"]

    asyncio.run(check())


def test_an_alert_that_one_destination_chokes_on_does_not_keep_the_next_from_it() -> None:
    class Choking(MemoryDestination):
        async def send(self, message: Message, *, now: float) -> None:
            if message.text == "poison":
                raise AlertFailedError("it answered 400")
            await super().send(message, now=now)

    async def check() -> None:
        destination = Choking()
        async with posting(destination) as post:
            post.owe("poison", "news")
            for _ in range(3):
                await post.turn()
                post.clock.advance(FIRST_WAIT_S)
            assert texts(destination) == ["news"]

    asyncio.run(check())


def test_a_clock_that_is_put_back_does_not_hold_alerts_for_years() -> None:
    async def check() -> None:
        destination = MemoryDestination()
        destination.failures += failing(1)
        async with posting(destination) as post:
            post.owe("news")
            await post.turn(2)
            post.clock.advance(-365 * 86_400)
            await post.turn(2)
            assert texts(destination) == ["news"]

    asyncio.run(check())


def test_a_destination_declared_later_gets_no_old_news_and_one_taken_out_is_waited_for_no_more() -> None:
    async def check() -> None:
        broken, late = MemoryDestination("broken"), MemoryDestination("late")
        broken.failures += failing(10)
        async with posting(broken) as post:
            post.owe("old")
            await post.turn(2)
            post.destinations.append(late)
            post.owe("new")
            await post.turn(3)
            assert texts(late) == ["new"]
            post.destinations.remove(broken)
            await post.turn(2)
            assert list(post.store.owed(10)) == []

    asyncio.run(check())


def test_of_too_many_the_oldest_are_given_up() -> None:
    async def check() -> None:
        broken = MemoryDestination("broken")
        broken.failures += failing(10_000)
        async with posting(broken) as post:
            post.owe(*(str(number) for number in range(LETTERS_MAX + 5)))
            await post.turn(2)
            waiting = [letter.command.text for letter in post.store.letters(1000)]
            assert (len(waiting), waiting[0]) == (LETTERS_MAX, "5")

    asyncio.run(check())


def test_a_test_message_is_sent_to_everybody_once_and_says_what_came_of_it() -> None:
    async def check() -> None:
        well, broken = MemoryDestination("well", topics=("drift",)), MemoryDestination("broken")
        broken.failures += failing(1)
        async with posting(well, broken) as post:
            results = await post.outbox.test(actor="anna")
            assert [(each.name, each.problem) for each in results] == [("well", ""), ("broken", "it answered 500")]
            assert well.sent[0].topic == "test"
            assert list(post.store.owed(10)) == []

    asyncio.run(check())


def test_a_destination_with_a_link_of_its_own_gets_that() -> None:
    async def check() -> None:
        destination = MemoryDestination(link="https://changeover.example.com")
        async with posting(destination) as post:
            post.owe("news")
            await post.turn()
            assert destination.sent[0].link == f"https://changeover.example.com/api/v1/tasks/{TASK}"

    asyncio.run(check())


@pytest.mark.parametrize("token", ["", "0" * 32, "f" * 32])
def test_waits_grow_to_a_limit_and_chance_makes_them_longer_only(token: str) -> None:
    waits = [wait_s(tries, token) for tries in range(1, 60)]
    assert waits == sorted(waits)
    assert all(wait <= LONGEST_WAIT_S * (1 + JITTER) for wait in waits)
    assert FIRST_WAIT_S <= waits[0] <= FIRST_WAIT_S * (1 + JITTER)
