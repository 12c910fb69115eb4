"""Waiting for a rollout: what a pipeline sees of it, and the code it gets."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from changeover.api.answers import EventView
from changeover.console.event_feed import EventFeed
from changeover.console.failure import Failure
from changeover.console.followed import look
from changeover.console.rollout_outcome import outcome
from changeover.console.rollout_status import left_alone
from changeover.console.server_link import Where, open_link
from changeover.rollout.state import Phase
from changeover.rollout.world import Proposal, RolloutMoved
from tests.unit.console.live import Live, live_server


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_server(tmp_path) as live:
        assert live.call("rollout", "start", "email", "--to", "new", "--reason", "cheaper").exit_code == 0
        yield live


def move(live: Live, phase: Phase, *, reason: str) -> None:
    """As the controller commits it."""
    now = live.bench.clock.now()
    rollout = live.bench.world.rollouts["email-1"]
    progress = msgspec.structs.replace(rollout.progress, phase=phase, reason=reason, finished_at=now)
    body = RolloutMoved(rollout=rollout.id, event="assessed", progress=progress)
    live.bench.store.commit(lambda world: Proposal(actor="controller", reason=reason, body=body), at=now)


def test_whoever_stops_waiting_is_told_that_the_rollout_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(click.exceptions.Exit) as ended, left_alone():
        raise KeyboardInterrupt
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err == "stopped waiting; the rollout goes on\n"


def test_a_running_rollout_is_undecided_now(live: Live) -> None:
    result = live.call("rollout", "status", "email", "--no-wait")
    assert result.exit_code == 5
    assert "email-1: old -> new, ▶ running" in result.stdout
    assert "step 1/" in result.stdout
    assert "changeover rollout watch email" in result.stderr


def test_a_promoted_rollout_is_a_success(live: Live) -> None:
    move(live, Phase.COMPLETED, reason="all gates passed")
    result = live.call("rollout", "status", "email")
    assert result.exit_code == 0
    assert result.stdout.endswith("promoted: new is the stable of email\n")
    assert result.stderr == ""


def test_a_rolled_back_rollout_fails_with_its_reason_and_what_to_do_again(live: Live) -> None:
    live.call("rollback", "email", "--reason", "customers complain")
    result = live.call("rollout", "status", "email")
    assert result.exit_code == 3
    assert "customers complain" in result.stderr
    assert "changeover rollout affected email-1 -o jsonl" in result.stderr


def test_a_promotion_that_was_undone_is_no_success(live: Live) -> None:
    move(live, Phase.COMPLETED, reason="all gates passed")
    live.call("rollback", "email", "--reason", "second thoughts")
    assert live.call("rollout", "status", "email-1").exit_code == 3


def test_a_paused_rollout_waits_for_a_person_and_the_pipeline_does_not(live: Live) -> None:
    live.call("rollout", "pause", "email", "--reason", "release freeze")
    result = live.call("rollout", "status", "email")
    assert result.exit_code == 5
    assert "release freeze" in result.stderr
    assert "changeover rollout resume email" in result.stderr


def test_a_time_that_passes_undecided_is_told_apart_from_failure(live: Live) -> None:
    result = live.call("rollout", "status", "email", "--timeout", "0.1s")
    assert result.exit_code == 5
    assert "not decided within 0.1s" in result.stderr
    assert "lost the server" not in result.stderr, "it was not the server who left"
    live.call("rollout", "pause", "email")
    assert live.call("rollout", "status", "email", "--timeout", "0.1s", "--through-pauses").exit_code == 5


def test_a_task_without_a_rollout_and_a_bad_timeout_are_errors(live: Live) -> None:
    assert live.call("rollout", "status", "chat").exit_code == 1
    assert live.call("rollout", "status", "nobody").exit_code == 1
    assert live.call("rollout", "status", "email", "--timeout", "soon").exit_code == 2


def test_whoever_may_not_look_is_told_so_by_the_code(live: Live) -> None:
    result = live.call("rollout", "status", "email", "--url", live.url, "--token", "wrong")
    assert result.exit_code == 4


def until_event(feed: Iterator[EventView | None]) -> EventView:
    return next(event for event in feed if event is not None)


def test_every_move_is_a_line_as_it_comes(live: Live) -> None:
    where = Where(config=live.config)
    with open_link(where) as link:
        followed = look(link, "email")
    feed = EventFeed(where, task="email", after=followed.revision, tell=pytest.fail).events(until=time.monotonic() + 60)
    assert next(feed) is None, "a quiet log says that the server is there"
    move(live, Phase.PAUSED, reason="freeze")
    paused = followed.take(until_event(feed))
    assert paused is not None
    assert "⏸ paused" in paused
    assert "freeze" in paused
    assert followed.outcome == 5
    move(live, Phase.ROLLED_BACK, reason="enough")
    assert "✖ rolled back" in str(followed.take(until_event(feed)))
    assert followed.outcome == 3


def test_what_only_the_evidence_remembers_is_no_move(live: Live) -> None:
    with open_link(Where(config=live.config)) as link:
        followed = look(link, "email")
    feed = EventFeed(Where(config=live.config), task="email", after=followed.revision, tell=pytest.fail)
    move(live, Phase.RUNNING, reason=followed.rollout.progress.reason)
    assert followed.take(until_event(feed.events(until=time.monotonic() + 60))) is None
    assert followed.revision == live.bench.world.revision


def test_others_events_are_no_lines(live: Live) -> None:
    with open_link(Where(config=live.config)) as link:
        followed = look(link, "email")
    assert live.call("key", "create", "app").exit_code == 0
    feed = EventFeed(Where(config=live.config), task="email", after=followed.revision, tell=pytest.fail)
    assert followed.take(until_event(feed.events(until=time.monotonic() + 60))) is None


def test_a_server_that_goes_away_is_waited_for_and_that_is_said(tmp_path: Path) -> None:
    told: list[str] = []
    away = threading.Event()

    def tell(text: str) -> None:
        told.append(text)
        away.set()

    with live_server(tmp_path) as first:
        first.call("rollout", "start", "email", "--to", "new")
        where = Where(config=first.config)
        feed = EventFeed(where, task="email", after=0, tell=tell).events(until=time.monotonic() + 60)
        assert [until_event(feed).revision, until_event(feed).revision] == [1, 2]
    assert next(event is None for event in feed if told)
    assert told[0].startswith("lost the server: ")
    (tmp_path / ".changeover" / "server.json").unlink()
    (tmp_path / ".changeover").rmdir()
    with live_server(tmp_path) as second:
        for number in range(2):
            second.call("task", "split", "email", "old=90", "new=10", "--reason", f"{number}")
            second.call("task", "split", "email", "old=100")
        assert until_event(feed).revision == 3, "the log is taken up where it was left"
    assert "the server is back after" in told[1]
    feed.close()


def test_a_feed_ends_with_its_time(tmp_path: Path) -> None:
    with live_server(tmp_path) as live:
        config = live.config
    feed = EventFeed(Where(config=config), task="email", after=0, tell=lambda _: None)
    assert all(event is None for event in feed.events(until=time.monotonic() + 0.3))


def test_a_refusal_is_not_waited_out(live: Live) -> None:
    feed = EventFeed(Where(config=live.config), task="nobody", after=0, tell=pytest.fail)
    with pytest.raises(Failure, match="found no task 'nobody'"):
        next(feed.events(until=time.monotonic() + 60))


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_has_a_code_or_is_waited_for(live: Live, phase: Phase) -> None:
    rollout = live.bench.world.rollouts["email-1"]
    told = outcome(msgspec.structs.replace(rollout, progress=msgspec.structs.replace(rollout.progress, phase=phase)), undone=False)
    assert told is not None or not phase.is_final
