"""The attempts that were made, as a user reads them: who, what, how it ended and why."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from changeover.rollout.state import Phase
from changeover.rollout.world import PromotionUndone, Proposal, RolloutMoved
from tests.unit.console.live import Live, live_server


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_server(tmp_path) as live:
        yield live


def start(live: Live, task: str = "email", *, reason: str = "cheaper") -> None:
    result = live.call("rollout", "start", task, "--to", "new", "--reason", reason, *(("--without", "quality,accuracy") * (task == "chat")))
    assert result.exit_code == 0, result.output


def move(live: Live, identity: str, phase: Phase, *, reason: str, permille: int = 0, over: bool = True) -> None:
    now = live.bench.clock.advance(60)
    before = live.bench.world.rollouts[identity].progress
    finished_at = before.finished_at or now if over else None
    progress = msgspec.structs.replace(before, phase=phase, reason=reason, permille=permille, finished_at=finished_at)
    body = RolloutMoved(rollout=identity, event="assessed", progress=progress)
    live.bench.store.commit(lambda world: Proposal(actor="controller", reason=reason, body=body), at=now)


def attempts(live: Live, *arguments: str) -> list[dict[str, object]]:
    result = live.call("rollout", "history", *arguments, "-o", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["attempts"]


def test_an_attempt_says_who_began_it_what_it_meant_to_do_and_how_far_it_came(live: Live) -> None:
    start(live)
    (found,) = attempts(live, "email")
    assert found["id"] == "email-1"
    assert (found["stable"], found["candidate"]) == ("old", "new")
    assert found["started_by"]
    assert found["start_reason"] == "cheaper"
    assert found["outcome"] == "under way"
    assert found["finished_at"] is None
    assert found["percent_max"] == 10
    assert str(found["plan"]).startswith("['weight 10 %'")


def test_a_rolled_back_one_says_by_whom_why_and_after_how_long(live: Live) -> None:
    start(live)
    live.bench.clock.advance(600)
    live.call("rollback", "email", "--reason", "customers complain")
    (found,) = attempts(live, "email")
    assert found["outcome"] == "rolled back"
    assert found["why"] == "customers complain"
    assert found["duration_s"] == 600
    assert found["percent_max"] == 10, "what it had at most, not what it has now"
    shown = live.call("rollout", "history", "email", env={"COLUMNS": "200"}).stdout
    assert "✖ rolled back" in shown
    assert "after 10 min, by " in shown


def test_a_promotion_and_its_undoing_are_told_apart(live: Live) -> None:
    start(live)
    move(live, "email-1", Phase.RUNNING, reason="weight 100 %", permille=1000, over=False)
    move(live, "email-1", Phase.COMPLETED, reason="all gates passed", permille=1000)
    (found,) = attempts(live, "email")
    assert (found["outcome"], found["why"], found["decided_by"]) == ("promoted", "all gates passed", "controller")
    move(live, "email-1", Phase.RETIRED, reason="kept long enough", permille=1000)
    (found,) = attempts(live, "email")
    assert (found["outcome"], found["why"]) == ("promoted", "all gates passed"), "what decided it, not what came after"
    body = PromotionUndone(task="email", rollout="email-1")
    live.bench.store.commit(lambda world: Proposal(actor="me", reason="second thoughts", body=body), at=live.bench.clock.advance(60))
    (found,) = attempts(live, "email")
    assert (found["outcome"], found["why"], found["decided_by"]) == ("promotion undone", "second thoughts", "me")


def test_those_under_way_come_first_then_the_newest(live: Live) -> None:
    start(live, "chat")
    live.bench.clock.advance(60)
    start(live)
    live.call("rollback", "email")
    live.call("rollout", "release", "email", "--to", "new")
    live.bench.clock.advance(60)
    start(live)
    live.call("rollback", "email")
    assert [each["id"] for each in attempts(live)] == ["chat-1", "email-2", "email-1"]
    listed = [line.split()[0] for line in live.call("rollout", "ls").stdout.splitlines()[2:]]
    assert listed == ["chat-1", "email-2", "email-1"]


def test_units_are_counted_for_one_task_that_is_asked_for(live: Live) -> None:
    start(live)
    live.acknowledge()
    live.serve(200, sequence=1)
    live.serve(200, sequence=2)
    (found,) = attempts(live, "email")
    assert isinstance(found["units_candidate"], int)
    assert isinstance(found["units_stable"], int)
    assert found["units_candidate"] + found["units_stable"] >= 200
    assert attempts(live)[0]["units_candidate"] is None
    assert "units were drawn for the candidate" in live.call("rollout", "history", "email").stdout


def test_older_ones_are_left_out_and_that_is_said(live: Live) -> None:
    start(live, "chat")
    start(live)
    result = live.call("rollout", "history", "--limit", "1")
    assert "older ones are left out" in result.stdout
    assert len(attempts(live, "--limit", "1")) == 1


def test_without_any_attempt_it_is_said_how_to_make_one(live: Live) -> None:
    assert "changeover rollout start" in live.call("rollout", "history").stdout
    assert live.call("rollout", "history", "nobody").exit_code == 1
