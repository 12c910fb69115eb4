"""What a start would mean, in words."""

import msgspec
import pytest

from changeover.rollout.outlook import capacity_words, cost_words, length_words, way_back_words
from changeover.rollout.plan import Deadline
from changeover.versions.prices import Price, Rates
from tests.unit.rollout.builders import BAKED, T0, deployment, plan

DAY_S = 86_400.0
PRICE = Price(provider="azure", model="gpt-4o", version="2024-11-20", rates=Rates(input=2.5, output=10.0), source="list")


def test_the_length_holds_the_bake_and_says_what_is_not_known() -> None:
    assert length_words(plan(), 3.0) == "promotion is to be expected within 3 days; people's approvals and pauses come on top"
    assert "of which 10 minutes of bake" in length_words(BAKED, 3.0)
    assert length_words(BAKED, None).endswith("no traffic was seen; its bake alone takes 10 minutes")


@pytest.mark.parametrize(
    ("retires", "days", "word"),
    [
        ("stable", 3.0, "there is a way back for 7 days after promotion, whatever retain_old says"),
        ("stable", 11.0, "the plan is not through by then"),
        ("candidate", 3.0, "the plan is through 7 days before it"),
        ("neither", None, "is not known"),
    ],
)
def test_whether_the_way_back_outlives_the_plan(retires: str, days: float | None, word: str) -> None:
    of = plan(deadline=Deadline(at=T0 + 10 * DAY_S, retires=retires))  # pyright: ignore[reportArgumentType]
    kept, outlived = way_back_words(of, stable="old", days=days, now=T0)
    assert kept == "old stays the way back for as long as it is declared"
    assert word in outlived


def test_how_long_it_is_kept_and_what_the_holdback_is() -> None:
    (kept,) = way_back_words(BAKED, stable="old", days=1.0, now=T0)
    assert kept == "old stays the way back for 60 minutes after promotion; 5 % of the traffic stays on it while it bakes"


def test_capacity_is_compared_where_it_is_known() -> None:
    big = msgspec.structs.replace(deployment("old"), capacity=50)
    small = msgspec.structs.replace(deployment("new"), capacity=20)
    assert "new has 20, which is less: at the last weight it may be throttled" in capacity_words([big], [small])[0]
    assert capacity_words([big], [small, small, small])[0].endswith("new has 60")
    assert "nobody said what new has" in capacity_words([big], [deployment("new")])[0]


def test_double_running_costs_where_somebody_is_paid_by_the_hour() -> None:
    hourly = msgspec.structs.replace(PRICE, provisioned=True)
    assert "running both costs nothing more" in cost_words(("old", PRICE), ("new", PRICE))[0]
    assert cost_words(("old", hourly), ("new", PRICE))[0] == "double running: old is paid by the hour, also while it serves little"
    assert cost_words(("old", PRICE), ("new", None)) == ("double running: no list price is known of new",)
