"""The live picture of a rollout: what stands in it, that it fits, and that leaving it leaves the rollout alone."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from changeover.api.answers import PlaneView
from changeover.api.watch_answers import PictureAnswer, Pulse
from changeover.console import render_watch_rows as told
from changeover.console.render_watch import render_watch
from changeover.console.server_link import Where
from changeover.console.watch import picture_of
from changeover.console.watch_keys import is_leave
from changeover.gates.verdict import Decision, Level, SampleRatio
from changeover.ports.planes import Acknowledgement, Dropped
from changeover.rollout.plan import AnalysisStep, Deadline, WeightStep
from changeover.rollout.record import Hold
from changeover.rollout.state import Phase
from changeover.rollout.world import Proposal, RolloutMoved
from tests.unit.console.live import Live, live_server

WAIT_S = 20.0


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_server(tmp_path) as live:
        assert live.call("rollout", "start", "email", "--to", "new", "--reason", "cheaper").exit_code == 0
        live.acknowledge()
        move(live, phase=Phase.RUNNING, step=1, acknowledged_at=live.bench.clock.now(), reason="weight 10 % is acknowledged")
        for sequence in range(1, 6):
            live.serve(400, sequence=sequence)
        yield live


def move(live: Live, **fields: object) -> None:
    """As the controller commits it."""
    progress = msgspec.structs.replace(live.bench.world.rollouts["email-1"].progress, **fields)
    body = RolloutMoved(rollout="email-1", event="acknowledged", progress=progress)
    live.bench.store.commit(lambda world: Proposal(actor="controller", reason=progress.reason, body=body), at=live.bench.clock.now())


@pytest.fixture
def picture(live: Live) -> PictureAnswer:
    return picture_of(Where(config=live.config), "email")


def drawn(picture: PictureAnswer, *, width: int = 80, height: int | None = 24) -> str:
    with (console := Console(width=width, height=height, color_system=None)).capture() as captured:
        console.print(render_watch(picture, width=width, height=height, aside="q leaves"))
    return captured.get()


def test_one_picture_holds_all_that_somebody_who_watches_wants(live: Live) -> None:
    result = live.call("rollout", "watch", "email", "--once")
    assert result.exit_code == 0, result.output
    for said in (
        "email  email-1  ▶ running",
        "old -> new, attempt 1",
        "weight   set 10 %, actual 10 % on 1 of 1 data planes",
        "; units 1775:225 as drawn",
        "✔ 1. weight 10 %",
        "▶ 2. analysis: no_harm",
        "holds: quality is undecided and not able to trip, needs = pass or able to trip",
        "time     4 of 2 blocks; 40 s served at this weight",
        "errors",
        "… undecided  49%, about 42 s",
        "rollout email-1 started: new at 10 %",
    ):
        assert said in result.stdout, said


@pytest.mark.parametrize(("width", "height"), [(80, 24), (80, 30), (100, 24), (200, 60)])
def test_it_fits_the_terminal(picture: PictureAnswer, width: int, height: int) -> None:
    lines = drawn(picture, width=width, height=height).splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert lines[-1].strip() == "q leaves"


def test_many_steps_give_way_around_the_present_one(picture: PictureAnswer) -> None:
    steps = tuple(WeightStep(permille=10 * number) for number in range(40))
    rollout = msgspec.structs.replace(picture.rollout, plan=msgspec.structs.replace(picture.rollout.plan, steps=steps))
    views = tuple(
        msgspec.structs.replace(picture.steps[0], number=number, state="done" if number < 20 else "current" if number == 20 else "to_come")
        for number in range(1, 41)
    )
    text = drawn(msgspec.structs.replace(picture, rollout=rollout, steps=views))
    assert len(text.splitlines()) <= 24
    assert "▶ 20." in text
    assert "of 40 steps)" in text


def test_a_wide_terminal_shows_more_of_each_figure(picture: PictureAnswer) -> None:
    assert "1.5x or +2 pp" in drawn(picture, width=130)
    assert "+2 pp" not in drawn(picture, width=80)


def plane(name: str, *, behind: bool = False, silent: bool = False) -> PlaneView:
    return PlaneView(plane=name, acknowledged_revision=1, behind=behind, silent=silent, seen_at=0.0, dropped=Dropped(), lost=0)


def test_a_weight_that_is_not_everywhere_names_who_is_waited_for(picture: PictureAnswer) -> None:
    some = msgspec.structs.replace(picture, planes=(plane("p0"), plane("p1", behind=True), plane("p2", silent=True)))
    assert told.weights(some) == "weight   set 10 %, actual 10 % on 1 of 2 data planes, waiting for p1, 1 silent"
    assert not told.is_everywhere(some)
    nobody = msgspec.structs.replace(picture, planes=())
    assert "actual unknown" in told.weights(nobody)
    assert not told.is_everywhere(nobody)


def test_an_alarm_and_silence_are_said_as_such(picture: PictureAnswer) -> None:
    check = SampleRatio(stable=10, candidate=90, level=Level(log_e=9.0, threshold=6.9), alarm=True)
    alarmed = msgspec.structs.replace(
        picture,
        assessment=msgspec.structs.replace(picture.assessment, sample_ratio=check),
        pulse=Pulse(stable_per_minute=None, candidate_per_minute=None),
    )
    assert told.traffic(alarmed) == "traffic  requests/min: stable -, candidate -; units 10:90 ✖ not as drawn"


def test_events_that_only_the_evidence_remembers_are_no_lines(picture: PictureAnswer) -> None:
    moved = picture.events[-1]
    assert isinstance(moved.change, RolloutMoved)
    latched = msgspec.structs.replace(moved.change, progress=msgspec.structs.replace(moved.change.progress, passed=("errors",)))
    again = msgspec.structs.replace(moved, change=latched)
    assert len(told.events(msgspec.structs.replace(picture, events=(moved, again)))) == 1


def test_a_pause_says_value_comparator_and_limit_whoever_wrote_its_reason(picture: PictureAnswer) -> None:
    progress = picture.rollout.progress
    hold = Hold(kind="undecided", value="7200 s at this step", comparator=">", limit="3600 s")
    assert told.with_hold(msgspec.structs.replace(progress, reason="waiting", hold=hold)) == "waiting; 7200 s at this step > 3600 s"
    assert told.with_hold(msgspec.structs.replace(progress, reason=f"late: {hold.sentence}", hold=hold)) == f"late: {hold.sentence}"


def test_what_is_left_of_dwell_and_deadlines_is_counted(picture: PictureAnswer) -> None:
    step = AnalysisStep(require="pass", duration_min_s=3600.0, duration_max_s=7200.0)
    deadline = Deadline(at=picture.now + 3 * 86_400.0 + 7200.0, reason="gpt-4o retires")
    plan = msgspec.structs.replace(picture.rollout.plan, steps=(WeightStep(permille=100), step), deadline=deadline)
    progress = msgspec.structs.replace(picture.rollout.progress, step=1, step_entered_at=picture.now - 600.0)
    rollout = msgspec.structs.replace(picture.rollout, plan=plan, progress=progress)
    (line,) = told.times(msgspec.structs.replace(picture, rollout=rollout))
    assert line.endswith("needs 1 h; deadline in 1 h 50 min; gpt-4o retires in 3 d 2 h")
    late = msgspec.structs.replace(picture, rollout=rollout, now=picture.now + 7200.0)
    assert "deadline passed 10 min ago" in told.times(late)[0]


@pytest.mark.parametrize(
    ("log_e", "elapsed_s", "said"),
    [
        (0.0, 100.0, "0%"),
        (-5.0, 100.0, "0%"),
        (0.12, 100.0, "3%"),
        (2.0, 3600.0, "50%, about 1 h"),
        (4.5, 100.0, "100%"),
        (2.0, 0.0, "50%"),
    ],
)
def test_the_pace_so_far_says_how_long_the_rest_takes(picture: PictureAnswer, log_e: float, elapsed_s: float, said: str) -> None:
    verdict = msgspec.structs.replace(picture.assessment.verdicts[0], to_pass=Level(log_e=log_e, threshold=4.0))
    assert told.to_verdict(verdict, elapsed_s=elapsed_s) == said
    assert told.to_verdict(msgspec.structs.replace(verdict, decision=Decision.PASS), elapsed_s=elapsed_s) == ""


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7320, "2 h 2 min"), (90_000, "1 d 1 h"), (-3, "0 s")]
)
def test_a_length_of_time_reads_in_its_largest_units(seconds: float, said: str) -> None:
    assert told.span(seconds) == said


def test_without_a_terminal_it_is_a_line_for_every_move_and_the_same_code(live: Live) -> None:
    move(live, phase=Phase.ROLLED_BACK, reason="errors tripped", finished_at=live.bench.clock.now(), permille=0)
    result = live.call("rollout", "watch", "email")
    assert result.exit_code == 3
    assert "✖ rolled back" in result.stdout
    assert "errors tripped" in result.stderr


@pytest.mark.parametrize("key", [b"q", b""], ids=["q", "Ctrl-C"])
def test_leaving_the_picture_leaves_the_rollout_as_it_is(live: Live, key: bytes) -> None:
    shown, code = in_terminal(live, key)
    assert code == 0
    assert "▶ running" in shown
    assert "q leaves, the rollout goes on" in shown
    assert "left the picture; the rollout goes on" in shown
    assert not live.bench.world.rollouts["email-1"].progress.phase.is_final


@pytest.mark.parametrize(
    ("typed", "leaves"), [(b"q", True), (b"Q", True), (b"\x04", True), (b"\x1b", True), (b"", True), (b"\x1b[A", False), (b"x\n", False)]
)
def test_an_arrow_or_another_key_leaves_nothing(typed: bytes, leaves: bool) -> None:
    assert is_leave(typed) is leaves


def in_terminal(live: Live, key: bytes) -> tuple[str, int]:
    """All that a terminal of 80 by 24 was sent until it was left by ``key``, or interrupted without one, and the exit code."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    environment = {**os.environ, "TERM": "xterm", "CHANGEOVER_STATE": str(live.config.parent / ".changeover")}
    environment.pop("COLUMNS", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "changeover", "rollout", "watch", "email"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
        preexec_fn=heed_interrupts,  # noqa: PLW1509 - nothing else runs in the child before it
    )
    os.close(theirs)
    shown = read_until(ours, b"q leaves")
    if key:
        os.write(ours, key)
    else:
        process.send_signal(signal.SIGINT)
    shown += read_until(ours, b"goes on\r\n")
    code = process.wait(WAIT_S)
    os.close(ours)
    return shown.decode(errors="replace"), code


def heed_interrupts() -> None:
    """Who runs the tests in the background of a shell ignores interrupts, and hands that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def read_until(terminal: int, wanted: bytes) -> bytes:
    read = b""
    while wanted not in read:
        ready, _, _ = select.select([terminal], [], [], WAIT_S)
        assert ready, read
        read += os.read(terminal, 65_536)
    return read


def test_another_plane_that_takes_up_the_weight_is_seen_in_the_next_picture(live: Live) -> None:
    live.bench.store.acknowledge(Acknowledgement(plane="p1", boot="b1", revision=1), at=live.bench.clock.now())
    assert "1 of 2 data planes, waiting for p1" in told.weights(picture_of(Where(config=live.config), "email"))
