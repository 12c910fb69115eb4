"""Whatever people and the controller do in whatever order, the rules hold at every revision, and the log rebuilds it.

Random walks end early: most rollouts are soon rolled back. So ``dwell_then_pass`` walks on purpose, and the test asserts
afterwards that the interesting states were reached.
"""

from collections import Counter
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from changeover.gates.criteria import Criteria, ErrorsCriterion, QualityCriterion
from changeover.gates.verdict import Assessment, Decision, SideFigures, Verdict
from changeover.rollout.commands import (
    NothingToDo,
    Order,
    Refusal,
    RolloutRequest,
    approve,
    move,
    override,
    pause,
    promote,
    release,
    resume,
    retry,
    roll_back,
    set_split,
    start_rollout,
)
from changeover.rollout.plan import NO_BAKE, AnalysisStep, ApproveStep, Bake, PauseStep, Plan, Step, WeightStep
from changeover.rollout.role import Role
from changeover.rollout.state import (
    Acknowledged,
    Assessed,
    Event,
    Overridden,
    Phase,
    Promote,
    Resume,
    RetentionPassed,
    RollBack,
    Rollout,
    Started,
    Supersede,
)
from changeover.rollout.world import Change, Proposal, World, apply, routing_table
from changeover.traffic.assignment import assign
from changeover.traffic.table import Route, Side, table_faults
from tests.unit.rollout.builders import (
    BLOCK_S,
    BLOCKS_MIN,
    STEPS,
    T0,
    alarming,
    assessment,
    change_of,
    next_event,
    passing,
    plan,
    seeded,
    tripping,
    undecided,
    verdict,
)

TASKS = st.sampled_from(["email", "chat"])
DEPLOYMENTS = st.sampled_from(["old", "new", "other"])
UNITS = [f"conversation {number}" for number in range(24)]
ORDER = Order(actor="ana", reason="because")
MISSING_SHARE_MAX = 0.05

SHORT: tuple[Step, ...] = (WeightStep(permille=500), AnalysisStep(require="pass", duration_max_s=600.0), WeightStep(permille=1000))
LONG: tuple[Step, ...] = (WeightStep(permille=10), AnalysisStep(require="no_harm", duration_min_s=200.0), *STEPS)
PEOPLE: tuple[Step, ...] = (
    WeightStep(permille=100),
    AnalysisStep(require="no_harm"),
    PauseStep(),
    WeightStep(permille=500),
    AnalysisStep(require="pass", duration_max_s=3600.0, on_undecided="rollback"),
    ApproveStep(roles=("owner",)),
    PauseStep(duration_s=120.0),
    WeightStep(permille=1000),
)
BAKES = [NO_BAKE, Bake(duration_s=600.0, holdback_permille=50), Bake(duration_s=60.0), Bake(duration_s=6000.0, holdback_permille=200)]
BOTH = Criteria(quality=QualityCriterion(score="rating"), errors=ErrorsCriterion())
ERRORS_ONLY = Criteria(errors=ErrorsCriterion(), left_out={"quality": "no source"})
PLANS = st.builds(
    plan,
    st.sampled_from([STEPS, STEPS, SHORT, LONG, PEOPLE]),
    st.sampled_from([BOTH, ERRORS_ONLY]),
    bake=st.sampled_from(BAKES),
    retain_s=st.sampled_from([None, 0.0, 5000.0]),
)
GATES = st.sampled_from([("quality",), ("errors",), ("errors", "dwell"), ("dwell",), ("quality", "errors", "dwell")])

LATE: tuple[Event, ...] = (
    RollBack(reason="late"),
    Resume(),
    Started(),
    Promote(actor="ana", reason="late", gates=("dwell",)),
    Overridden(gates=("dwell",), actor="ana", reason="late"),
    Supersede(by="x"),
)
"""What may come when all is decided."""

RARELY = st.sampled_from([False, False, True])
"""Else nothing lives long enough to be interesting."""

VERDICTS = st.builds(
    verdict,
    st.sampled_from(["quality", "errors"]),
    st.sampled_from([Decision.PASS, Decision.PASS, Decision.UNDECIDED, Decision.FAIL]),
    tripped=st.sampled_from([False] * 24 + [True]),
    able_to_trip=st.booleans(),
    problems=st.sampled_from([(), (), ("scores are late",)]),
    missing=st.sampled_from([0, 49, 50, 400]),
)

reached: Counter[str] = Counter()


def oracle_missing(figures: SideFigures) -> bool:
    return figures.missing >= MISSING_SHARE_MAX * (figures.count + figures.missing)


def oracle_gate(require: str, found: Verdict) -> bool:
    if found.problems or found.tripped or found.decision is Decision.FAIL:
        return False
    if require == "pass":
        return found.decision is Decision.PASS
    ready = found.decision is Decision.PASS or found.able_to_trip
    return ready and not oracle_missing(found.stable) and not oracle_missing(found.candidate)


def proof_index(rollout: Rollout) -> int:
    """The analysis that it stands on, or waits behind; where it stands on a weight, that."""
    index = rollout.progress.step
    while isinstance(rollout.plan.steps[index], ApproveStep | PauseStep):
        index -= 1
    return index


def waived(rollout: Rollout) -> set[str]:
    """Whatever somebody has answered for, at this step, at the analysis that it waits behind, or for good."""
    progress = rollout.progress
    named = {gate for one in progress.overrides if proof_index(rollout) <= one.step <= progress.step for gate in one.gates}
    return named | ({*progress.finishing.gates} if progress.finishing else set())


def oracle_dwelt(rollout: Rollout, found: Assessment, *, seconds: float, blocks: int) -> bool:
    """Who finishes needs a block of this weight, whoever answers for the dwell needs nothing. A bake asks for no new units."""
    if "dwell" in waived(rollout):
        return True
    if rollout.progress.finishing:
        return found.blocks >= 1 if blocks else found.served_s >= BLOCK_S
    return found.blocks >= blocks and found.served_s >= seconds


def gates_of(rollout: Rollout) -> list[str]:
    return ["errors"] if rollout.plan.criteria.quality is None else ["errors", "quality"]


def oracle_fresh(rollout: Rollout, found: Assessment) -> bool:
    """The evidence is of this weight, since it was served everywhere, and nothing speaks of harm or of a broken draw."""
    acknowledged_at = rollout.progress.acknowledged_at
    return (
        acknowledged_at is not None
        and found.closed_until - found.served_s >= acknowledged_at - 0.01
        and not found.sample_ratio.alarm
        and not any(one.tripped for one in found.verdicts)
    )


def oracle_met(rollout: Rollout, found: Assessment, step: AnalysisStep) -> bool:
    """The requirement in the words of the rules, written apart from the code under test."""
    asked = [gate for gate in gates_of(rollout) if gate not in waived(rollout)]
    require = "pass" if rollout.progress.finishing else step.require
    return (
        oracle_fresh(rollout, found)
        and oracle_dwelt(rollout, found, seconds=step.duration_min_s, blocks=BLOCKS_MIN)
        and {*asked} <= {one.criterion for one in found.verdicts}
        and all(oracle_gate(require, one) for one in found.verdicts if one.criterion in asked)
    )


def oracle_baked(rollout: Rollout, found: Assessment) -> bool:
    """The candidate may be trusted: the whole bake was served without harm, or somebody answers for the rest of it."""
    proof = len(rollout.plan.steps) - 2
    while not isinstance(rollout.plan.steps[proof], AnalysisStep):
        proof -= 1
    answered = waived(rollout) | {gate for one in rollout.progress.overrides if one.step >= proof for gate in one.gates}
    asked = [one for one in found.verdicts if one.criterion in gates_of(rollout) and one.criterion not in answered]
    dwelt = oracle_dwelt(rollout, found, seconds=rollout.plan.bake.duration_s, blocks=0)
    proven = all(oracle_gate("pass", one) for one in asked) if rollout.progress.finishing else True
    unharmed = all(not one.problems and one.decision is not Decision.FAIL for one in asked)
    return oracle_fresh(rollout, found) and dwelt and proven and unharmed


def almost_passing(rollout: Rollout, gap: str) -> Assessment:
    """Evidence that a requirement would be met on, but for the gap."""
    errors = {
        "undecided": (verdict("errors", Decision.UNDECIDED),),
        "not able to trip": (verdict("errors", Decision.UNDECIDED, able_to_trip=False),),
        "failed": (verdict("errors", Decision.FAIL),),
        "problems": (verdict("errors", problems=("late",)),),
        "missing": (verdict("errors", missing=50),),
        "no verdict": (),
    }
    found = passing(rollout).assessment
    match gap:
        case "too few blocks":
            return msgspec.structs.replace(found, blocks=BLOCKS_MIN - 1)
        case "too old":
            return msgspec.structs.replace(found, closed_until=found.closed_until - 1.0)
        case _:
            return msgspec.structs.replace(found, verdicts=(verdict("quality"), *errors[gap]))


GAPS = st.sampled_from(["undecided", "not able to trip", "failed", "problems", "missing", "no verdict", "too few blocks", "too old"])


class ControlPlane(RuleBasedStateMachine):
    """A world under people and a controller. Every commit is checked against the rules."""

    world = World()
    replayed = World()
    now = T0
    names = 0
    dead_salts: frozenset[str] = frozenset()
    proven: frozenset[str] = frozenset()
    stale: tuple[Assessed, ...] = ()

    @initialize(email=st.integers(0, 5), chat=st.integers(0, 9), of=PLANS)
    def seed(self, email: int, chat: int, of: Plan) -> None:
        """Each task begins somewhere along its happy path."""
        self.world = seeded()
        self.replayed = seeded()
        self.start(task="email", candidate="new", of=plan())
        self.dwell_then_pass(task="email", stretches=email)
        self.start(task="chat", candidate="new", of=of)
        self.dwell_then_pass(task="chat", stretches=chat)

    # What people do.

    @rule(task=TASKS, candidate=DEPLOYMENTS, of=PLANS)
    def start(self, task: str, candidate: str, of: Plan) -> None:
        self.names += 1
        request = RolloutRequest(task=task, candidate=candidate, plan=of, id=f"r{self.names}", salt=f"s{self.names}")
        is_blocked = (self.world.tasks[task].stable, candidate) in self.world.tasks[task].blocked
        took = self._ask(lambda world: start_rollout(world, request, order=ORDER, now=self.now))
        assert not (took and is_blocked), "a blocked pair was started"

    @rule(task=TASKS, candidate=DEPLOYMENTS, permille=st.sampled_from([0, 50, 500, 999, 1000]))
    def split(self, task: str, candidate: str, permille: int) -> None:
        self.names += 1
        stable, active = self.world.tasks[task].stable, self.world.tasks[task].rollout
        weights = {stable: 1000 - permille, candidate: permille} if candidate != stable else {stable: 1000}
        took = self._ask(lambda world: set_split(world, task=task, weights=weights, salt=f"s{self.names}", order=ORDER))
        assert not (took and active), "I6: a split was set while a rollout is active"

    @rule(task=TASKS, is_meant=RARELY)
    def go_back(self, task: str, is_meant: bool) -> None:
        if not is_meant:
            return
        before = self.world
        has_candidate = routing_table(before).routes[task].candidate is not None
        took = self._ask(lambda world: roll_back(world, task=task, actor="ana", reason="by hand", now=self.now))
        assert took or not has_candidate, "I1: rolling back works from every state with a candidate"
        assert routing_table(self.world).routes[task].candidate is None
        if took and not has_candidate:
            promoted = (self.world.tasks[task].stable, before.tasks[task].stable)
            assert promoted in self.world.tasks[task].blocked, "only a promotion is undone, and what was promoted is blocked"

    @rule(task=TASKS)
    def pause(self, task: str) -> None:
        self._ask(lambda world: pause(world, task=task, order=ORDER, now=self.now))

    @rule(task=TASKS)
    def resume(self, task: str) -> None:
        self._ask(lambda world: resume(world, task=task, order=ORDER, now=self.now))

    @rule(task=TASKS, candidate=DEPLOYMENTS)
    def release(self, task: str, candidate: str) -> None:
        self._ask(lambda world: release(world, task=task, candidate=candidate, order=ORDER))

    @rule(task=TASKS, role=st.sampled_from(Role))
    def approve(self, task: str, role: Role) -> None:
        rollout = self._active(task)
        took = self._ask(lambda world: approve(world, task=task, order=ORDER, role=role, now=self.now))
        assert not took or (rollout is not None and role is Role.OWNER), "the step wants an owner"

    @rule(task=TASKS, gates=GATES)
    def override(self, task: str, gates: tuple[str, ...]) -> None:
        before = routing_table(self.world)
        self._ask(lambda world: override(world, task=task, gates=gates, order=ORDER, now=self.now))
        assert routing_table(self.world) == before, "a word alone moves no traffic"

    @rule(task=TASKS, without=st.one_of(st.just(()), GATES))
    def promote(self, task: str, without: tuple[str, ...]) -> None:
        before = routing_table(self.world)
        took = self._ask(lambda world: promote(world, task=task, order=ORDER, now=self.now, without=without))
        assert routing_table(self.world) == before, "a word alone moves no traffic"
        assert not (took and before.routes[task].candidate_permille == 0), "nothing clears a rollback"

    @rule(task=TASKS)
    def retry(self, task: str) -> None:
        self.names += 1
        last = max((one for one in self.world.rollouts.values() if one.task == task), key=lambda one: one.attempt, default=None)
        took = self._ask(
            lambda world: retry(world, task=task, rollout_id=f"r{self.names}", salt=f"s{self.names}", order=ORDER, now=self.now)
        )
        if took and last is not None:
            again = self.world.rollouts[f"r{self.names}"]
            assert (again.plan, again.candidate, again.attempt) == (last.plan, last.candidate, again.attempt)
            assert again.attempt > last.attempt, "its own draw and its own evidence"
            assert again.progress.passed == ()
            assert self.world.rollouts[last.id].progress.phase.absorbs or last.progress.phase is Phase.ROLLING_BACK
            reached["retried"] += 1

    # What the controller does.

    @rule(task=TASKS)
    def acknowledge(self, task: str) -> None:
        self._event(task, Acknowledged())

    @rule()
    def tell_those_that_are_over(self) -> None:
        """Data planes acknowledge, and time passes for what was promoted."""
        for name in [one.id for one in self.world.rollouts.values() if one.progress.phase.is_over]:
            self._knock(name, Acknowledged(silent=("gone",)))
            self._knock(name, RetentionPassed())
            assert not (self._knock(name, Acknowledged(silent=("gone",))) and self.world.rollouts[name].progress.phase is Phase.RETIRED)
            self._knock(name, Acknowledged())

    @rule(task=TASKS, stretches=st.sampled_from([6, 14, 14]), of=st.one_of(PLANS, st.builds(plan, st.just(PEOPLE), retain_s=st.just(0.0))))
    def bring_to_the_end(self, task: str, stretches: int, of: Plan) -> None:
        """A fresh attempt, brought to its bake or through it, and then left alone for a while."""
        self._fresh(task, stretches, of)
        self.now += 5000.0
        self.tell_those_that_are_over()

    @rule(task=TASKS, gap=GAPS, gates=GATES)
    def bring_past_an_override(self, task: str, gap: str, gates: tuple[str, ...]) -> None:
        """What somebody answered for at one step is asked again at the next."""
        self._fresh(task, 1)
        self.override(task=task, gates=gates)
        self.dwell_then_pass(task=task, stretches=2)
        self.almost(task=task, gap=gap)

    @rule(task=TASKS, gates=GATES)
    def bring_to_an_override(self, task: str, gates: tuple[str, ...]) -> None:
        """An alarm at the very step that somebody answers for."""
        rollout = self._fresh(task, 1)
        self.override(task=task, gates=gates)
        self._event(task, alarming(self.world.rollouts[rollout.id]))

    @rule(task=TASKS)
    def bring_to_the_approval(self, task: str) -> None:
        """Evidence alone never passes an approval, and an approval alone never passes what has to be proven."""
        rollout = self._fresh(task, 6, plan(PEOPLE))
        assert isinstance(rollout.plan.steps[rollout.progress.step], ApproveStep)
        self._event(task, passing(rollout))
        assert self.world.rollouts[rollout.id].progress.step == rollout.progress.step
        self.approve(task=task, role=Role.OWNER)
        self._event(task, Assessed(assessment=almost_passing(rollout, "undecided")))
        assert self.world.rollouts[rollout.id].progress.step == rollout.progress.step

    @rule(task=TASKS)
    def bring_past_a_promotion(self, task: str) -> None:
        rollout = self._fresh(task, 5)
        assert rollout.progress.phase is Phase.COMPLETED
        self.go_back(task=task, is_meant=True)

    @rule(task=TASKS, then=st.sampled_from(["trip", "alarm", "go back", "promote", "early", "failing", "fail and promote"]))
    def bring_to_the_bake(self, task: str, then: str) -> None:
        """A fresh attempt in its bake, where something happens to it."""
        rollout = self._fresh(task, 5, plan(bake=BAKES[1]))
        if rollout.progress.phase is not Phase.BAKING:
            return
        assert routing_table(self.world).routes[task].candidate_permille == 950
        self.pause(task=task)
        self.resume(task=task)
        assert routing_table(self.world).routes[task].candidate_permille == 950
        early = msgspec.structs.replace(passing(rollout).assessment, served_s=599.0)
        failing = msgspec.structs.replace(passing(rollout).assessment, verdicts=(verdict("errors", Decision.FAIL), verdict("quality")))
        match then:
            case "trip":
                self._event(task, tripping(rollout))
            case "alarm":
                self._event(task, alarming(rollout))
            case "go back":
                self.go_back(task=task, is_meant=True)
            case "promote":
                self.promote(task=task, without=())
                self._event(task, Assessed(assessment=early))
                assert self.world.rollouts[rollout.id].progress.phase is Phase.COMPLETED
            case "early":
                self._event(task, Assessed(assessment=early))
                assert self.world.rollouts[rollout.id].progress.phase is Phase.BAKING
            case _:
                if then == "fail and promote":
                    self.promote(task=task, without=("dwell",))
                self._event(task, Assessed(assessment=failing))
                assert self.world.rollouts[rollout.id].progress.phase is Phase.BAKING

    @rule(
        task=TASKS,
        verdicts=st.lists(VERDICTS, max_size=3),
        blocks=st.sampled_from([0, 2, 3, 9]),
        alarm=st.sampled_from([False] * 9 + [True]),
    )
    def assess(self, task: str, verdicts: list[Verdict], blocks: int, alarm: bool) -> None:
        found = assessment(closed_until=self.now, blocks=blocks, alarm=alarm)
        self._event(task, Assessed(assessment=msgspec.structs.replace(found, verdicts=tuple(verdicts))))

    @rule(task=TASKS, is_meant=RARELY)
    def trip(self, task: str, is_meant: bool) -> None:
        rollout = self._active(task)
        if rollout is not None and is_meant:
            assert self._event(task, tripping(rollout))
            assert rollout.id not in {state.rollout for state in self.world.tasks.values()}

    @rule(task=TASKS, gap=GAPS)
    def almost(self, task: str, gap: str) -> None:
        """Everything is as it should be, but for one thing (rule I11)."""
        rollout = self._active(task)
        if rollout is not None:
            self._dwell(rollout)
            self._event(task, Assessed(assessment=almost_passing(rollout, gap)))

    @rule(task=TASKS, stretches=st.integers(1, 7))
    def dwell_then_pass(self, task: str, stretches: int) -> None:
        """The happy path, some way along it."""
        for _ in range(stretches):
            rollout = self._active(task)
            if rollout is None or (rollout.progress.hold is not None and rollout.progress.hold.kind != "step"):
                return
            self._dwell(rollout)
            self._event(task, next_event(rollout))

    @rule(task=TASKS, stretches=st.integers(0, 4), then=st.sampled_from(["pause", "alarm", "trip", "go back", "resume"]))
    def bring_to(self, task: str, stretches: int, then: str) -> None:
        """A fresh attempt, walked to a chosen step, where something happens to it."""
        rollout = self._fresh(task, stretches)
        match then:
            case "pause" | "resume":
                self.pause(task=task)
                if then == "resume":
                    self.resume(task=task)
            case "alarm":
                self._event(task, alarming(rollout))
            case "trip":
                self._event(task, tripping(rollout))
            case _:
                self.go_back(task=task, is_meant=True)

    @rule(task=TASKS, stretches=st.sampled_from([1, 3]), gap=GAPS)
    def bring_close(self, task: str, stretches: int, gap: str) -> None:
        """A fresh attempt in an analysis that is all but met."""
        self._fresh(task, stretches)
        self.almost(task=task, gap=gap)

    @rule(task=TASKS)
    def bring_past_the_deadline(self, task: str) -> None:
        rollout = self._fresh(task, 3)
        self.now += 4000.0
        self._event(task, undecided(rollout))
        assert self.world.rollouts[rollout.id].progress.phase is Phase.PAUSED

    @rule(task=TASKS)
    def repeat_an_old_assessment(self, task: str) -> None:
        for event in self.stale[-2:]:
            self._event(task, event)

    @rule(task=TASKS)
    def start_again(self, task: str) -> None:
        assert not self._event(task, Started())

    @rule(number=st.integers(0, 9), event=st.sampled_from([Acknowledged(), *LATE]))
    def knock_on_an_ended_one(self, number: int, event: Event) -> None:
        ended = [name for name, rollout in self.world.rollouts.items() if rollout.progress.phase.absorbs]
        if number < len(ended):
            assert not self._knock(ended[number], event)

    @rule(number=st.integers(0, 9), event=st.sampled_from(LATE))
    def knock_on_one_that_rolls_back(self, number: int, event: Event) -> None:
        going = [name for name, rollout in self.world.rollouts.items() if rollout.progress.phase is Phase.ROLLING_BACK]
        if number < len(going):
            assert not self._knock(going[number], event)

    @rule(seconds=st.sampled_from([1.0, BLOCK_S, 5000.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    # How it is done, and what must hold.

    def _active(self, task: str) -> Rollout | None:
        name = self.world.tasks[task].rollout
        return None if name is None else self.world.rollouts[name]

    def _knock(self, name: str, event: Event) -> bool:
        return self._ask(lambda world: move(world, rollout_id=name, event=event, now=self.now, actor="controller"), event)

    def _fresh(self, task: str, stretches: int, of: Plan | None = None) -> Rollout:
        """A new attempt, with the usual steps where no plan is given, walked on so many stretches."""
        of = of or plan()
        self._ask(lambda world: roll_back(world, task=task, actor="ana", reason="by hand", now=self.now))
        candidate = "new" if self.world.tasks[task].stable != "new" else "old"
        self.start(task=task, candidate=candidate, of=of)  # refused when the pair is blocked
        self.release(task=task, candidate=candidate)
        self.start(task=task, candidate=candidate, of=of)
        begun = self._active(task)
        assert begun is not None
        self.dwell_then_pass(task=task, stretches=stretches)
        return self.world.rollouts[begun.id]

    def _dwell(self, rollout: Rollout) -> None:
        self.now = max(self.now, rollout.progress.weight_set_at) + (BLOCKS_MIN + 1) * BLOCK_S
        if rollout.progress.phase is Phase.BAKING:
            self.now += rollout.plan.bake.duration_s

    def _event(self, task: str, event: Event) -> bool:
        rollout = self._active(task)
        if rollout is None:
            return False
        took = self._ask(lambda world: move(world, rollout_id=rollout.id, event=event, now=self.now, actor="controller"), event)
        if isinstance(event, Assessed):
            self.stale = (*self.stale, event)
            self._check_harm(event.assessment, self.world.rollouts[rollout.id])
        return took

    def _ask(self, decide: Callable[[World], Proposal], event: Event | None = None) -> bool:
        """Commit what ``decide`` proposes; ``False`` when it refuses."""
        before = self.world
        try:
            proposal = decide(before)
        except Refusal as refusal:
            self._check_refusal(refusal)
            return False
        change = change_of(before, proposal, self.now)
        self.world = apply(before, change)
        self._check_replay(change)
        self._check_tables(before)
        for name, rollout in self.world.rollouts.items():
            if name in before.rollouts and rollout != before.rollouts[name]:
                self._check_transition(before.rollouts[name], rollout, event)
        self._check_actives()
        return True

    def _check_refusal(self, refusal: Refusal) -> None:
        assert refusal.message
        assert refusal.hint or isinstance(refusal, NothingToDo)

    def _check_replay(self, change: Change) -> None:
        """I5: the log, as it is stored, rebuilds the state."""
        stored = msgspec.json.decode(msgspec.json.encode(change), type=Change)
        assert stored == change
        self.replayed = apply(self.replayed, stored)
        assert self.replayed == self.world
        assert msgspec.json.decode(msgspec.json.encode(self.world), type=World) == self.world

    def _check_tables(self, before: World) -> None:
        old, new = routing_table(before), routing_table(self.world)
        assert table_faults(new) == [], "I4"
        assert new.revision >= old.revision, "I3"
        assert (new.revision == old.revision) == (new == old), "I3: equal revisions are equal tables"
        for task, route in new.routes.items():
            assert not (route.salt in self.dead_salts and route.candidate_permille), "I1: a rolled back attempt has traffic again"
            self._check_units(old.routes[task], route)

    def _check_units(self, old: Route, new: Route) -> None:
        """I9: within an attempt raising the weight moves units to the candidate only, lowering it back only."""
        assert (old.attempt == new.attempt) == (old.salt == new.salt), "I9: every attempt has its own salt, and keeps it"
        if old.salt != new.salt or not old.salt or old.candidate_permille == new.candidate_permille:
            return
        assert (old.attempt, old.candidate) == (new.attempt, new.candidate)
        reached["weight changed within an attempt"] += 1
        is_raised = new.candidate_permille > old.candidate_permille
        left = Side.CANDIDATE if is_raised else Side.STABLE
        assert not [unit for unit in UNITS if assign(old, unit).side is left and assign(new, unit).side is not left]

    def _check_transition(self, old: Rollout, new: Rollout, event: Event | None) -> None:
        before, after = old.progress, new.progress
        assert not before.phase.absorbs, "phases that absorb do so"
        assert msgspec.structs.replace(new, progress=before) == old, "only the progress moves"
        assert after.step - before.step in (0, 1), "I2"
        if before.phase is Phase.ROLLING_BACK:
            assert after.phase is Phase.ROLLED_BACK, "rolling back absorbs everything but the acknowledgement"
        if before.phase.is_promoted:
            assert after.phase in (Phase.ROLLING_BACK, Phase.COMPLETED, Phase.RETIRING, Phase.RETIRED)
        if before.phase is Phase.PAUSED:
            assert after.permille <= before.permille, "I10"
            assert event is None or after.phase.is_over or after.step == before.step, "nothing advances"
            assert event is None or after.phase is not Phase.COMPLETED, "nothing advances"
        if after.phase is Phase.PAUSED:
            assert after.permille == before.permille, "I10"
            assert after.reason
            assert after.hold is not None, "every pause has a value, a comparator and a limit"
            assert after.hold.sentence
        if after.permille > before.permille:
            assert isinstance(new.plan.steps[after.step], WeightStep), "only a weight step raises a weight"
            assert after.step == before.step + 1
            assert after.permille <= 1000 - new.plan.bake.holdback_permille, "the holdback stays on the old version"
        if after.step > before.step:
            self._check_step(old, event)
        if after.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK):
            self._check_rolled_back(old, new)
        if after.phase is Phase.COMPLETED and before.phase is not Phase.COMPLETED:
            self._check_promoted(old, new, event)
        if after.phase is not before.phase:
            reached[f"{after.phase} at step {after.step} of {len(new.plan.steps)}"] += 1
            reached[f"{before.phase} to {after.phase}"] += 1

    def _check_promoted(self, old: Rollout, new: Rollout, event: Event | None) -> None:
        assert new.id in self.proven, "I2: the last weight wants every gate's pass, or somebody's word"
        assert old.progress.permille == 1000 - new.plan.bake.holdback_permille, "the holdback is kept until promotion"
        route = routing_table(self.world).routes[new.task]
        assert (route.stable, route.candidate) == (new.candidate, None)
        if new.plan.bake.duration_s:
            assert old.progress.phase is Phase.BAKING, "promotion is the end of the bake"
            assert isinstance(event, Assessed)
            assert oracle_baked(old, event.assessment), "the bake has its dwell, or somebody answers for it"

    def _check_step(self, old: Rollout, event: Event | None) -> None:
        step = old.plan.steps[old.progress.step]
        if isinstance(step, WeightStep):
            return
        proof = old.plan.steps[proof_index(old)]
        assert isinstance(proof, AnalysisStep)
        assert isinstance(event, Assessed), "I2: only evidence ends an analysis, and what waits behind one"
        assert oracle_met(old, event.assessment, proof), "I2, I11"
        if isinstance(step, ApproveStep):
            assert any(one.step == old.progress.step and one.role == "owner" for one in old.progress.approvals)
        if proof.require == "pass" and old.progress.step == len(old.plan.steps) - 2:
            self.proven |= {old.id}

    def _check_harm(self, found: Assessment, after: Rollout) -> None:
        if any(one.tripped for one in found.verdicts):
            assert after.progress.phase is Phase.ROLLING_BACK, "a trip rolls back from every step and phase"
        elif found.sample_ratio.alarm:
            assert after.progress.phase is Phase.PAUSED, "a sample-ratio alarm pauses"

    def _check_rolled_back(self, old: Rollout, new: Rollout) -> None:
        assert new.progress.permille == 0
        self.dead_salts |= {new.salt}
        if old.progress.phase is Phase.ROLLING_BACK:
            return
        route = routing_table(self.world).routes[new.task]
        assert (route.candidate, route.candidate_permille, route.stable) == (None, 0, new.stable), "I1"
        assert (new.stable, new.candidate) in self.world.tasks[new.task].blocked, "I1: nothing starts it again by itself"

    def _check_actives(self) -> None:
        """I6, and nobody but the named rollout is active."""
        for task in self.world.tasks.values():
            active = [one.id for one in self.world.rollouts.values() if one.task == task.name and not one.progress.phase.is_over]
            assert active == ([task.rollout] if task.rollout else [])
            assert not (task.rollout and task.split)


def tour() -> None:
    """Each guided walk once, so that what is wanted below does not hang on luck. The same checks hold."""
    machine = ControlPlane()
    machine.seed(email=0, chat=0, of=plan())
    for stretches in range(5):
        for then in ("pause", "trip", "alarm", "go back", "resume"):
            machine.bring_to(task="email", stretches=stretches, then=then)
    for then in ("trip", "alarm", "go back", "promote", "early", "failing", "fail and promote"):
        machine.bring_to_the_bake(task="email", then=then)
    for of in (plan(PEOPLE, retain_s=0.0), plan(SHORT), plan(bake=BAKES[1], retain_s=0.0)):
        machine.bring_to_the_end(task="chat", stretches=14, of=of)
    machine.bring_past_a_promotion(task="chat")
    machine.bring_to(task="chat", stretches=1, then="pause")
    machine.retry(task="chat")


@pytest.mark.timeout(600)  # time for a failing run to be made small
def test_the_rules_hold_whatever_happens_and_the_interesting_states_are_reached() -> None:
    reached.clear()
    tour()
    run_state_machine_as_test(
        ControlPlane,
        settings=settings(
            max_examples=150, stateful_step_count=30, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )
    wanted = {f"{phase} at step {step} of 5" for phase in ("rolling_back", "paused") for step in range(5)}
    wanted |= {"completed at step 4 of 5", "completed at step 2 of 3", "completed at step 7 of 8", "weight changed within an attempt"}
    wanted |= {"running to baking", "baking to completed", "baking to rolling_back", "baking to paused", "paused to baking"}
    wanted |= {"rolling_back to rolled_back", "completed to retiring", "retiring to retired", "completed to rolling_back"}
    wanted |= {"paused to superseded", "retried"}
    assert wanted - reached.keys() == set()
    assert any(seen.startswith("running at step") for seen in reached), "nothing was resumed"
