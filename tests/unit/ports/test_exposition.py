"""The text that Prometheus reads: what it demands of names, labels, buckets and of families in several parts."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.ports.exposition import Family, Sample, gauge, histogram_samples, joined, labels, number_text, render


def lines_of(*families: Family) -> list[str]:
    return render(families).decode().splitlines()


def test_a_family_is_its_help_its_type_and_its_samples() -> None:
    found = Family(name="a_total", kind="counter", help="What\nit \\ is.", samples=(Sample(labels(task="mail"), 3), Sample((), 0.5)))
    assert lines_of(found) == ["# HELP a_total What\\nit \\\\ is.", "# TYPE a_total counter", 'a_total{task="mail"} 3', "a_total 0.5"]


def test_a_name_from_a_file_cannot_break_out_of_its_label() -> None:
    assert lines_of(gauge("a", "x", 1, labels(task='x"} 9\ny\\')))[-1] == r'a{task="x\"} 9\ny\\"} 1'


@given(st.text())
def test_every_label_stays_on_its_line(value: str) -> None:
    assert render([gauge("a", "x", 1, labels(task=value))]).count(b"\n") == 3


def test_buckets_are_cumulative_and_the_last_holds_all() -> None:
    samples = histogram_samples(labels(side="stable"), bounds_s=(0.1, 1.0), counts=[1, 2, 4], sum_s=9.5)
    found = Family(name="d_seconds", kind="histogram", help="x", samples=samples)
    assert lines_of(found)[2:] == [
        'd_seconds_bucket{side="stable",le="0.1"} 1',
        'd_seconds_bucket{side="stable",le="1"} 3',
        'd_seconds_bucket{side="stable",le="+Inf"} 7',
        'd_seconds_sum{side="stable"} 9.5',
        'd_seconds_count{side="stable"} 7',
    ]


def test_families_of_one_name_stand_together() -> None:
    own, other = gauge("a", "x", 1, labels(plane="p")), gauge("a", "x", 2, labels(plane="q"))
    assert lines_of(*joined(([own, gauge("b", "y", 0)], [other]))) == [
        "# HELP a x", "# TYPE a gauge", 'a{plane="p"} 1', 'a{plane="q"} 2', "# HELP b y", "# TYPE b gauge", "b 0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"), [(inf, "+Inf"), (-inf, "-Inf"), (nan, "NaN"), (3.0, "3"), (0.25, "0.25"), (10**16, "10000000000000000")]
)
def test_numbers_are_written_as_the_format_says(value: float, text: str) -> None:
    assert number_text(value) == text
