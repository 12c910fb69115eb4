"""A world that plays the other side of the story from a script: every pause of the storyteller is one step of it."""

from collections import Counter
from collections.abc import Callable, Sequence
from io import StringIO

from changeover.api.answers import CompareAnswer, EventView, RolloutAnswer, StatusAnswer, TaskView
from changeover.demo.children import CommandResult
from changeover.demo.scene import Scene
from changeover.demo.story import MODEL_OF, STABLE, TASK
from changeover.demo.voice import Voice
from changeover.gates.criteria import Criteria, EvidenceRules
from changeover.gates.verdict import Assessment, Decision, Level, SampleRatio, SideFigures, Verdict
from changeover.rollout.plan import Plan
from changeover.rollout.state import Phase, Progress, Rollout
from changeover.rollout.world import ChangeBody, RolloutMoved, RolloutStarted

REQUESTS_PER_PAUSE = 100

Script = list[tuple[Phase, int]]
"""A rollout's course: phase and weight in tenths of a percent, one entry a pause."""

PROMOTED: Script = [(Phase.RUNNING, 100)] * 3 + [(Phase.RUNNING, 500)] * 2 + [(Phase.COMPLETED, 1000)]
ROLLED_BACK: Script = [(Phase.RUNNING, 100)] * 4 + [(Phase.ROLLED_BACK, 0)]


def a_verdict(criterion: str, *, tripped: bool = False) -> Verdict:
    return Verdict(
        criterion=criterion,
        decision=Decision.FAIL if tripped else Decision.UNDECIDED,
        tripped=tripped,
        able_to_trip=True,
        worse_inside=False,
        stable=SideFigures(count=900, mean=0.162),
        candidate=SideFigures(count=100, mean=0.097),
        estimate=-0.065,
        low=-0.09,
        high=-0.04,
        method="fake",
        margin="0.02",
        to_pass=Level(log_e=0.5, threshold=3.0),
        to_trip=Level(log_e=5.0, threshold=4.8),
        sentence="a sentence",
    )


class FakeWorld:
    """Server, application and processes in one. ``courses`` holds one script a rollout, in the order in which they are started."""

    def __init__(self, *courses: Script, tripped: str = "quality") -> None:
        self.courses = list(courses)
        self.tripped = tripped
        self.stable = STABLE
        self.active: Rollout | None = None
        self.course: Script = []
        self.events: list[EventView] = []
        self.sent = 0
        self.failed = 0
        self.failures: Sequence[str] = ()
        self.served: Counter[str] = Counter()
        self.now = 0.0
        self.gone: str | None = None
        self.commands: list[tuple[str, ...]] = []
        self.written = StringIO()
        self.on_pause: Callable[[], None] = lambda: None

    def scene(self, *, requests_max: int = 6000) -> Scene:
        return Scene(
            server=self,
            traffic=self,
            processes=self,
            voice=Voice(self.written),
            requests_max=requests_max,
            pause=self.pause,
            clock=lambda: self.now,
        )

    async def pause(self, seconds: float) -> None:
        self.now += seconds
        self.sent += REQUESTS_PER_PAUSE
        self.served[MODEL_OF[self.stable]] += REQUESTS_PER_PAUSE
        self.on_pause()
        if self.active is not None and len(self.course) > 1:
            before, after = self.course.pop(0), self.course[0]
            if after != before:
                self._move(*after)

    def _move(self, phase: Phase, permille: int) -> None:
        assert self.active is not None
        progress = self._progress(phase, permille)
        self._log(RolloutMoved(rollout=self.active.id, event="assessed", progress=progress), reason=f"to {permille}")
        if phase is Phase.COMPLETED:
            self.stable = self.active.candidate

    def _progress(self, phase: Phase, permille: int) -> Progress:
        return Progress(phase=phase, step=0, permille=permille, weight_set_at=0.0, step_entered_at=0.0, reason="as the script says")

    def _log(self, body: ChangeBody, *, reason: str) -> None:
        self.events.append(EventView(revision=len(self.events) + 1, at=self.now, actor="controller", reason=reason, task=TASK, change=body))

    # Processes

    def ended(self) -> str | None:
        return self.gone

    def last_words(self, name: str) -> str:
        return f"the last words of {name}"

    async def run(self, *arguments: str) -> CommandResult:
        self.commands.append(arguments)
        match arguments:
            case ("changeover", "rollout", "start", _, "--to", candidate):
                self._start(candidate)
            case _:
                pass
        return CommandResult(code=0, output=f"output of {' '.join(arguments)}\n", errors="")

    def _start(self, candidate: str) -> None:
        self.course = self.courses.pop(0).copy()
        number = sum(isinstance(event.change, RolloutStarted) for event in self.events) + 1
        self.active = Rollout(
            id=f"r{number}",
            task=TASK,
            attempt=number,
            salt=f"salt{number}",
            stable=self.stable,
            candidate=candidate,
            plan=Plan(steps=(), criteria=Criteria(), evidence=EvidenceRules()),
            started_at=self.now,
            progress=self._progress(*self.course[0]),
        )
        self._log(RolloutStarted(rollout=self.active), reason="by the script")

    # Server

    async def status(self) -> StatusAnswer:
        task = TaskView(
            name=TASK,
            stable=self.stable,
            candidate=None,
            percent=0.0,
            acknowledged=True,
            waiting_for=(),
            failover=(),
            sticky_by=(),
            blocked=(),
            rollout=None,
        )
        return StatusAnswer(revision=1, table_revision=1, now=self.now, gateway=None, tasks=(task,), planes=())

    async def rollout(self, name: str) -> RolloutAnswer:
        assert name == TASK
        return RolloutAnswer(rollout=self._present(), steps=(), waiting_for=(), unmet=("too little yet",), assessment=self._assessment())

    async def compare(self, task: str) -> CompareAnswer:
        assert task == TASK
        return CompareAnswer(rollout=self._present(), active=False, stable_model=None, candidate_model=None, assessment=self._assessment())

    async def events_after(self, revision: int) -> Sequence[EventView]:
        return [event for event in self.events if event.revision > revision]

    def _present(self) -> Rollout:
        assert self.active is not None
        phase, permille = self.course[0]
        return Rollout(
            id=self.active.id,
            task=TASK,
            attempt=self.active.attempt,
            salt=self.active.salt,
            stable=self.active.stable,
            candidate=self.active.candidate,
            plan=self.active.plan,
            started_at=self.active.started_at,
            progress=self._progress(phase, permille),
        )

    def _assessment(self) -> Assessment:
        went_back = self.course[0][0] is Phase.ROLLED_BACK
        return Assessment(
            verdicts=tuple(a_verdict(name, tripped=went_back and name == self.tripped) for name in ("quality", "errors")),
            sample_ratio=SampleRatio(stable=900, candidate=100, level=Level(log_e=0.0, threshold=6.9), alarm=False),
            blocks=3,
            served_s=3.0,
            closed_until=self.now,
        )
