"""The list of a candidate's answers, as a user gets it: a real server over its socket."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from click.testing import Result

from changeover.api import affected as affected_api
from changeover.console.server_link import ServerLink
from changeover.exchange.observation import Observation, Outcome
from changeover.ports.planes import ObservationBatch
from changeover.ports.store import Mark, StoreError
from changeover.rollout.state import Phase
from changeover.rollout.world import Proposal, RolloutMoved
from changeover.traffic.assignment import hash_unit
from changeover.traffic.table import Side
from tests.unit.console.live import Live, live_server


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_server(tmp_path) as live:
        assert live.call("rollout", "start", "email", "--to", "new").exit_code == 0
        yield live


def report(live: Live, *observations: Observation, sequence: int = 1) -> None:
    now = live.bench.clock.advance(10)
    batch = ObservationBatch(plane="p0", boot="b1", sequence=sequence, watermark_at=now, observations=observations, lost=0)
    live.bench.store.take(batch, at=now)


def seen(live: Live, identity: str, *, unit: str = "", **fields: object) -> Observation:
    """A request that the candidate answered; a ``unit`` is sticky and hashed as a data plane does."""
    rollout = live.bench.world.rollouts["email-1"]
    values: dict[str, object] = {
        "request_id": identity,
        "started_at": live.bench.clock.now(),
        "outcome": Outcome.ANSWERED,
        "revision": 2,
        "latency_ms": 5.0,
        "task": "email",
        "attempt": 1,
        "unit": hash_unit(rollout.salt, unit or identity),
        "sticky": bool(unit),
        "side": Side.CANDIDATE,
        "candidate_probability": 0.1,
        "assigned": "new",
        "served": "new",
        "attempts": 1,
    }
    return Observation(**{**values, **fields})  # pyright: ignore[reportArgumentType]


def ids(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [json.loads(line)["request_id"] for line in result.stdout.splitlines()]


def test_every_answer_of_the_candidate_is_listed_and_no_other(live: Live) -> None:
    report(
        live,
        seen(live, "a"),
        seen(live, "stable's", side=Side.STABLE, assigned="old", served="old"),
        seen(live, "stood in for", served="old", error="breaker_open"),
        seen(live, "refused by it", outcome=Outcome.REJECTED, status=400),
        seen(live, "nobody's", outcome=Outcome.FAILED, served=None),
        seen(live, "broken off by its caller", outcome=Outcome.LEFT),
        seen(live, "of another task", task="chat"),
    )
    result = live.call("rollout", "affected", "email", "-o", "jsonl")
    assert sorted(ids(result)) == ["a", "broken off by its caller", "refused by it"]
    assert result.stderr.startswith("3 answers by new of rollout email-1 (task email, attempt 1)\n")


def test_assigned_adds_what_was_drawn_for_it_and_came_from_elsewhere(live: Live) -> None:
    report(
        live,
        seen(live, "a"),
        seen(live, "b", served="old", error="breaker_open"),
        seen(live, "c", outcome=Outcome.FAILED, served=None),
        seen(live, "d", side=Side.STABLE, assigned="old", served="old"),
    )
    result = live.call("rollout", "affected", "email", "-o", "jsonl", "--assigned")
    assert ids(result) == ["a", "b", "c"]
    assert [json.loads(line)["failed_over"] for line in result.stdout.splitlines()] == [False, True, False]


def test_a_line_says_what_is_needed_to_do_it_again(live: Live) -> None:
    report(live, seen(live, "a", unit="document 7", served_model="gpt-4o-2024-11-20", slice="legal"))
    found = json.loads(live.call("rollout", "affected", "email-1", "-o", "jsonl").stdout)
    assert found["time"].startswith("2023-11-14T22:13:")
    assert found["time"].endswith("Z")
    assert found["sticky"] is True
    assert (found["served"], found["served_model"], found["slice"]) == ("new", "gpt-4o-2024-11-20", "legal")


def test_answers_given_while_paused_after_the_end_and_after_a_promotion_are_in_it(live: Live) -> None:
    report(live, seen(live, "running"))
    live.call("rollout", "pause", "email")
    report(live, seen(live, "paused"), sequence=2)
    live.call("rollback", "email")
    report(live, seen(live, "stream that finished later"), sequence=3)
    later = seen(live, "as stable", attempt=0, side=Side.STABLE, unit="")
    continued = seen(live, "continued", attempt=0, side=Side.STABLE, forced=True)
    report(live, later, continued, sequence=4)
    assert ids(live.call("rollout", "affected", "email", "-o", "jsonl")) == [
        "running",
        "paused",
        "stream that finished later",
        "as stable",
        "continued",
    ]


def test_what_the_candidate_answers_in_a_later_attempt_is_that_attempts(live: Live) -> None:
    report(live, seen(live, "first"))
    live.call("rollback", "email")
    live.call("rollout", "release", "email", "--to", "new")
    assert live.call("rollout", "start", "email", "--to", "new").exit_code == 0
    report(live, seen(live, "second", attempt=2), sequence=2)
    assert ids(live.call("rollout", "affected", "email-1", "-o", "jsonl")) == ["first"]
    assert ids(live.call("rollout", "affected", "email", "-o", "jsonl")) == ["second"]


def test_a_rolled_back_candidate_is_looked_for_no_longer_than_a_conversation_can_go_on(live: Live) -> None:
    report(live, seen(live, "a"))
    live.call("rollback", "email")
    live.bench.clock.advance(31 * 86_400.0)
    report(live, seen(live, "much later", attempt=0, side=Side.STABLE), sequence=2)
    assert ids(live.call("rollout", "affected", "email", "-o", "jsonl")) == ["a"]


def test_a_promotion_that_was_taken_back_late_leaves_nothing_out(live: Live) -> None:
    promoted = msgspec.structs.replace(
        live.bench.world.rollouts["email-1"].progress, phase=Phase.COMPLETED, finished_at=live.bench.clock.now()
    )
    body = RolloutMoved(rollout="email-1", event="assessed", progress=promoted)
    live.bench.store.commit(lambda world: Proposal(actor="controller", reason="passed", body=body), at=live.bench.clock.now())
    live.bench.clock.advance(45 * 86_400.0)
    report(live, seen(live, "as stable", attempt=0, side=Side.STABLE))
    live.bench.clock.advance(15 * 86_400.0)
    assert live.call("rollback", "email", "--reason", "second thoughts").exit_code == 0
    assert ids(live.call("rollout", "affected", "email-1", "-o", "jsonl")) == ["as stable"]


def test_a_store_that_fails_in_the_middle_ends_the_list_with_how_to_go_on(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affected_api, "ROWS_PER_LOOK", 2)
    report(live, *(seen(live, f"r{number}", started_at=1e9 + number) for number in range(4)))
    read = live.bench.store.rows_after

    def failing(*, task: str, attempt: int, after: Mark, most: int) -> Sequence[Observation]:
        if after.request_id == "r1":
            raise StoreError("the disk is gone")
        return read(task=task, attempt=attempt, after=after, most=most)

    monkeypatch.setattr(live.bench.store, "rows_after", failing)
    result = live.call("rollout", "affected", "email", "-o", "jsonl")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 2, "what came before stands"
    assert "the store failed: the disk is gone" in result.stderr
    assert "add --after r1" in result.stderr


def test_lines_without_their_end_are_not_taken_for_all(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    report(live, seen(live, "a"))
    whole = ServerLink.lines
    monkeypatch.setattr(ServerLink, "lines", lambda *asked, **params: iter([*whole(*asked, **params)][:-1]))
    result = live.call("rollout", "affected", "email", "-o", "jsonl")
    assert result.exit_code == 1
    assert "the list is not complete: the answer broke off" in result.stderr
    assert "add --after a" in result.stderr


def test_whoever_reads_a_pipe_may_stop_at_any_line(live: Live) -> None:
    """More than a pipe holds is written after the reader has gone; nothing is said of that."""
    report(live, *(seen(live, f"r{number:05}") for number in range(3000)))
    command = [sys.executable, "-m", "changeover", "rollout", "affected", "email", "-o", "jsonl", "-c", str(live.config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"r00000" in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_pages_join_without_a_gap_and_a_run_goes_on_after_any_line(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affected_api, "ROWS_PER_LOOK", 3)
    many = [seen(live, f"r{number:02}", started_at=live.bench.clock.now() + number // 4) for number in range(20)]
    mixed = [seen(live, f"s{number:02}", side=Side.STABLE, assigned="old", served="old") for number in range(20)]
    report(live, *many, *mixed)
    whole = ids(live.call("rollout", "affected", "email", "-o", "jsonl"))
    assert whole == [each.request_id for each in many]
    for number in (0, 7, 18, 19):
        rest = live.call("rollout", "affected", "email", "-o", "jsonl", "--after", whole[number])
        assert ids(rest) == whole[number + 1 :]


@pytest.mark.parametrize("after", ["unknown", "of another task"])
def test_going_on_after_a_line_that_never_was_is_refused(live: Live, after: str) -> None:
    report(live, seen(live, "of another task", task="chat"))
    result = live.call("rollout", "affected", "email", "-o", "jsonl", "--after", after)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the last line that came" in result.stderr


def test_own_ids_are_found_behind_the_hashes_without_being_sent(live: Live, tmp_path: Path) -> None:
    report(live, seen(live, "a", unit="document 7"), seen(live, "b", unit="document 9"), seen(live, "c"))
    after = seen(live, "d", unit="document 9", attempt=0, side=Side.STABLE)
    report(live, msgspec.structs.replace(after, unit=hash_unit("", "document 9")), sequence=2)
    file = tmp_path / "documents.txt"
    file.write_text("document 8\ndocument 9\n\ndocument 7\n")
    result = live.call("rollout", "affected", "email", "-o", "jsonl", "--units", str(file))
    assert [json.loads(line)["unit_id"] for line in result.stdout.splitlines()] == ["document 7", "document 9", None, "document 9"]
    rows = list(csv.DictReader(io.StringIO(live.call("rollout", "affected", "email", "-o", "csv", "--units", str(file)).stdout)))
    assert [row["unit_id"] for row in rows] == ["document 7", "document 9", "", "document 9"]
    assert rows[0]["served"] == "new"


def test_a_table_has_a_line_an_answer(live: Live) -> None:
    report(live, seen(live, "a", unit="document 7"), seen(live, "b"))
    lines = live.call("rollout", "affected", "email").stdout.splitlines()
    assert lines[0].split() == ["time", "(UTC)", "request", "answered", "by", "drawn", "for", "outcome", "unit"]
    assert [line.split()[2] for line in lines[1:]] == ["a", "b"]


def test_nothing_to_do_again_is_no_error(live: Live) -> None:
    result = live.call("rollout", "affected", "email", "-o", "jsonl")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("0 answers by new")


def test_what_may_be_missing_is_said(live: Live) -> None:
    now = live.bench.clock.advance(10)
    live.bench.store.take(ObservationBatch(plane="p0", boot="b1", sequence=1, watermark_at=now, lost=3), at=now)
    live.bench.clock.advance(100)
    live.bench.store.take(ObservationBatch(plane="p1", boot="b1", sequence=1, watermark_at=now + 50), at=now + 100)
    said = live.call("rollout", "affected", "email").stderr
    assert "data planes not heard of lately may hold more: p0" in said
    assert "3 requests were never reported" in said
    assert "complete for requests that began before 2023-11-14 22:14:20 UTC" in said
