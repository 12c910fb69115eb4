"""The side effects that committed changes owe, and how alerts reach people: at least once, by one id, however often tried.

Looking never waits for a destination: each has one delivery under way at a time, in a task of its own. What is known of
each delivery is on disk before and after it, so a server that is killed goes on where it was.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from changeover.controller.retrying import GIVE_UP_S, REST_S_MAX, WAIT_S_MAX, wait_s
from changeover.controller.weekly import Weekly
from changeover.controller.wording import message_of, trial_message
from changeover.ports.alerts import AlertFailedError, Delivery, Destination, DestinationStanding, Letter, Message, Tried
from changeover.ports.clock import Clock
from changeover.ports.dice import Dice
from changeover.ports.office import Office
from changeover.ports.store import Store, StoreError
from changeover.rollout.topics import is_wanted

LETTERS_MAX: Final = 200
"""Alerts that wait. Of more the oldest are given up: a destination that is away for so long needs no old news."""
OLD_S: Final = 2 * GIVE_UP_S
"""An alert that is older than this was never tried in its time: nothing ran."""

log = structlog.get_logger("alerts")


@dataclass(slots=True)
class _Counter:
    """What this server knows of a destination. ``rests_until``: it failed, and is left alone so long. ``known`` are deliveries
    by alert as they ended here: what was read of the store may be from before.
    """

    delivered: int = 0
    given_up: int = 0
    problem: str = ""
    rests_until: float = 0.0
    task: asyncio.Task[None] | None = None
    known: dict[int, Delivery] = field(default_factory=dict[int, Delivery])

    @property
    def is_busy(self) -> bool:
        return self.task is not None and not self.task.done()


class AlertOutbox:
    """Settles commands. ``destinations`` are asked for at each look, so an edited file counts at once; ``address`` is the
    control plane's own, for links. Every alert stands in the log, whoever else hears of it.
    """

    def __init__(
        self,
        office: Office,
        clock: Clock,
        dice: Dice | None = None,
        *,
        destinations: Callable[[], Sequence[Destination]] = tuple,
        address: Callable[[], str] = str,
        weekly: Weekly | None = None,
    ) -> None:
        self._office = office
        self._clock = clock
        self._dice = dice
        self._destinations = destinations
        self._address = address
        self._weekly = weekly
        self._counters: dict[str, _Counter] = {}

    async def turn(self) -> None:
        """Look once: sum up the week if it is over, settle what is done, open what is new, start what is due."""
        if self._weekly is not None:
            await self._weekly.look()
        letters = await self._living(await self._office.read(_settle_and_list))
        self._forget_all_but({letter.identity for letter in letters})
        if not letters:
            return
        declared = {each.name: each for each in self._destinations()}
        opened = [await self._opened(self._newest(letter), declared) for letter in letters]
        now = self._clock.now()
        for name, destination in declared.items():
            self._start(destination, [letter for letter in opened if name in letter.deliveries], now)
        for letter in opened:
            if all(delivery.settled or name not in declared for name, delivery in letter.deliveries.items()):
                await self._office.read(_doing(letter.identity))

    async def quiet(self) -> None:
        """Wait until nothing is under way."""
        await asyncio.gather(*(counter.task for counter in self._counters.values() if counter.task is not None))

    async def close(self) -> None:
        """Break off what is under way. It is owed still, and is tried again after the next start."""
        tasks = [counter.task for counter in self._counters.values() if counter.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def standing(self) -> Sequence[DestinationStanding]:
        """See ``AlertDesk``."""
        letters = await self._office.read(lambda store: store.letters(2 * LETTERS_MAX))
        return [self._standing(each, letters) for each in self._destinations()]

    async def test(self, *, actor: str) -> Sequence[Tried]:
        """See ``AlertDesk``."""
        now = self._clock.now()
        return [await _tried(each, trial_message(actor=actor, now=now, base=self._base(each)), now) for each in self._destinations()]

    async def _living(self, letters: Sequence[Letter]) -> Sequence[Letter]:
        """Those worth keeping, oldest first; the rest is given up."""
        now, spare = self._clock.now(), len(letters) - LETTERS_MAX
        living: list[Letter] = []
        for index, letter in enumerate(letters):
            if index < spare:
                await self._give_up(letter, "too many wait")
            elif now - letter.at > OLD_S:
                await self._give_up(letter, "it is too old")
            else:
                living.append(letter)
        return living

    def _newest(self, letter: Letter) -> Letter:
        """With what is known here of deliveries that ended after the store was read."""
        known = {name: counter.known[letter.identity] for name, counter in self._counters.items() if letter.identity in counter.known}
        return msgspec.structs.replace(letter, deliveries={**letter.deliveries, **known}) if known else letter

    def _forget_all_but(self, identities: set[int]) -> None:
        for counter in self._counters.values():
            counter.known = {identity: delivery for identity, delivery in counter.known.items() if identity in identities}

    async def _opened(self, letter: Letter, declared: dict[str, Destination]) -> Letter:
        """Who is to get it is settled at the first look: a destination that is declared later gets no old news."""
        if letter.deliveries:
            return letter
        log.warning(letter.command.subject, topic=letter.command.topic, text=letter.command.text)
        wanted = {name: Delivery() for name, each in declared.items() if is_wanted(letter.command.topic, each.topics)}
        if wanted:
            await self._note(letter, wanted)
        return msgspec.structs.replace(letter, deliveries=wanted)

    def _start(self, destination: Destination, letters: Sequence[Letter], now: float) -> None:
        """Begin the delivery that has been due longest, unless one is under way: what was never tried comes first."""
        counter = self._counters.setdefault(destination.name, _Counter())
        _bury(counter, destination.name, now)
        if counter.is_busy or not _is_due(counter.rests_until, now):
            return
        open_ones = [(letter.deliveries[destination.name], letter) for letter in letters]
        due = [(delivery.next_at, letter) for delivery, letter in open_ones if not delivery.settled and _is_due(delivery.next_at, now)]
        if due:
            _, letter = min(due, key=lambda found: (found[0], found[1].identity))
            counter.task = asyncio.create_task(self._deliver(destination, letter, counter))

    async def _deliver(self, destination: Destination, letter: Letter, counter: _Counter) -> None:
        before = letter.deliveries[destination.name]
        try:
            await destination.send(message_of(letter, base=self._base(destination)), now=self._clock.now())
        except AlertFailedError as error:
            after = self._after_failure(destination, letter, before, error)
        else:
            counter.delivered += 1
            counter.problem, counter.rests_until = "", 0.0
            after = Delivery(tries=before.tries + 1, settled=True)
        counter.known[letter.identity] = after
        try:
            await self._note(letter, {destination.name: after})
        except StoreError as error:
            counter.rests_until = self._clock.now() + REST_S_MAX
            log.error("the store failed; this alert may be sent again", destination=destination.name, problem=str(error))

    def _after_failure(self, destination: Destination, letter: Letter, before: Delivery, error: AlertFailedError) -> Delivery:
        """Later and later, until it is given up."""
        counter, now = self._counters[destination.name], self._clock.now()
        tries = before.tries + 1
        wait = max(wait_s(tries, self._dice.token() if self._dice else ""), error.retry_after_s or 0.0)
        counter.problem = error.problem
        counter.rests_until = now + max(min(wait, REST_S_MAX), error.retry_after_s or 0.0)
        gives_up = error.final or now + wait - letter.at > GIVE_UP_S
        counter.given_up += gives_up
        say = log.error if gives_up else log.warning
        what = "an alert was given up" if gives_up else "an alert could not be delivered; it will be tried again"
        say(what, destination=destination.name, alert=letter.identity, tries=tries, problem=error.problem)
        return Delivery(tries=tries, next_at=now + wait, settled=gives_up, problem=error.problem)

    async def _give_up(self, letter: Letter, why: str) -> None:
        late = [name for name, delivery in letter.deliveries.items() if not delivery.settled]
        for name in late:
            self._counters.setdefault(name, _Counter()).given_up += 1
        log.error("an alert was given up", problem=why, alert=letter.identity, topic=letter.command.topic, destinations=", ".join(late))
        await self._office.read(_doing(letter.identity))

    async def _note(self, letter: Letter, deliveries: dict[str, Delivery]) -> None:
        await self._office.read(lambda store: store.note_deliveries(letter.identity, deliveries))

    def _base(self, destination: Destination) -> str:
        return destination.link or self._address()

    def _standing(self, destination: Destination, letters: Sequence[Letter]) -> DestinationStanding:
        counter = self._counters.get(destination.name, _Counter())
        mine = [letter.deliveries[destination.name] for letter in letters if destination.name in letter.deliveries]
        return DestinationStanding(
            name=destination.name,
            topics=tuple(destination.topics),
            waiting=sum(not delivery.settled for delivery in mine),
            delivered=counter.delivered,
            given_up=counter.given_up,
            problem=counter.problem,
        )


def _bury(counter: _Counter, name: str, now: float) -> None:
    """A delivery that broke for a reason nobody foresaw is a fault of ours; it must not be repeated at every look."""
    task = counter.task
    if task is None or not task.done() or task.cancelled() or task.exception() is None:
        return
    counter.task, counter.rests_until = None, now + REST_S_MAX
    counter.problem = f"it broke inside ({type(task.exception()).__name__})"
    log.error("a delivery broke inside; it will be tried again", destination=name, problem=counter.problem)


async def _tried(destination: Destination, message: Message, now: float) -> Tried:
    try:
        await destination.send(message, now=now)
    except AlertFailedError as error:
        return Tried(name=destination.name, problem=error.problem)
    return Tried(name=destination.name)


def _settle_and_list(store: Store) -> Sequence[Letter]:
    """Tables are published by being committed: nothing more is owed for them."""
    owed = store.owed(2 * LETTERS_MAX)
    for identity, command in owed:
        if command.kind != "alert":
            store.done(identity)
    return store.letters(2 * LETTERS_MAX) if any(command.kind == "alert" for _, command in owed) else ()


def _doing(identity: int) -> Callable[[Store], None]:
    return lambda store: store.done(identity)


def _is_due(at: float, now: float) -> bool:
    """A moment further away than we ever set one was set by a clock that was put back since."""
    return at <= now or at - now > WAIT_S_MAX
