"""What is the story? One version at work, a shorter one that is no worse and takes over, a newest one that is worse and goes back."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from changeover.api.answers import CompareAnswer, EventView
from changeover.demo.failure import StoppedShortError
from changeover.demo.scene import Scene
from changeover.demo.watching import Ending, RolloutWatch, phase_words
from changeover.rollout.state import Phase
from changeover.rollout.world import RolloutMoved

TASK: Final = "docstring-summaries"
STABLE: Final = "summariser-prod-v0115"
SHORTER: Final = "summariser-prod-v0601"
NEWEST: Final = "summariser-prod-v0901"
MODEL_OF: Final = {STABLE: "summariser-2026-01-15", SHORTER: "summariser-2026-06-01", NEWEST: "summariser-2026-09-01"}
QUALITY: Final = "quality"
ALONE_REQUESTS: Final = 250
AFTER_REQUESTS: Final = 150
IN_FLIGHT_MAX: Final = 60
"""Answers to requests that were under way when a weight changed may still come from before it."""
_LOOK_S: Final = 0.1


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """One rollout of the story: how it ended, what the comparison said, as data and as the command line shows it."""

    ending: Ending
    comparison: CompareAnswer
    table: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Both chapters and the log of events."""

    promotion: Chapter
    rollback: Chapter
    events: tuple[EventView, ...]
    events_table: str


class Story:
    """Tells the story on a scene where server and application are at work."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.endings: list[Ending] = []

    async def tell(self) -> Told:
        """Raises ``StoppedShortError`` where it takes another course than the one expected."""
        await self._alone()
        promotion = await self._chapter(
            f"2. {SHORTER}: the first sentence, shortened. Fewer tokens; is it no worse?", candidate=SHORTER, expected=Phase.COMPLETED
        )
        await self._check_server_serves(SHORTER)
        rollback = await self._chapter(
            f"3. {NEWEST}: the newest version answers with the last sentence. Truly worse.", candidate=NEWEST, expected=Phase.ROLLED_BACK
        )
        if QUALITY not in rollback.ending.tripped:
            raise StoppedShortError(f"{NEWEST} was rolled back, but not for its quality: {rollback.ending.reason}")
        await self._check_server_serves(SHORTER)
        events = tuple(await self._scene.server.events_after(0))
        _must_be_logged(events, promotion.ending, rollback.ending)
        return Told(promotion=promotion, rollback=rollback, events=events, events_table=await self._scene.command("events"))

    async def _alone(self) -> None:
        self._scene.voice.begin(f"1. {STABLE} serves {TASK} alone")
        served = await self._served_during(ALONE_REQUESTS)
        _must_be_only(served, STABLE)
        self._scene.voice.say(f"{served.total()} answers, all from {MODEL_OF[STABLE]}: the first sentence of each text")

    async def _chapter(self, title: str, *, candidate: str, expected: Phase) -> Chapter:
        self._scene.voice.begin(title)
        watch = RolloutWatch(self._scene, task=TASK)
        await watch.skip_past_events()
        self._scene.voice.say(f"$ changeover rollout start {TASK} --to {candidate}")
        self._scene.voice.show(await self._scene.command("rollout", "start", TASK, "--to", candidate))
        ending = await watch.follow()
        self.endings.append(ending)
        if ending.candidate != candidate or ending.phase is not expected:
            raise StoppedShortError(
                f"{ending.candidate} ended {phase_words(ending.phase)} ({ending.reason}); expected {candidate} {phase_words(expected)}"
            )
        comparison = await self._scene.server.compare(TASK)
        return Chapter(ending=ending, comparison=comparison, table=await self._scene.command("compare", TASK))

    async def _check_server_serves(self, deployment: str) -> None:
        """The table says so, and so do the answers themselves."""
        task = next(task for task in (await self._scene.server.status()).tasks if task.name == TASK)
        if task.stable != deployment or task.percent:
            raise StoppedShortError(
                f"expected {deployment} to serve all of {TASK}; found stable {task.stable}, candidate at {task.percent} %"
            )
        await self._served_during(IN_FLIGHT_MAX)
        served = await self._served_during(AFTER_REQUESTS)
        _must_be_only(served, deployment)
        self._scene.voice.say(f"{deployment} is the stable; the next {served.total()} answers all come from {MODEL_OF[deployment]}")

    async def _served_during(self, answers: int) -> Counter[str]:
        """Which model versions gave the next ``answers`` answers."""
        before = self._scene.traffic.served.copy()
        while (self._scene.traffic.served - before).total() < answers:
            self._scene.check_health()
            await self._scene.pause(_LOOK_S)
        return self._scene.traffic.served - before


def _must_be_logged(events: Sequence[EventView], *endings: Ending) -> None:
    """The log of events must tell of the same endings as the rollouts themselves."""
    logged = {(event.change.rollout, event.change.progress.phase) for event in events if isinstance(event.change, RolloutMoved)}
    for ending in endings:
        if (ending.rollout, ending.phase) not in logged:
            raise StoppedShortError(f"expected the log to say that {ending.rollout} {phase_words(ending.phase)}; found no such event")


def _must_be_only(served: Counter[str], deployment: str) -> None:
    if set(served) != {MODEL_OF[deployment]}:
        raise StoppedShortError(f"expected answers of {MODEL_OF[deployment]} alone; found {dict(served)}")
