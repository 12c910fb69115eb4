"""``changeover rollout forecast`` and the forecast before a start, over a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.api.bench import CONFIG
from tests.unit.api.test_forecasting import HURRIED, alone
from tests.unit.console.live import Live, live_server


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_server(tmp_path) as live:
        yield live


@pytest.fixture
def hurried(live: Live) -> Live:
    live.bench.config = CONFIG + HURRIED
    alone(live.bench, 2000, over_s=86_400.0)
    return live


def test_a_forecast_shows_traffic_steps_criteria_and_regressions(live: Live) -> None:
    alone(live.bench, 2000, over_s=3600.0)
    result = live.call("rollout", "forecast", "email", "--to", "new", env={"COLUMNS": "180"})
    assert result.exit_code == 0, result.output
    assert "traffic: 48,000 new units a day, from 2,000" in result.stdout
    assert "step 2, analysis no_harm at 10 %" in result.stdout
    assert "up to 0.02 lower on the scale 0 to 1" in result.stdout
    assert "quality <" in result.stdout
    assert "1.5 % instead of none" not in result.stdout
    assert "6 % instead of none" in result.stdout
    assert "If new is as good as old" in result.stdout
    assert result.stderr == ""


def test_a_forecast_names_what_has_no_source_and_what_is_not_known(live: Live) -> None:
    result = live.call("rollout", "forecast", "chat")
    assert result.exit_code == 0, result.output
    assert "any candidate" in result.stdout
    assert "quality: not asked, no source" in result.stdout
    assert "traffic: unknown" in result.stdout


def test_a_forecast_comes_as_json_under_other_margins(live: Live) -> None:
    arguments = ("--margin", "quality=0.1", "--margin", "errors=3", "--even", "--requests-per-day", "50000", "--preset", "strict")
    found = json.loads(live.call("rollout", "forecast", "email", "--to", "new", *arguments, "-o", "json").stdout)
    assert found["plan"]["criteria"]["quality"]["margin"] == 0.1
    assert found["plan"]["criteria"]["errors"]["margin_points"] == 3
    assert found["forecast"]["arrivals"]["later"] == 50_000
    assert [step["percent"] for step in found["forecast"]["steps"]] == [50]


@pytest.mark.parametrize("arguments", [("--margin", "quality"), ("--requests-per-day", "0"), ("--preset", "lenient")])
def test_an_option_that_cannot_be_read_is_a_usage_error(live: Live, arguments: tuple[str, ...]) -> None:
    assert live.call("rollout", "forecast", "email", *arguments).exit_code == 2


def test_a_start_prints_the_forecast_first(live: Live) -> None:
    result = live.call("rollout", "start", "email", "--to", "new")
    assert result.exit_code == 0, result.output
    assert result.stdout.index("forecast for email: old -> new") < result.stdout.index("email-1 ▶ running")
    assert "warning: the traffic is not known yet" in result.stderr


def test_in_the_way_of_data_the_forecast_is_one_line_on_stderr(live: Live) -> None:
    result = live.call("rollout", "start", "email", "--to", "new", "-o", "json")
    assert json.loads(result.stdout)["rollout"]["id"] == "email-1"
    assert "forecast: If new is as good as old" in result.stderr


def test_a_hopeless_plan_exits_5_with_the_ways_out_as_commands(hurried: Live) -> None:
    result = hurried.call("rollout", "start", "email", "--to", "new")
    assert result.exit_code == 5
    assert "error: this plan cannot be expected to decide in time" in result.stderr
    assert "- 50:50 sooner" in result.stderr
    assert "changeover rollout start email --to new --even" in result.stderr
    assert "--accept-undecided" in result.stderr.splitlines()[-1]
    assert hurried.bench.world.rollouts == {}


def test_a_way_out_that_is_said_to_decide_in_time_starts_as_it_is_printed(hurried: Live) -> None:
    refused = hurried.call("rollout", "start", "email", "--to", "new")
    lines = refused.stderr.splitlines()
    promised = next(index for index, line in enumerate(lines) if "(decides in time" in line)
    command = lines[promised + 1].strip().removeprefix("changeover ").split()
    started = hurried.call(*command)
    assert started.exit_code == 0, started.output


def test_a_hopeless_plan_is_started_with_a_reason(hurried: Live) -> None:
    assert hurried.call("rollout", "start", "email", "--to", "new", "--accept-undecided").exit_code == 1
    started = hurried.call("rollout", "start", "email", "--to", "new", "--accept-undecided", "--reason", "a pilot")
    assert started.exit_code == 0, started.output
    assert "a pilot" in hurried.bench.world.rollouts["up-1"].plan.undecided_accepted
