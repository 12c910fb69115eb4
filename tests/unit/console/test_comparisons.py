"""A comparison of all criteria: in the terminal, as Markdown, as a page of HTML."""

from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from changeover.api.answers import CompareAnswer
from changeover.console.render_compare import render_compare
from changeover.console.render_compare_html import html_of
from changeover.console.render_compare_markdown import markdown_of
from changeover.console.render_compare_rows import HEADS, level
from changeover.gates.criteria import (
    CostCriterion,
    Criteria,
    ErrorsCriterion,
    LatencyCriterion,
    QualityCriterion,
    SafetyCriterion,
)
from changeover.gates.verdict import Braked, Decision, Level, SideFigures, Verdict, WorstSlice
from tests.unit.console.test_rendering import ERRORS, QUALITY, assessment, cells_of, text_of
from tests.unit.rollout import builders

CRITERIA = Criteria(
    quality=QualityCriterion(score="rating", scale_low=0, scale_high=1, margin=0.02),
    errors=ErrorsCriterion(),
    latency=LatencyCriterion(guard_only=(0.99,)),
    cost=CostCriterion(),
    safety=SafetyCriterion(max_ratio=1.5, margin_points=2, harmful="harm"),
    left_out={"accuracy": "no source; accepted"},
)
NASTY = "<script>alert('x')</script> | [a](http://evil) `b` *c*"


def ratio_verdict(criterion: str, stable: SideFigures, candidate: SideFigures, *, guard_only: bool = False) -> Verdict:
    return msgspec.structs.replace(
        QUALITY,
        criterion=criterion,
        decision=Decision.UNDECIDED,
        worse_inside=False,
        stable=stable,
        candidate=candidate,
        estimate=0.9982,
        low=0.9412,
        high=1.0587,
        sentence=f"accepted: so much more {criterion}; undecided",
        to_pass=Level(log_e=1330.97, threshold=2.9957),
        guard_only=guard_only,
    )


def _counted(**value: Any) -> SideFigures:
    return SideFigures(count=123_456, **value)


ALL = (
    QUALITY,
    ERRORS,
    ratio_verdict("latency p50", _counted(events=900, mean=0.5, quantile_ms=412.3), _counted(events=9, mean=0.4, quantile_ms=409.9)),
    ratio_verdict("latency p95", _counted(events=900, mean=0.5, quantile_ms=1412.3), _counted(events=9, mean=0.4, quantile_ms=1409.9)),
    ratio_verdict(
        "latency p99",
        _counted(events=900, mean=0.5, quantile_ms=12_000.0),
        _counted(events=9, mean=0.4, quantile_ms=13_000.0),
        guard_only=True,
    ),
    ratio_verdict("cost", _counted(mean=0.00105158), _counted(mean=0.00104997)),
    ratio_verdict("input tokens", _counted(mean=124.57667), _counted(mean=123.5675)),
    ratio_verdict("output tokens", _counted(mean=249.59), _counted(mean=248.87)),
    ratio_verdict("filter", _counted(events=120, mean=120 / 123_456), _counted(events=110, mean=110 / 123_456)),
    ratio_verdict("harmful", SideFigures(missing=9), SideFigures(missing=8)),
)


def comparison(**changed: object) -> CompareAnswer:
    answer = CompareAnswer(
        rollout=builders.walked(1, builders.plan(criteria=CRITERIA)),
        active=True,
        stable_model="gpt-4o 2024-05-13",
        candidate_model="gpt-4o 2024-11-20",
        assessment=msgspec.structs.replace(assessment(*ALL), config_hash="0123456789abcdef"),
        warnings=("the sides differ in account: stable aoai-1, candidate aoai-2",),
    )
    return msgspec.structs.replace(answer, **changed)


def test_all_criteria_fit_a_hundred_columns() -> None:
    lines = text_of(render_compare(comparison()), width=100).splitlines()
    assert max(map(len, lines)) <= 100
    for verdict in ALL:
        assert any(line.startswith(verdict.criterion.partition(" ")[0]) for line in lines)
    text = "\n".join(lines)
    for verdict in ALL:
        assert f"pass {level(verdict.to_pass)}" in text
        assert f"trip {level(verdict.to_trip)}" in text
    assert all(head in text for head in HEADS)


@pytest.mark.parametrize(
    ("criterion", "parts"),
    [
        ("latency p50", ("412.3 ms", "409.9 ms", "0.998x", "0.941x to 1.06x", "1.1x", "123456", "… undecided")),
        ("latency p99", ("12 s", "13 s", "guard, no gate")),
        ("cost", ("$0.00105 $0.00105", "1.1x")),
        ("input tokens", ("124.6", "123.6", "1.1x")),
        ("output tokens", ("249.6", "1.25x")),
        ("filter", ("120 110 ", "0.0972 %", "1.5x or", "+2 pp", "pass 1331/3.00")),
        ("harmful", ("9 missing", "8 missing", "1.5x or")),
    ],
)
def test_every_criterion_shows_its_own_numbers(criterion: str, parts: tuple[str, ...]) -> None:
    row = cells_of(text_of(render_compare(comparison()), width=140), criterion)
    for part in parts:
        assert part in row, row


def test_what_differs_between_the_sides_is_noted_before_the_numbers() -> None:
    text = text_of(render_compare(comparison()))
    assert text.index("note: the sides differ in account: stable aoai-1, candidate aoai-2") < text.index("criterion")
    assert "config 01234567" in text


def test_markdown_is_a_table_with_every_criterion_and_its_sentence() -> None:
    text = markdown_of(comparison())
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(ALL)
    assert {line.count("|") for line in table} == {9}
    assert "- note: the sides differ in account" in text
    assert text.count("accepted: ") == len(ALL)
    assert "accuracy: not asked" in text
    assert "sample ratio" in text


def test_markdown_takes_no_name_for_markup() -> None:
    text = markdown_of(_nasty())
    assert "<script" not in text.replace("\\<", "")
    for sign in ("[a]", "`b`", "*c*"):
        assert sign not in text
    assert {line.count("|") - line.count("\\|") for line in text.splitlines() if line.startswith("|")} == {9}


def _nasty() -> CompareAnswer:
    answer = comparison()
    verdict = msgspec.structs.replace(QUALITY, sentence=NASTY, criterion=NASTY, margin=NASTY)
    rollout = msgspec.structs.replace(
        answer.rollout, task=NASTY, stable=NASTY, candidate=NASTY, progress=msgspec.structs.replace(answer.rollout.progress, reason=NASTY)
    )
    return comparison(rollout=rollout, stable_model=NASTY, assessment=assessment(verdict), warnings=(NASTY,))


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_html_has_a_row_for_every_criterion_and_fetches_and_runs_nothing() -> None:
    page = _Page(html_of(comparison()))
    assert page.tags.count("tr") == 1 + len(ALL)
    assert page.tags.count("td") == 7 * len(ALL)
    assert not {"script", "link", "img", "iframe", "a"} & set(page.tags)
    assert not any(name in {"src", "href"} or name.startswith("on") for name, _ in page.attributes)
    assert any(value is not None and "default-src 'none'" in value for _, value in page.attributes)
    assert "✖ fail, tripped" in page.text


def test_html_takes_no_name_for_markup() -> None:
    page = _Page(html_of(_nasty()))
    assert "script" not in page.tags
    assert any(NASTY in text for text in page.text)


def test_a_comparison_without_any_criterion_is_said_in_every_form() -> None:
    empty = comparison(assessment=assessment())
    assert "no criterion is asked" in markdown_of(empty)
    assert "no criterion is asked" in html_of(empty)


def test_the_brake_and_the_worst_slices_are_told_in_every_form_and_take_no_label_for_markup() -> None:
    brake = Braked(
        at=1.0,
        candidate_requests=40,
        candidate_errors=30,
        stable_requests=300,
        stable_errors=0,
        units_min=20,
        share_max=0.5,
        stable_share_max=0.1,
    )
    worst = WorstSlice(
        criterion="errors",
        label=NASTY,
        slices=7,
        stable=SideFigures(count=90),
        candidate=SideFigures(count=10),
        estimate=None,
        alpha=0.01,
        harm=Level(log_e=1.5, threshold=6.55),
    )
    answer = comparison(assessment=msgspec.structs.replace(assessment(QUALITY), brake=brake, slices=(worst,)))
    page = _Page(html_of(answer))
    for text in (text_of(render_compare(answer)), markdown_of(answer), " ".join(page.text)):
        assert "outage brake" in text
        assert "worst of 7 slices for errors" in text
        assert "at 0.01 divided by 7" in text
    assert "script" not in page.tags
    assert "<script" not in markdown_of(answer).replace("\\<", "")
