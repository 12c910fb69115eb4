"""What happens to a rollout, and why? Follows one through the control API to its end and tells it as it happens."""

from typing import Final

import msgspec

from changeover.api.answers import EventView, RolloutAnswer
from changeover.demo.failure import UndecidedError
from changeover.demo.scene import Scene
from changeover.gates.verdict import Level, SideFigures, Verdict
from changeover.rollout.state import Phase
from changeover.rollout.world import RolloutMoved, RolloutStarted

LOOK_S: Final = 0.25
TELL_S: Final = 4.0


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a rollout ended. ``requests`` by weight in percent counts what the application sent while that weight stood."""

    rollout: str
    candidate: str
    salt: str
    phase: Phase
    reason: str
    tripped: tuple[str, ...]
    requests: dict[str, int]
    seconds: float


class RolloutWatch:
    """Follows one rollout of ``task``."""

    def __init__(self, scene: Scene, *, task: str) -> None:
        self._scene = scene
        self._task = task
        self._told = 0
        self._tell_at = scene.clock() + TELL_S
        self._permille = 0
        self._sent_before = 0
        self._requests: dict[str, int] = {}

    async def skip_past_events(self) -> None:
        """What is in the log already belongs to an earlier chapter."""
        events = await self._scene.server.events_after(self._told)
        self._told = events[-1].revision if events else self._told

    async def follow(self) -> Ending:
        """To the end of the rollout. Raises ``StoppedShortError``."""
        began = self._scene.clock()
        self._sent_before = self._scene.traffic.sent
        while True:
            self._scene.check_health()
            answer = await self._scene.server.rollout(self._task)
            await self._tell_events()
            self._count(answer)
            if answer.rollout.progress.phase.is_final:
                return self._ending(answer, seconds=self._scene.clock() - began)
            self._tell_evidence(answer)
            self._check_patience(answer)
            await self._scene.pause(LOOK_S)

    async def _tell_events(self) -> None:
        for event in await self._scene.server.events_after(self._told):
            self._told = event.revision
            self._scene.voice.say(event_line(event))

    def _count(self, answer: RolloutAnswer) -> None:
        permille = answer.rollout.progress.permille
        if permille != self._permille:
            self._permille = permille
            self._sent_before = self._scene.traffic.sent
        if permille:
            self._requests[f"{permille / 10:g}"] = self._sent

    @property
    def _sent(self) -> int:
        """Requests sent while the present weight stands."""
        return self._scene.traffic.sent - self._sent_before

    def _tell_evidence(self, answer: RolloutAnswer) -> None:
        now = self._scene.clock()
        if now < self._tell_at or not answer.assessment.verdicts:
            return
        self._tell_at = now + TELL_S
        self._scene.voice.say(f"  {self._permille / 10:g} %, {self._sent:,} requests at this weight")
        for verdict in answer.assessment.verdicts:
            self._scene.voice.say(f"    {evidence_line(verdict)}")
        if answer.unmet:
            self._scene.voice.say(f"    not yet: {'; '.join(answer.unmet)}")

    def _check_patience(self, answer: RolloutAnswer) -> None:
        progress = answer.rollout.progress
        if progress.phase is Phase.PAUSED:
            raise UndecidedError(f"the rollout paused: {progress.reason}")
        if self._sent > self._scene.requests_max:
            numbers = "; ".join([*answer.unmet, *(evidence_line(verdict) for verdict in answer.assessment.verdicts)])
            raise UndecidedError(f"no verdict after {self._sent:,} requests at {self._permille / 10:g} %: {numbers}")

    def _ending(self, answer: RolloutAnswer, *, seconds: float) -> Ending:
        rollout = answer.rollout
        return Ending(
            rollout=rollout.id,
            candidate=rollout.candidate,
            salt=rollout.salt,
            phase=rollout.progress.phase,
            reason=rollout.progress.reason,
            tripped=tuple(verdict.criterion for verdict in answer.assessment.verdicts if verdict.tripped),
            requests=dict(self._requests),
            seconds=seconds,
        )


def event_line(event: EventView) -> str:
    """One event of the log as a line: what it was, who did it, and why."""
    match event.change:
        case RolloutStarted(rollout=rollout):
            what = f"rollout {rollout.id} started: {rollout.stable} → {rollout.candidate}, salt {rollout.salt}"
        case RolloutMoved(progress=progress):
            passed = f", passed so far: {', '.join(progress.passed)}" if progress.passed else ""
            what = f"{phase_words(progress.phase)}, candidate at {progress.permille / 10:g} %{passed}"
        case change:
            what = type(change).__name__
    return f"#{event.revision} {what} ({event.actor}: {event.reason})" if event.reason else f"#{event.revision} {what} ({event.actor})"


def evidence_line(verdict: Verdict) -> str:
    """One criterion: what each side shows, and how far the evidence is toward each threshold (log E of log 1/alpha)."""
    figures = f"candidate {_figures(verdict.candidate)}, stable {_figures(verdict.stable)}"
    state = "TRIPPED" if verdict.tripped else str(verdict.decision)
    return f"{verdict.criterion} {state}: {figures}; evidence to pass {_level(verdict.to_pass)}, to roll back {_level(verdict.to_trip)}"


def phase_words(phase: Phase) -> str:
    return phase.replace("_", " ")


def _figures(side: SideFigures) -> str:
    if side.events is not None:
        return f"{side.events} of {side.count:,}"
    return f"{'-' if side.mean is None else f'{side.mean:.3f}'} (n {side.count:,})"


def _level(level: Level) -> str:
    return f"{level.log_e:.1f}/{level.threshold:.1f}"
