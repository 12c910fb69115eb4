"""`compare --by served-model`: before and after, in every form."""

from collections.abc import Iterator

import msgspec
import pytest
import yaml

from changeover.api.served_answers import NOT_RANDOMISED, ServedAnswer, ServedVersionView
from changeover.console.render_served import render_served, served_html, served_markdown
from changeover.console.render_served_rows import HEADS
from changeover.console.time_span import TimeSpan, time_span
from changeover.ports.planes import ObservationBatch
from changeover.rollout.sighting import Drift
from tests.unit.api.bench import T0
from tests.unit.api.test_served import NEW, OLD, answered
from tests.unit.console.live import Live, live_server
from tests.unit.console.test_comparisons import NASTY
from tests.unit.console.test_rendering import text_of


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_server(tmp_path_factory.mktemp("served")) as live:
        rows = [answered(number, OLD if number < 8 else NEW, at=T0 - 3600 + number) for number in range(12)]
        live.bench.store.take(ObservationBatch(plane="p0", boot="b1", sequence=1, watermark_at=T0, observations=tuple(rows)), at=T0)
        yield live


def view(model: str | None, **fields: object) -> ServedVersionView:
    values: dict[str, object] = {
        "deployment": "old",
        "model": model,
        "contradicts": False,
        "requests": 1000,
        "errors": 10,
        "error_share": 0.01,
        "latency_ms_p50": 800.0,
        "latency_ms_p95": 2000.0,
        "latency_ms_p99": 4000.0,
        "cost_usd_mean": 0.004,
        "tokens_input_mean": 500.0,
        "tokens_output_mean": 120.0,
        "filtered": 2,
        "filter_known": 990,
        "filtered_share": 2 / 990,
        "first_seen_at": T0 - 7200,
        "last_seen_at": T0 - 3600,
    }
    return ServedVersionView(**{**values, **fields})  # pyright: ignore[reportArgumentType]


AFTER = view(NEW, contradicts=True, latency_ms_p50=1000.0, error_share=0.02, cost_usd_mean=None, filtered_share=None)
DRIFT = Drift(deployment="old", kind="model", found=NEW, expected=OLD, seen_at=T0 - 3600, request_id="r1")
ANSWER = ServedAnswer(
    task="email", stable=("old",), since=T0 - 86_400, until=T0, read=2000, sampled=True, versions=(view(OLD), AFTER), drifts=(DRIFT,)
)


def test_the_table_shows_both_versions_and_by_how_much_they_differ() -> None:
    text = text_of(render_served(ANSWER), width=220)
    assert NOT_RANDOMISED in text
    assert OLD in text
    assert "not what is pinned" in text
    assert "1000 ms" in text
    assert "x1.25" in text
    assert "x2.00" in text
    assert "nobody drew lots" in text
    assert "counts are of this sample" in text
    assert f"drift: old answered as {NEW}, pinned is {OLD}" in text


def test_what_is_not_known_is_a_dash_and_never_a_zero() -> None:
    (line,) = [line for line in served_markdown(ANSWER).splitlines() if "not what is pinned" in line]
    cells = dict(zip(HEADS, (each.strip() for each in line.strip("|").split("|")), strict=True))
    assert (cells["cost"], cells["filtered"]) == (r"\-", r"\-")
    assert cells["errors"] == "2.00 %<br>x2.00"


def test_a_version_alone_has_nothing_to_differ_from() -> None:
    text = text_of(render_served(msgspec.structs.replace(ANSWER, versions=(view(None),), sampled=False, drifts=())), width=220)
    assert "(not said)" in text
    assert "all 2000 requests" in text
    assert " x" not in text
    assert "nobody drew lots" not in text


def test_nothing_served_is_said_in_every_form() -> None:
    nothing = msgspec.structs.replace(ANSWER, versions=(), read=0, drifts=())
    for text in (text_of(render_served(nothing)), served_markdown(nothing), served_html(nothing)):
        assert "no request was assigned to old" in text


def test_names_of_a_provider_are_never_markup() -> None:
    nasty = msgspec.structs.replace(ANSWER, versions=(view(NASTY), AFTER))
    assert "<script>" not in served_html(nasty)
    assert r"\[a\]\(http://evil\)" in served_markdown(nasty)
    assert '<th scope="row" class="yellow">' in served_html(nasty)


@pytest.mark.parametrize("output", ["table", "json", "yaml", "markdown", "html"])
def test_the_command_answers_in_every_form(live: Live, output: str) -> None:
    result = live.call("compare", "email", "--by", "served-model", "-o", output)
    assert result.exit_code == 0, result.output
    shown = result.output.replace("\\", "")
    assert NOT_RANDOMISED in shown
    assert OLD in shown
    if output == "json":
        assert [one.requests for one in msgspec.json.decode(result.output, type=ServedAnswer).versions] == [8, 4]
    if output == "yaml":
        assert yaml.safe_load(result.output)["read"] == 12


def test_the_time_may_be_said_as_dates(live: Live) -> None:
    result = live.call("compare", "email", "--by", "served-model", "--over", "2023-11-01..2023-11-10", "-o", "json")
    assert msgspec.json.decode(result.output, type=ServedAnswer).read == 0
    result = live.call("compare", "email", "--by", "served-model", "--over", "2023-11-14T21:13:20..", "-o", "json")
    assert msgspec.json.decode(result.output, type=ServedAnswer).read == 12


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--by", "served-model", "--watch"), "expected one of them"),
        (("--over", "7d"), "expected --by served-model"),
        (("--by", "served-model", "--over", "week"), "expected how far back"),
        (("--by", "served-model", "--over", ".."), "expected how far back"),
    ],
)
def test_options_that_do_not_go_together_are_refused(live: Live, arguments: tuple[str, ...], said: str) -> None:
    result = live.call("compare", "email", *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_a_date_without_a_zone_is_of_utc() -> None:
    from click import Context, Option

    from changeover.console.looking import compare

    option = Option(["--over"])
    context = Context(compare)
    assert time_span(context, option, "2023-11-14..") == TimeSpan(since=1_699_920_000.0)
    assert time_span(context, option, "..2023-11-14T02:00:00+02:00") == TimeSpan(until=1_699_920_000.0)
    assert time_span(context, option, "36h") == TimeSpan(last=129_600.0)


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_column_is_lost_on_a_narrow_terminal(width: int) -> None:
    text = text_of(render_served(ANSWER), width=width)
    assert all(head in text for head in HEADS)
    assert "p50 1000 ms x1.25" in text
