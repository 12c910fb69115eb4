"""The arithmetic of a price."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.exchange.observation import Tokens
from changeover.versions.prices import LongRates, Price, Rates, cost_of, label_of

PRICE = Price(
    provider="azure",
    model="gpt-5.4",
    version="2026-03-05",
    scope="regional",
    rates=Rates(input=2.5, cached=0.25, output=15.0),
    long=(LongRates(above=272_000, rates=Rates(input=5.0, cached=0.5, output=22.5)),),
    source="a list",
)


def tokens(prompt: int | None, completion: int | None, cached: int | None = None) -> Tokens:
    return Tokens(prompt=prompt, completion=completion, cached=cached)


def test_input_cached_input_and_output_have_their_own_rates():
    assert cost_of(tokens(1000, 100, 400), PRICE) == pytest.approx((600 * 2.5 + 400 * 0.25 + 100 * 15) / 1e6)


def test_a_long_prompt_moves_all_tokens_of_its_request():
    assert cost_of(tokens(272_000, 100), PRICE) == pytest.approx((272_000 * 2.5 + 100 * 15) / 1e6)
    assert cost_of(tokens(272_001, 100), PRICE) == pytest.approx((272_001 * 5 + 100 * 22.5) / 1e6)


def test_without_a_rate_of_their_own_cached_tokens_cost_as_any_other():
    plain = msgspec.structs.replace(PRICE, rates=Rates(input=2.0, output=8.0))
    assert cost_of(tokens(1000, 0, 400), plain) == pytest.approx(0.002)


@pytest.mark.parametrize("used", [None, tokens(None, 10), tokens(10, None), tokens(None, None), tokens(-1, 5), tokens(5, -1)])
def test_unknown_counts_cost_nobody_knows_what(used):
    assert cost_of(used, PRICE) is None


def test_a_model_that_writes_nothing_needs_no_count_of_output():
    embedding = msgspec.structs.replace(PRICE, rates=Rates(input=0.13), long=())
    assert cost_of(tokens(1_000_000, None), embedding) == pytest.approx(0.13)


@given(st.integers(0, 10**6), st.integers(0, 10**5), st.one_of(st.none(), st.integers(-5, 2 * 10**6)))
def test_more_cached_tokens_never_cost_more_and_no_cost_is_below_0(prompt, completion, cached):
    money, full = cost_of(tokens(prompt, completion, cached), PRICE), cost_of(tokens(prompt, completion), PRICE)
    assert money is not None
    assert full is not None
    assert 0 <= money <= full


def test_the_label_holds_what_a_cost_can_be_recomputed_from():
    assert label_of(PRICE, prompt=10) == "azure gpt-5.4 2026-03-05 regional standard 2.5/0.25/15 USD/M; a list"
    assert label_of(PRICE, prompt=300_000) == "azure gpt-5.4 2026-03-05 regional standard 5/0.5/22.5 USD/M; a list"


def test_the_label_says_when_money_is_paid_by_the_hour_instead():
    hourly = msgspec.structs.replace(PRICE, provisioned=True, rates=Rates(input=1.0))
    assert label_of(hourly, prompt=1).endswith("1/-/- USD/M, PTU at the pay-as-you-go list; a list")
