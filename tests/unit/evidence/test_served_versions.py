"""What each served version did, one after the other."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changeover.evidence.served_versions import NOBODY_SERVED, OTHERS, VERSIONS_MAX, ServedVersions
from changeover.exchange.observation import Observation, Outcome, Tokens
from changeover.traffic.table import Side

OLD, NEW = "gpt-4o-2024-08-06", "gpt-4o-2024-11-20"


def answered(number: int, model: str | None, **fields: object) -> Observation:
    values: dict[str, object] = {
        "request_id": f"r{number}",
        "started_at": float(number),
        "outcome": Outcome.ANSWERED,
        "revision": 1,
        "latency_ms": 100.0,
        "side": Side.STABLE,
        "assigned": "main",
        "served": "main",
        "served_model": model,
    }
    return Observation(**{**values, **fields})  # pyright: ignore[reportArgumentType]


def unanswered(number: int, **fields: object) -> Observation:
    return answered(number, None, outcome=Outcome.FAILED, served=None, **fields)


def versions(*rows: Observation) -> list[tuple[str | None, int, int]]:
    return [(one.model, one.requests, one.errors) for one in NOBODY_SERVED.after(rows).versions]


def test_requests_are_counted_by_the_version_that_answered_in_the_order_in_which_versions_came():
    assert versions(answered(1, OLD), answered(2, OLD), answered(3, NEW)) == [(OLD, 2, 0), (NEW, 1, 0)]


def test_an_unanswered_request_belongs_to_the_version_before_it():
    rows = [unanswered(1), answered(2, OLD), unanswered(3), answered(4, NEW), unanswered(5), unanswered(6)]
    assert versions(*rows) == [(None, 1, 1), (OLD, 2, 1), (NEW, 3, 2)]


def test_an_answer_by_a_stand_in_is_an_error_of_the_assigned_and_says_nothing_of_its_version():
    assert versions(answered(1, OLD), answered(2, NEW, served="stand-in")) == [(OLD, 2, 1)]


def test_deployments_of_a_pool_are_told_apart():
    found = NOBODY_SERVED.after([answered(1, OLD), answered(2, OLD, assigned="east", served="east"), unanswered(3, assigned="east")])
    assert [(one.deployment, one.requests, one.errors) for one in found.versions] == [("main", 1, 0), ("east", 2, 1)]


def test_figures_are_of_what_is_known_and_nothing_missing_is_a_zero():
    full = answered(1, OLD, tokens=Tokens(prompt=10, completion=3), cost_usd=0.02, filtered=True)
    (one,) = NOBODY_SERVED.after([full, answered(2, OLD, filtered=None), answered(3, OLD, filtered=False)]).versions
    assert (one.input.count, one.input.mean, one.output.mean, one.money.mean) == (1, 10, 3, 0.02)
    assert (one.filtered, one.filter_known) == (1, 2)
    assert (one.first_seen_at, one.last_seen_at) == (1.0, 3.0)


def test_a_server_with_ever_new_names_makes_no_endless_list():
    found = NOBODY_SERVED.after([answered(number, f"model-{number}") for number in range(100)])
    assert len(found.versions) == VERSIONS_MAX + 1
    assert sum(one.requests for one in found.versions) == 100
    assert next(one.requests for one in found.versions if one.model == OTHERS) == 100 - VERSIONS_MAX


@pytest.mark.parametrize("latency_ms", [float("nan"), float("inf"), -1.0])
def test_a_time_that_is_none_counts_for_no_quantile(latency_ms):
    (one,) = NOBODY_SERVED.after([answered(1, OLD, latency_ms=latency_ms, cost_usd=latency_ms)]).versions
    assert (one.requests, one.times.count, one.money.count) == (1, 0, 0)


@given(st.lists(st.tuples(st.sampled_from([OLD, NEW, None]), st.booleans()), max_size=40), st.integers(0, 40))
@settings(max_examples=50, deadline=None)
def test_reading_in_pages_finds_what_one_look_finds(kinds, cut):
    rows = [unanswered(number) if failed else answered(number, model) for number, (model, failed) in enumerate(kinds)]
    whole, pages = NOBODY_SERVED.after(rows), NOBODY_SERVED.after(rows[:cut]).after(rows[cut:])
    assert plain(pages) == plain(whole)


def plain(served: ServedVersions) -> object:
    rounded = [msgspec.structs.replace(one, money=None, input=None, output=None) for one in served.versions]
    return rounded, served.latest, served.requests
