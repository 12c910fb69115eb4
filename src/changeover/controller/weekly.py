"""Is a week over, and do people know? Sums it up once, whichever server looks first, also after a restart."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Final

from changeover.ports.clock import Clock
from changeover.ports.office import Office
from changeover.ports.store import Store
from changeover.rollout.digest import PauseWatch, digest_text, digested, sum_up
from changeover.rollout.refusal import NothingToDo
from changeover.rollout.week import WEEK_S, last_moment
from changeover.rollout.world import Change, World
from changeover.settings.declared_alert import SummaryMoment

ACTOR: Final = "controller"
PAGE: Final = 1000
LOOK_AGAIN_S: Final = 60.0
"""The file may name another moment meanwhile."""


class Weekly:
    """Looks whenever it is asked; between two moments that costs nothing. ``moment`` is asked for anew each time."""

    def __init__(self, office: Office, clock: Clock, *, moment: Callable[[], SummaryMoment]) -> None:
        self._office = office
        self._clock = clock
        self._moment = moment
        self._told = (0.0, 0.0)
        """From when to when nothing is due any more."""

    async def look(self) -> None:
        """Commit the summary that is due, with the alert that it owes. After a long absence one is sent, not one a week."""
        now = self._clock.now()
        if self._told[0] <= now < self._told[1]:
            return
        moment = self._moment()
        due = last_moment(now, day=moment.day, minute=moment.minute)
        since = await self._office.read(_known_since)
        if since is not None and since < due:
            watch = await self._watched(since, now)
            text = digest_text(digested(await self._office.read(_world), watch, since=since, until=now))
            with contextlib.suppress(NothingToDo):
                await self._office.commit(lambda world: sum_up(world, text=text, due=due, until=now, actor=ACTOR))
        self._told = (due, min(due + WEEK_S, now + LOOK_AGAIN_S))

    async def _watched(self, since: float, until: float) -> PauseWatch:
        """The whole log, page by page: a pause of this week may have begun long before."""
        watch, after = PauseWatch(since=since, until=until), 0
        while page := await self._office.read(_page_after(after)):
            watch.feed(page)
            after = page[-1].revision
        return watch


def _known_since(store: Store) -> float | None:
    """Since when nobody was told: the last summary, else the store's first change; nothing while it is empty."""
    told = store.world().summed_until
    first = store.changes(limit=1)
    return max(told, first[0].at) if first else None


def _page_after(revision: int) -> Callable[[Store], Sequence[Change]]:
    return lambda store: store.changes(after=revision, limit=PAGE)


def _world(store: Store) -> World:
    return store.world()
