"""The week in words: what is under way, what ended, how long it stood still, and what waits for a person."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.rollout.digest import Digest, digest, digest_text, sum_up
from changeover.rollout.plan import Plan, WeightStep
from changeover.rollout.refusal import NothingToDo
from changeover.rollout.state import Phase
from changeover.rollout.week import DAY_S, WEEK_S, last_moment
from changeover.rollout.world import Change, ChangeBody, RolloutMoved, RolloutStarted, World, apply
from tests.contract.store_samples import TASK, progress, rollout, seeded

SINCE = datetime(2026, 3, 6, 15, tzinfo=UTC).timestamp()
"""A Friday."""
UNTIL = SINCE + WEEK_S


class Log:
    """Changes and the world they make, written down as a test goes."""

    def __init__(self) -> None:
        self.world = World()
        self.changes: list[Change] = []
        self.add(seeded(), at=SINCE - 30 * DAY_S)

    def add(self, body: ChangeBody, *, at: float) -> None:
        change = Change(revision=self.world.revision + 1, at=at, actor="somebody", reason="because", body=body)
        self.world = apply(self.world, change)
        self.changes.append(change)

    def move(self, phase: Phase, *, at: float, name: str = "r-1", permille: int = 100, reason: str = "") -> None:
        moved = msgspec.structs.replace(progress(phase, permille=permille), reason=reason)
        self.add(RolloutMoved(rollout=name, event="x", progress=moved), at=at)

    def digest(self) -> Digest:
        return digest(self.world, self.changes, since=SINCE, until=UNTIL)


def started(*, at: float) -> Log:
    log = Log()
    log.add(RolloutStarted(rollout=rollout()), at=at)
    return log


def test_a_week_without_rollouts_says_so() -> None:
    (week,) = Log().digest().tasks
    assert (week.task, week.active, week.finished, week.days_paused, week.waits) == (TASK, (), (), 0.0, ())
    assert f"{TASK}: no rollout" in digest_text(Log().digest())


def test_a_pause_that_began_before_the_week_counts_from_its_beginning() -> None:
    log = started(at=SINCE - 5 * DAY_S)
    log.move(Phase.PAUSED, at=SINCE - 2 * DAY_S)
    log.move(Phase.PAUSED, at=SINCE - 1 * DAY_S)
    log.move(Phase.RUNNING, at=SINCE + 1.5 * DAY_S)
    log.move(Phase.PAUSED, at=SINCE + 6 * DAY_S, reason="undecided at the deadline")
    (week,) = log.digest().tasks
    assert week.days_paused == pytest.approx(2.5)
    (waits,) = week.waits
    assert "undecided at the deadline" in waits
    assert f"changeover rollout resume {TASK}" in waits


def test_what_ended_this_week_is_named_once_and_what_ended_before_is_not() -> None:
    log = started(at=SINCE - 5 * DAY_S)
    log.move(Phase.ROLLED_BACK, at=SINCE - 4 * DAY_S, permille=0)
    assert log.digest().tasks[0].finished == ()
    log.add(RolloutStarted(rollout=rollout("r-2", attempt=2)), at=SINCE + 1)
    log.move(Phase.ROLLED_BACK, at=SINCE + 2, name="r-2", permille=0)
    assert log.digest().tasks[0].finished == ("r-2 rolled back",)


def test_what_is_under_way_is_told_with_its_weight() -> None:
    (week,) = started(at=SINCE + 1).digest().tasks
    assert week.active == ("r-1 running at 10 %, step 1 of 1",)


def test_versions_of_which_nobody_said_when_they_retire_are_named() -> None:
    (week,) = started(at=SINCE + 1).digest().tasks
    assert len(week.retirement_unknown) == 2


@given(st.lists(st.tuples(st.floats(-10, 10), st.booleans()), max_size=20))
def test_days_in_pause_are_never_more_than_the_week(steps: list[tuple[float, bool]]) -> None:
    log = started(at=SINCE - 20 * DAY_S)
    for day, paused in sorted(steps):
        log.move(Phase.PAUSED if paused else Phase.RUNNING, at=SINCE + day * DAY_S)
    (week,) = log.digest().tasks
    assert 0.0 <= week.days_paused <= 7.0


def test_a_moment_is_told_once() -> None:
    world = World(revision=1)
    told = sum_up(world, text="words", due=UNTIL, until=UNTIL + 5, actor="controller")
    assert [(command.kind, command.topic, command.text) for command in told.commands] == [("alert", "summary", "words")]
    after = apply(world, Change(revision=2, at=UNTIL + 5, actor="controller", reason="", body=told.body))
    with pytest.raises(NothingToDo):
        sum_up(after, text="words", due=UNTIL, until=UNTIL + 9, actor="controller")


@given(st.floats(0, 4e9), st.integers(0, 6), st.integers(0, 1439))
def test_the_last_moment_is_on_its_day_at_its_time_and_within_the_week(now: float, day: int, minute: int) -> None:
    found = last_moment(now, day=day, minute=minute)
    assert now - WEEK_S < found <= now
    when = datetime.fromtimestamp(found, UTC)
    assert (when.weekday(), when.hour * 60 + when.minute, when.second) == (day, minute, 0)


def test_the_plan_of_these_tests_has_one_step() -> None:
    assert isinstance(rollout().plan, Plan)
    assert isinstance(rollout().plan.steps[0], WeightStep)
