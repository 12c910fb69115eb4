"""``changeover rollout approve | override | promote | retry`` and ``start --dry-run``, as a user types them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.console.failure import ExitCode
from changeover.rollout.commands import Order, pause
from changeover.rollout.state import Phase, Rollout
from tests.unit.api.bench import CONFIG
from tests.unit.console.live import Live, live_server

ROLLOUTS = """\
rollouts:
  up:
    task: email
    candidate: new
    steps: [{weight: 50}, {analysis: {require: pass}}, {approve: {roles: [owner]}}, {weight: 100}]
    bake: {duration: 1m, holdback: 5}
"""


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_server(tmp_path) as live:
        live.bench.config = CONFIG + ROLLOUTS
        yield live


def latest(live: Live) -> Rollout:
    return max(live.bench.world.rollouts.values(), key=lambda rollout: rollout.attempt)


def started(live: Live) -> Rollout:
    assert live.call("rollout", "start", "email", "--to", "new").exit_code == 0
    return latest(live)


def test_a_script_says_yes_to_an_override_and_anybody_gives_a_reason(live: Live) -> None:
    started(live)
    words = ("rollout", "override", "email", "--gates", "errors, dwell")
    assert live.call(*words).exit_code == ExitCode.USAGE
    refused = live.call(*words, "--reason", "ticket")
    assert (refused.exit_code, "--yes" in refused.stderr) == (ExitCode.NOT_ALLOWED, True)
    done = live.call(*words, "--reason", "ticket", "--yes")
    assert done.exit_code == 0, done.output
    (override,) = latest(live).progress.overrides
    assert (override.gates, override.reason) == (("errors", "dwell"), "ticket")
    assert override.actor not in ("", "api")


def test_a_word_about_another_revision_ends_with_the_code_for_stale(live: Live) -> None:
    started(live)
    result = live.call("rollout", "promote", "email", "--yes", "--revision", "1")
    assert (result.exit_code, "the present one is" in result.stderr) == (ExitCode.STALE, True)
    assert latest(live).progress.finishing is None


def test_what_happens_elsewhere_does_not_make_a_word_stale(live: Live) -> None:
    """Without --revision it is the rollout that has to stand where it stood, not the whole server."""
    started(live)
    assert live.call("rollout", "promote", "email", "--yes", "--reason", "seen enough").exit_code == 0
    wish = latest(live).progress.finishing
    assert wish is not None
    assert (wish.gates, wish.reason) == ((), "seen enough")


def test_promoting_names_the_gates_it_goes_without(live: Live) -> None:
    started(live)
    assert live.call("rollout", "promote", "email", "--yes", "--without", "quality").exit_code == ExitCode.ERROR
    assert live.call("rollout", "promote", "email", "--yes", "--without", "quality", "--reason", "agreed").exit_code == 0
    wish = latest(live).progress.finishing
    assert wish is not None
    assert wish.gates == ("quality",)


def test_an_approval_where_none_is_asked_for_says_where_it_stands(live: Live) -> None:
    started(live)
    result = live.call("rollout", "approve", "email")
    assert (result.exit_code, "waits for no approval" in result.stderr) == (ExitCode.ERROR, True)


def test_retry_answers_with_the_new_attempt(live: Live) -> None:
    first = started(live)
    order = Order(actor="test", reason="wait")
    live.bench.store.commit(lambda world: pause(world, task="email", order=order, now=0.0), at=0.0)
    result = live.call("rollout", "retry", "email", "-o", "json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["task"]["rollout"]["id"] == latest(live).id == "up-2"
    assert live.bench.world.rollouts[first.id].progress.phase is Phase.SUPERSEDED


def test_a_dry_run_prints_the_plan_and_what_it_means(live: Live) -> None:
    result = live.call("rollout", "start", "email", "--to", "new", "--dry-run")
    assert result.exit_code == 0, result.output
    for word in ("would start up-1", "5. bake 1 min, 5 % stays on old", "stays the way back", "capacity:", "nothing was done"):
        assert word in result.stdout
    assert live.bench.world.rollouts == {}


def test_a_strategy_without_its_engine_is_refused_with_what_works(live: Live) -> None:
    result = live.call("rollout", "start", "email", "--to", "new", "--strategy", "blue-green")
    assert result.exit_code == ExitCode.ERROR
    assert "not in this version" in result.stderr
