"""The forecast of a plan over the API, and the start of a plan that cannot decide in time."""

from math import inf
from typing import Any

import msgspec
import pytest

from changeover.api.forecasting import ForecastAnswer
from changeover.exchange.observation import Observation, Outcome
from changeover.ports.planes import ObservationBatch
from changeover.rollout.world import RolloutStarted
from changeover.traffic.table import Side
from tests.unit.api.bench import CONFIG, Bench

DAY = 86_400.0
HURRIED = """\
rollouts:
  up:
    task: email
    candidate: new
    steps:
      - weight: 10
      - analysis: {require: no_harm}
      - weight: 50
      - analysis: {require: pass, max_duration: 1d}
      - weight: 100
    bake: {duration: 0s, holdback: 0}
"""


def alone(bench: Bench, count: int, *, over_s: float, users: int | None = None) -> None:
    """The stable's own traffic up to now; sticky where there are ``users``."""
    now = bench.clock.now()
    sent = tuple(
        Observation(
            request_id=f"a{number}",
            started_at=now - over_s + number * over_s / count,
            outcome=Outcome.ANSWERED,
            revision=1,
            latency_ms=100.0 + number % 100,
            task="email",
            unit=f"u{number}" if users is None else f"user{number % users}",
            sticky=users is not None,
            side=Side.STABLE,
            assigned="old",
            served="old",
        )
        for number in range(count)
    )
    bench.store.take(ObservationBatch(plane="p9", boot="b1", sequence=1, watermark_at=now, observations=sent), at=now)


def ask(bench: Bench, query: str = "") -> ForecastAnswer:
    return bench.ask(f"/api/v1/tasks/email/forecast?to=new{query}", ForecastAnswer)


def start(bench: Bench, **more: Any) -> Any:
    return bench.post("/api/v1/rollouts", {"task": "email", "candidate": "new", **more})


@pytest.fixture
def hurried() -> Any:
    with Bench() as bench:
        bench.config = CONFIG + HURRIED
        yield bench


def test_a_forecast_rests_on_the_stables_own_day() -> None:
    with Bench() as bench:
        alone(bench, 2000, over_s=3600.0)
        found = ask(bench)
        assert found.forecast.arrivals is not None
        assert found.forecast.arrivals.later == pytest.approx(48_000)
        assert [one.criterion for one in found.forecast.criteria] == ["quality", "errors"]
        assert "0.00% errors, observed" in found.forecast.criteria[1].basis
        assert "assumed" in found.forecast.criteria[0].basis
        assert found.sentence.startswith("If new is as good as old, half of such rollouts are through after")
        assert not found.hopeless


def test_a_user_who_returns_is_new_once() -> None:
    with Bench() as bench:
        alone(bench, 4000, over_s=4 * DAY, users=100)
        arrivals = ask(bench).forecast.arrivals
        assert arrivals is not None
        assert arrivals.first_day == pytest.approx(100, abs=3)
        assert arrivals.later == pytest.approx(0, abs=1)
        assert (ask(bench).forecast.total.days80 or inf) > 1000


def test_without_traffic_requests_are_foretold_and_a_start_goes_on() -> None:
    with Bench() as bench:
        found = ask(bench)
        assert found.forecast.arrivals is None
        assert found.forecast.total.n80 is not None
        assert start(bench).status_code == 201


def test_traffic_that_is_declared_counts_instead() -> None:
    with Bench() as bench:
        assert ask(bench, "&requests_per_day=1000").forecast.total.days80 == pytest.approx(
            10 * (ask(bench, "&requests_per_day=10000").forecast.total.days80 or 0), rel=0.01
        )


def test_a_forecast_may_look_ahead_under_other_margins() -> None:
    with Bench() as bench:
        usual, lenient = ask(bench), ask(bench, "&preset=cheaper-model")
        own = ask(bench, "&margin=quality=0.1,errors=3&even=1")
        assert usual.plan.criteria.quality != lenient.plan.criteria.quality
        assert own.plan.criteria.quality is not None
        assert own.plan.criteria.quality.margin == 0.1
        assert own.forecast.steps[0].percent == 50
        assert bench.world.revision == 1


def test_a_forecast_needs_no_candidate_and_no_word_about_sources() -> None:
    with Bench() as bench:
        found = bench.ask("/api/v1/tasks/chat/forecast", ForecastAnswer)
        assert found.candidate is None
        assert set(found.forecast.no_source) == {"quality", "accuracy"}


def test_the_only_rollout_of_the_file_is_the_one_that_is_meant(hurried: Bench) -> None:
    assert hurried.ask("/api/v1/tasks/email/forecast", ForecastAnswer).candidate == "new"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("&requests_per_day=0", 400),
        ("&requests_per_day=nan", 400),
        ("&requests_per_day=many", 400),
        ("&margin=quality", 400),
        ("&margin=beauty=1", 422),
        ("&margin=quality=5", 422),
        ("&guard_only=p99", 422),
        ("&preset=lenient", 422),
        ("&to=nobody", 422),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(query: str, status: int) -> None:
    with Bench() as bench:
        path = f"/api/v1/tasks/email/forecast?{query.removeprefix('&')}"
        reply = bench.get(path if "to=" in query else f"{path}&to=new")
        assert reply.status_code == status, reply.text
        assert reply.json()["error"]["hint"]


def test_an_unknown_task_is_not_found() -> None:
    with Bench() as bench:
        assert bench.get("/api/v1/tasks/nothing/forecast").status_code == 404


def test_a_plan_that_cannot_decide_in_time_is_refused_with_the_ways_out(hurried: Bench) -> None:
    alone(hurried, 2000, over_s=DAY)
    reply = start(hurried)
    assert reply.status_code == 409
    problem = reply.json()["error"]
    assert problem["code"] == "hopeless"
    assert "found max_duration 1 day; slowest is quality" in problem["message"]
    assert any("both versions answer the same" in way["what"] for way in problem["ways_out"])
    assert any("--margin quality=" in way.get("command", "") for way in problem["ways_out"])
    assert "--accept-undecided" in problem["hint"]
    assert hurried.world.rollouts == {}


def test_a_deadline_without_known_traffic_is_refused_and_traffic_can_be_told(hurried: Bench) -> None:
    reply = start(hurried)
    assert reply.status_code == 409
    assert "too little traffic of email" in reply.json()["error"]["message"]
    assert start(hurried, requests_per_day=1e7).status_code == 201


def test_an_accepted_risk_needs_a_reason_and_is_recorded(hurried: Bench) -> None:
    alone(hurried, 2000, over_s=DAY)
    assert start(hurried, accept_undecided=True).status_code == 422
    assert start(hurried, accept_undecided=True, reason="a pilot").status_code == 201
    (rollout,) = hurried.world.rollouts.values()
    assert rollout.plan.undecided_accepted.startswith("a pilot (step 4, analysis pass at 50 %")
    change = hurried.store.changes()[-1]
    assert isinstance(change.body, RolloutStarted)
    assert change.body.rollout.plan == rollout.plan


def test_a_start_may_differ_from_the_files_plan_and_what_it_did_is_recorded() -> None:
    with Bench() as bench:
        assert start(bench, adjustment={"even": True, "margins": {"errors": 3}}).status_code == 201
        (rollout,) = bench.world.rollouts.values()
        assert rollout.progress.permille == 500
        assert rollout.plan.criteria.errors is not None
        assert rollout.plan.criteria.errors.margin_points == 3
        assert rollout.plan.undecided_accepted == ""


def test_an_adjustment_that_means_nothing_starts_nothing() -> None:
    with Bench() as bench:
        assert start(bench, adjustment={"margins": {"beauty": 1}}).status_code == 422
        assert start(bench, adjustment={"odd": True}).status_code == 400
        assert bench.world.rollouts == {}


def test_a_plan_kept_before_there_were_forecasts_is_read_as_accepted_by_nobody() -> None:
    with Bench() as bench:
        bench.start()
        (rollout,) = bench.world.rollouts.values()
        kept = msgspec.to_builtins(rollout.plan)
        del kept["undecided_accepted"]
        assert msgspec.convert(kept, type(rollout.plan)) == rollout.plan
