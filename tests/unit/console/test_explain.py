"""Why a request got its version: asked of a real server, about requests that were drawn by the real assignment."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from changeover.exchange.journey import Journey
from changeover.exchange.observation import Observation, Outcome
from changeover.ports.planes import ObservationBatch
from changeover.rollout.world import routes
from changeover.traffic.assignment import assign
from changeover.traffic.table import Side
from tests.unit.console.live import Live, live_server

WIDE = {"COLUMNS": "300"}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_server(tmp_path) as live:
        result = live.call("task", "split", "email", "old=60", "new=40", "--reason", "have a look")
        assert result.exit_code == 0, result.output
        yield live


def serve(live: Live, request_id: str, unit: str | None = None, *, sequence: int = 1, **fields: Any) -> Observation:
    """As a data plane draws and reports it."""
    world, now = live.bench.world, live.bench.clock.advance(1)
    journey = Journey(request_id, started_at=now, at=0.0, revision=world.table_revision)
    drawn = journey.route("email", routes(world)["email"], unit)
    journey.attempts = 1
    told = journey.finish(0.5, Outcome.ANSWERED, status=200, served=drawn.deployment)
    assert told is not None
    told = msgspec.structs.replace(told, **fields)
    live.bench.store.take(ObservationBatch(plane="p0", boot="b1", sequence=sequence, watermark_at=now, observations=(told,)), at=now)
    return told


def drawn_to(live: Live, side: Side) -> str:
    route = routes(live.bench.world)["email"]
    return next(name for number in range(99) if assign(route, name := f"unit-{number}").side is side)


@pytest.mark.parametrize("side", list(Side))
def test_a_request_without_a_unit_is_drawn_again_by_its_own_id(live: Live, side: Side) -> None:
    told = serve(live, drawn_to(live, side))
    result = live.call("task", "explain", "email", "--request", told.request_id, env=WIDE)
    assert result.exit_code == 0, result.output
    assert "revision 2, attempt 1, a split by hand" in result.stdout
    assert "new 40 %, set by " in result.stdout
    assert ": have a look" in result.stdout
    assert "the request itself" in result.stdout
    assert f"so it is the {side}'s" in result.stdout
    assert f"{side}, which had a probability of {0.4 if side is Side.CANDIDATE else 0.6}" in result.stdout
    assert "✔ drawn again" in result.stdout


def test_a_named_unit_is_known_by_its_hash_until_it_is_said(live: Live) -> None:
    told = serve(live, "r1", "conversation 7")
    alone = live.call("task", "explain", "email", "--request", "r1", env=WIDE)
    assert told.unit in alone.stdout
    assert "say it with --unit" in alone.stdout
    assert "drawn again" not in alone.stdout
    said = live.call("task", "explain", "email", "--request", "r1", "--unit", " conversation 7 ", env=WIDE)
    assert "✔ drawn again" in said.stdout
    other = live.call("task", "explain", "email", "--request", "r1", "--unit", "conversation 8")
    assert other.exit_code == 1
    assert "is not of unit 'conversation 8'" in other.stderr


def test_a_data_plane_that_drew_otherwise_is_found_out(live: Live) -> None:
    other = drawn_to(live, Side.STABLE)
    serve(live, other, side=Side.CANDIDATE, assigned="new", served="new")
    result = live.call("task", "explain", "email", "--request", other, env=WIDE)
    assert "✖ drawn again it is old (stable)" in result.stdout
    assert json.loads(live.call("task", "explain", "email", "--request", other, "-o", "json").stdout)["agrees"] is False


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"served": "other", "error": "breaker_open"}, "by other, in its place: new was not asked, its breaker was open"),
        ({"served": "old", "error": "429", "attempts": 2}, "by old, in its place: new was asked and did not answer (429) (2 attempts)"),
        ({"served": "old", "error": "no_token"}, "by old, in its place: new could not be asked (no_token)"),
        ({"served": None, "error": "first_byte_timeout", "outcome": Outcome.FAILED}, "by nobody: first_byte_timeout (1 attempt)"),
    ],
)
def test_it_is_said_why_another_served(live: Live, fields: dict[str, Any], said: str) -> None:
    told = serve(live, drawn_to(live, Side.CANDIDATE), **fields)
    assert said in live.call("task", "explain", "email", "--request", told.request_id, env=WIDE).stdout


def test_a_request_bound_to_a_side_was_not_drawn(live: Live) -> None:
    serve(live, "r1", forced=True, side=Side.CANDIDATE, assigned="new", served="new")
    shown = live.call("task", "explain", "email", "--request", "r1", env=WIDE).stdout
    assert "candidate, without a draw: it continues a response that new made" in shown
    assert "drawn again" not in shown


def test_an_old_request_is_explained_by_the_weight_of_its_own_time(live: Live) -> None:
    told = serve(live, "r1")
    live.call("task", "split", "email", "old=100", "--reason", "over")
    live.call("rollout", "start", "email", "--to", "new", "--reason", "try it")
    shown = live.call("task", "explain", "email", "--request", told.request_id, env=WIDE).stdout
    assert ": have a look" in shown
    assert "✔ drawn again" in shown
    later = serve(live, "r2", sequence=2)
    shown = live.call("task", "explain", "email", "--request", later.request_id, env=WIDE).stdout
    assert "rollout email-1" in shown or "rollout email-2" in shown
    assert "try it" in shown
    assert "✔ drawn again" in shown


def test_a_unit_is_followed_through_every_change_that_moved_it(live: Live) -> None:
    unit = drawn_to(live, Side.CANDIDATE)
    shown = live.call("task", "explain", "email", "--unit", unit, env=WIDE)
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("now        new (candidate): place ")
    assert "have a look" in lines[1]
    live.call("task", "split", "email", "old=100", "--reason", "enough")
    found = json.loads(live.call("task", "explain", "email", "--unit", unit, "-o", "json").stdout)
    assert [turn["drawn"]["deployment"] for turn in found["turns"]] == ["old", "new", "old"]
    assert found["turns"][-1]["change"]["reason"] == "enough"


def test_an_id_that_nobody_reported_is_refused_with_where_ids_come_from(live: Live) -> None:
    result = live.call("task", "explain", "email", "--request", "nobody's")
    assert result.exit_code == 1
    assert "x-changeover-request-id" in result.stderr
    assert "kept as long as the store" in result.stderr


def test_a_request_of_another_task_is_told_with_the_command_for_it(live: Live) -> None:
    serve(live, "r1", task="chat")
    result = live.call("task", "explain", "email", "--request", "r1")
    assert result.exit_code == 1
    assert "changeover task explain chat --request r1" in result.stderr


def test_a_request_that_was_refused_before_its_task_was_known_has_nothing_to_explain(live: Live) -> None:
    serve(live, "r1", task=None, side=None, outcome=Outcome.REFUSED, status=400, error="invalid_json")
    result = live.call("task", "explain", "email", "--request", "r1")
    assert result.exit_code == 1
    assert "status 400, invalid_json" in result.stderr


def test_one_of_the_two_must_be_said(live: Live) -> None:
    assert live.call("task", "explain", "email").exit_code == 2
