"""How answers read at a width of 100 and without colour."""

import io
import math

import msgspec
import pytest
from rich.console import Console, RenderableType

from changeover.api.alert_answers import AlertsAnswer
from changeover.api.answers import (
    CompareAnswer,
    EventsAnswer,
    EventView,
    PlaneView,
    RolloutAnswer,
    RolloutsAnswer,
    StatusAnswer,
    TaskView,
)
from changeover.api.views import step_views
from changeover.console import words
from changeover.console.render_alerts import render_alerts
from changeover.console.render_compare import render_compare
from changeover.console.render_compare_rows import difference
from changeover.console.render_events import render_events
from changeover.console.render_rollout import render_rollout, render_rollouts
from changeover.console.render_status import render_status
from changeover.gates.criteria import Criteria
from changeover.gates.verdict import Assessment, Decision, Level, SampleRatio, SideFigures, Verdict
from changeover.ports.alerts import DestinationStanding
from changeover.ports.planes import Dropped
from changeover.rollout.state import Phase, Rollout
from changeover.rollout.world import PairReleased, RolloutMoved, RolloutStarted, Seeded, Split, SplitSet
from tests.unit.rollout import builders

T0 = builders.T0
WIDTH = 100


def text_of(content: RenderableType, *, width: int = WIDTH) -> str:
    console = Console(file=io.StringIO(), width=width, no_color=True, highlight=False)
    console.print(content)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


QUALITY = Verdict(
    criterion="quality",
    decision=Decision.PASS,
    tripped=False,
    able_to_trip=True,
    worse_inside=True,
    stable=SideFigures(count=12_345, mean=0.1623),
    candidate=SideFigures(count=12_290, missing=3, mean=0.1598),
    estimate=-0.0025,
    low=-0.0049,
    high=-0.0001,
    method="asymptotic, 95 %",
    margin="up to 0.02 lower on the scale 0 to 1",
    to_pass=Level(log_e=3.31, threshold=2.996, reached_at=T0),
    to_trip=Level(log_e=-4.2, threshold=4.828),
    sentence="accepted: up to 0.02 lower on the scale 0 to 1; pass: worse, inside the margin",
)
ERRORS = Verdict(
    criterion="errors",
    decision=Decision.FAIL,
    tripped=True,
    able_to_trip=True,
    worse_inside=False,
    stable=SideFigures(count=12_345, events=12, mean=12 / 12_345),
    candidate=SideFigures(count=12_293, events=480, mean=480 / 12_293),
    estimate=40.2,
    low=22.5,
    high=None,
    method="exact, 95 %",
    margin="up to 1.5 times the stable's share of errors or 0.5 points more, the wider",
    to_pass=Level(log_e=-10.1, threshold=2.996),
    to_trip=Level(log_e=120.5, threshold=4.605, reached_at=T0),
    sentence="accepted: up to 1.5 times; fail; tripped",
)


def assessment(*verdicts: Verdict, alarm: bool = False) -> Assessment:
    return Assessment(
        verdicts=verdicts,
        sample_ratio=SampleRatio(stable=900, candidate=100, level=Level(log_e=-1.1, threshold=6.908), alarm=alarm),
        blocks=7,
        served_s=420.0,
        closed_until=T0,
    )


def comparison(*verdicts: Verdict, alarm: bool = False) -> CompareAnswer:
    return CompareAnswer(
        rollout=builders.walked(1),
        active=True,
        stable_model="gpt-4o 2024-05-13",
        candidate_model=None,
        assessment=assessment(*verdicts, alarm=alarm),
    )


def test_compare_begins_with_where_the_rollout_stands_and_whom_it_compares() -> None:
    assert text_of(render_compare(comparison(QUALITY, ERRORS))).splitlines()[:3] == [
        "r1 ▶ running, candidate at 10 %: weight 10 % is acknowledged; analysis no_harm",
        "stable old (gpt-4o 2024-05-13), candidate new (gone)",
        "",
    ]


def test_every_line_fits_the_width() -> None:
    for width in (80, 100, 140):
        assert max(len(line) for line in text_of(render_compare(comparison(QUALITY, ERRORS)), width=width).splitlines()) <= width


def cells_of(text: str, name: str) -> str:
    """The lines of one row of a table, joined."""
    lines = text.splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith(name))
    rest = lines[first + 1 :]
    end = next((index for index, line in enumerate(rest) if not line.startswith(" ")), len(rest))
    return " ".join(" ".join(lines[first : first + 1 + end]).split())


def test_a_row_carries_numbers_of_both_sides_with_evidence_toward_both_thresholds() -> None:
    row = cells_of(text_of(render_compare(comparison(QUALITY, ERRORS)), width=140), "quality")
    for part in (
        "0.1623",
        "0.1598",
        "3 missing",
        "-0.0025",
        "-0.0049 to -0.0001",
        " 0.1 ",
        "12345",
        "12290",
        "pass 3.31/3.00",
        "trip -4.20/4.83",
    ):
        assert part in row
    assert "✔ pass" in row
    assert "worse, accepted" in row


def test_errors_are_counted_with_their_share_and_compared_as_a_ratio() -> None:
    row = cells_of(text_of(render_compare(comparison(QUALITY, ERRORS)), width=140), "errors")
    for part in (
        " 12 480 ",
        "0.0972 %",
        "3.9 %",
        "12345",
        "12293",
        "40.2x",
        "22.5x to no end",
        "1.5x or",
        "+0.5 pp",
        "✖ fail, tripped",
    ):
        assert part in row


def test_each_verdict_is_followed_by_its_sentence_and_the_check_of_the_draw() -> None:
    text = text_of(render_compare(comparison(QUALITY, ERRORS)))
    assert "quality: accepted: up to 0.02 lower on the scale 0 to 1; pass: worse, inside the margin" in text
    assert "errors: accepted: up to 1.5 times; fail; tripped" in text
    assert "sample ratio: 900 units on the stable, 100 on the candidate: as drawn (log E -1.10/6.91)" in text


def test_an_alarm_accuses_the_plumbing() -> None:
    text = " ".join(text_of(render_compare(comparison(QUALITY, alarm=True))).split())
    assert "✖ sample ratio" in text
    assert "not as drawn" in text


def test_a_side_without_an_outcome_has_no_value_and_no_difference() -> None:
    empty = msgspec.structs.replace(
        QUALITY, decision=Decision.UNDECIDED, candidate=SideFigures(missing=9, mean=0.0), estimate=0.0, low=None
    )
    assert difference(empty) == "-"
    row = cells_of(text_of(render_compare(comparison(empty)), width=140), "quality")
    assert "… undecided" in row
    assert "9 missing" in row


def test_what_is_not_asked_is_said_with_its_reason() -> None:
    plan = builders.plan(criteria=Criteria(errors=builders.CRITERIA.errors, left_out={"quality": "no source; accepted"}))
    answer = msgspec.structs.replace(comparison(ERRORS), rollout=builders.walked(1, plan))
    assert "quality: not asked, no source; accepted" in text_of(render_compare(answer))


def test_no_criterion_at_all_is_said() -> None:
    assert "no criterion is asked" in text_of(render_compare(comparison()))


@pytest.mark.parametrize(
    ("decision", "tripped", "said"),
    [
        (Decision.PASS, False, "✔ pass"),
        (Decision.FAIL, False, "✖ fail"),
        (Decision.UNDECIDED, False, "… undecided"),
        (Decision.FAIL, True, "✖ fail, tripped"),
        (Decision.UNDECIDED, True, "… undecided, tripped"),
    ],
)
def test_a_verdict_reads_without_colour(decision: Decision, tripped: bool, said: str) -> None:
    assert words.decision_words(decision, tripped=tripped) == said


def rollout_answer(rollout: Rollout, **changes: object) -> RolloutAnswer:
    answer = RolloutAnswer(rollout=rollout, steps=step_views(rollout), unmet=(), waiting_for=(), assessment=assessment(QUALITY))
    return msgspec.structs.replace(answer, **changes)


def test_a_rollout_shows_steps_done_current_and_to_come_and_what_holds() -> None:
    text = text_of(render_rollout(rollout_answer(builders.walked(1), unmet=("quality is undecided, needs = pass",))))
    assert "✔ 1. weight 10 %\n▶ 2. analysis: no_harm\n· 3. weight 50 %\n· 4. analysis: pass, at most 3600 s\n· 5. weight 100 %" in text
    assert "holds: quality is undecided, needs = pass" in text
    assert "weight set 10 %, served everywhere since 2023-11-14 22:19:20 UTC" in text


def test_a_weight_not_yet_served_names_the_data_planes_it_waits_for() -> None:
    text = text_of(render_rollout(rollout_answer(builders.walked(0), waiting_for=("p1", "p2"))))
    assert "weight set 10 %, waiting for p1, p2" in text
    assert "not yet confirmed" in text_of(render_rollout(rollout_answer(builders.walked(0))))


def test_a_completed_rollout_has_every_step_done() -> None:
    done = builders.walked(9)
    assert done.progress.phase is Phase.COMPLETED
    text = text_of(render_rollout(rollout_answer(done)))
    assert text.count("✔ ") == len(done.plan.steps) + 1 + text.count("✔ pass")


def test_rollouts_are_a_table_or_a_hint() -> None:
    assert "rollout start" in text_of(render_rollouts(RolloutsAnswer(rollouts=())))
    assert "r1" in text_of(render_rollouts(RolloutsAnswer(rollouts=(builders.walked(1),))))


def task(**changes: object) -> TaskView:
    base = TaskView(
        name="email",
        stable="old",
        candidate="new",
        percent=12.5,
        acknowledged=False,
        waiting_for=("p1",),
        failover=(),
        sticky_by=(),
        blocked=(("old", "bad"),),
        rollout=None,
    )
    return msgspec.structs.replace(base, **changes)


def plane(**changes: object) -> PlaneView:
    base = PlaneView(
        plane="p1", acknowledged_revision=3, behind=True, silent=False, seen_at=T0 - 5, dropped=Dropped(stable=2, unassigned=1), lost=4
    )
    return msgspec.structs.replace(base, **changes)


def status(*, tasks: tuple[TaskView, ...], planes: tuple[PlaneView, ...] = ()) -> StatusAnswer:
    return StatusAnswer(revision=9, table_revision=7, now=T0, gateway=None, tasks=tasks, planes=planes)


def test_status_says_what_is_on_trial_whom_it_waits_for_and_what_is_blocked() -> None:
    text = text_of(render_status(status(tasks=(task(),), planes=(plane(), plane(plane="p2", silent=True)))))
    assert "revision 9, table 7, 1 live data plane\n" in text
    assert "12.5 % (set)" in text
    assert "email: waiting for data planes: p1" in text
    assert "email: blocked: old -> bad" in text
    assert "7 (4 in crashes)" in text
    assert "behind" in text
    assert "silent" in text


def test_an_empty_server_says_what_to_do() -> None:
    text = text_of(render_status(status(tasks=())))
    assert "no tasks: declare one" in text
    assert "no data plane has reported yet" in text


def test_names_are_never_read_as_markup() -> None:
    assert "[red]x[/red]" in text_of(render_status(status(tasks=(task(name="[red]x[/red]"),))))


def moved(event: str, phase: Phase) -> RolloutMoved:
    progress = msgspec.structs.replace(builders.walked(1).progress, phase=phase)
    return RolloutMoved(rollout="r1", event=event, progress=progress)


def test_every_event_reads_as_what_happened() -> None:
    changes = (
        Seeded(accounts=(), deployments=(), tasks=()),
        SplitSet(task="email", split=Split(candidate="new", permille=125, attempt=1, salt="s")),
        SplitSet(task="email", split=None),
        RolloutStarted(rollout=builders.walked(0)),
        moved("acknowledged", Phase.RUNNING),
        moved("roll_back", Phase.ROLLED_BACK),
        moved("pause", Phase.PAUSED),
        PairReleased(task="email", stable="old", candidate="new"),
    )
    events = tuple(
        EventView(revision=index, at=T0, actor="anna", reason="because", task=None, change=change) for index, change in enumerate(changes)
    )
    text = text_of(render_events(EventsAnswer(events=events, next=8)), width=160)
    for said in (
        "taken over from the file: 0 tasks, 0 deployments",
        "split: new 12.5 %",
        "split removed, all to the stable",
        "rollout r1 started: new at 10 %",
        " acknowledged: step 2, 10 %",
        " rolled back: step 2, 10 %",
        " paused: step 2, 10 %",
        "old -> new released",
    ):
        assert said in text
    assert text_of(render_events(EventsAnswer(events=(), next=0))) == "no events"


def test_numbers_and_times_have_one_spelling() -> None:
    assert [words.percent(value) for value in (0, 12.5, 100)] == ["0 %", "12.5 %", "100 %"]
    assert [words.number(value) for value in (None, 0.123456, math.pi * 1000)] == ["-", "0.1235", "3142"]
    assert [words.ago(value) for value in (-1, 59, 60, 7200, 200_000)] == ["0 s ago", "59 s ago", "1 min ago", "2 h ago", "2 d ago"]
    assert words.moment(T0) == "2023-11-14 22:13:20"


def test_destinations_of_alerts_say_since_when_they_are_counted() -> None:
    standing = DestinationStanding(name="ops", topics=("paused",), waiting=1, delivered=3, given_up=0)
    shown = text_of(render_alerts(AlertsAnswer(destinations=(standing,))))
    assert "delivered and given up are counted since the server's start" in shown
    assert "since the server's start" not in text_of(render_alerts(AlertsAnswer(destinations=())))
