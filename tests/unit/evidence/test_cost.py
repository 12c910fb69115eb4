"""What a block's requests cost."""

from math import inf, nan

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.evidence.cost import CostBlock, CostTally, money_of, summarise_cost
from changeover.evidence.moments import moments_of
from changeover.exchange.observation import Observation, Outcome, Tokens
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row

HALF = 0.5


def cost_row(
    number: int, side: Side | None, p: float = HALF, *, usd: float | None = 0.01, prompt: int | None = 100, completion: int | None = 20
):
    tokens = None if prompt is None and completion is None else Tokens(prompt=prompt, completion=completion)
    return msgspec.structs.replace(row(number, side, p), cost_usd=usd, tokens=tokens)


def sides_of(rows: list[Observation]) -> tuple[CostTally, CostTally]:
    (stratum,) = summarise_cost(block=0, rows=rows).strata
    return stratum.stable, stratum.candidate


def test_a_block_keeps_moments_by_probability_and_side():
    rows = [
        cost_row(1, Side.STABLE, 0.1, usd=0.01, prompt=100),
        cost_row(2, Side.STABLE, 0.1, usd=0.03, prompt=300),
        cost_row(3, Side.CANDIDATE, 0.1, usd=0.002, completion=7),
        cost_row(4, Side.CANDIDATE, 0.5),
    ]
    block = summarise_cost(block=7, rows=rows)
    assert (block.block, [stratum.p for stratum in block.strata], block.unpriced) == (7, [0.1, 0.5], ())
    first = block.strata[0]
    assert first.stable.money == moments_of([0.01, 0.03])
    assert first.stable.input == moments_of([100, 300])
    assert first.candidate.output == moments_of([7])
    assert (first.stable.units, first.candidate.units) == (2, 1)


def test_what_is_unknown_is_missing_and_never_0():
    stable, candidate = sides_of([
        cost_row(1, Side.STABLE, usd=None, prompt=None, completion=None),
        cost_row(2, Side.STABLE),
        cost_row(3, Side.CANDIDATE, completion=None, usd=None),
    ])  # fmt: skip
    assert (stable.units, stable.money.count, stable.money.mean, stable.unpriced) == (2, 1, 0.01, 0)
    assert (candidate.input.count, candidate.output.count, candidate.money.count, candidate.unpriced) == (1, 0, 0, 0)


def test_an_answer_without_a_price_is_named():
    rows = [cost_row(1, Side.CANDIDATE, usd=None), cost_row(2, Side.STABLE), cost_row(3, Side.CANDIDATE, usd=None)]
    block = summarise_cost(block=0, rows=rows)
    assert block.unpriced == ("assigned",)
    assert (block.strata[0].candidate.unpriced, block.strata[0].stable.unpriced) == (2, 0)


def test_requests_that_no_draw_made_do_not_count():
    """Also a unit's second request, and those drawn where one side had hardly a chance."""
    rows = [
        cost_row(1, Side.STABLE),
        cost_row(1, Side.STABLE, usd=9.0),
        cost_row(2, None),
        cost_row(3, Side.CANDIDATE, 0.01),
        cost_row(4, Side.STABLE, 1.0),
        msgspec.structs.replace(cost_row(5, Side.CANDIDATE), forced=True),
    ]
    stable, candidate = sides_of(rows)
    assert (stable.units, stable.money.mean, candidate.units) == (1, 0.01, 0)


@pytest.mark.parametrize("usd", [nan, inf, -inf, -0.01, 1e13])
def test_a_cost_that_is_no_cost_is_missing(usd):
    stable, _ = sides_of([cost_row(1, Side.STABLE, usd=usd), cost_row(2, Side.STABLE)])
    assert (stable.units, stable.money.count, stable.money.mean, stable.unpriced) == (2, 1, 0.01, 0)


def test_a_token_count_too_large_for_a_float_is_missing():
    stable, _ = sides_of([cost_row(1, Side.STABLE, prompt=10**400, completion=-3), cost_row(2, Side.STABLE)])
    assert (stable.input.count, stable.output.count) == (1, 1)


def test_a_free_answer_is_known_to_be_free():
    assert money_of(cost_row(1, Side.STABLE, usd=0.0)) == 0.0


def test_parts_of_different_blocks_are_not_joined():
    with pytest.raises(ValueError, match="expected two parts of one block"):
        CostBlock(block=1).merged(CostBlock(block=2))


costs = st.one_of(st.none(), st.sampled_from([nan, inf, -1.0, 0.0]), st.floats(min_value=1e-9, max_value=1e3))
counts = st.one_of(st.none(), st.integers(min_value=-2, max_value=10**7))
rows_of_many = st.lists(
    st.builds(
        cost_row,
        st.integers(min_value=0, max_value=60),
        st.sampled_from([Side.STABLE, Side.CANDIDATE]),
        st.sampled_from([0.1, 0.5]),
        usd=costs,
        prompt=counts,
        completion=counts,
    ),
    max_size=40,
    unique_by=lambda one: one.request_id,
)


@given(rows_of_many, rows_of_many, st.randoms())
def test_replicas_and_any_order_give_the_same_block(left, right, dice):
    right = [msgspec.structs.replace(one, request_id=f"o{one.request_id}", unit=f"o{one.unit}") for one in right]
    whole = summarise_cost(block=0, rows=[*left, *right])
    shuffled = [*left, *right]
    dice.shuffle(shuffled)
    for other in (
        summarise_cost(block=0, rows=left).merged(summarise_cost(block=0, rows=right)),
        summarise_cost(block=0, rows=shuffled),
    ):
        _same(whole, other)
    assert msgspec.json.decode(msgspec.json.encode(whole), type=CostBlock) == whole


def _same(one: CostBlock, other: CostBlock) -> None:
    assert one.unpriced == other.unpriced
    assert [stratum.p for stratum in one.strata] == [stratum.p for stratum in other.strata]
    for here, there in zip(one.strata, other.strata, strict=True):
        for side in ("stable", "candidate"):
            mine, theirs = getattr(here, side), getattr(there, side)
            assert (mine.units, mine.unpriced) == (theirs.units, theirs.unpriced)
            for measure in ("money", "input", "output"):
                a, b = getattr(mine, measure), getattr(theirs, measure)
                assert a.count == b.count <= mine.units
                assert a.mean == pytest.approx(b.mean, rel=1e-9)
                assert a.m2 == pytest.approx(b.m2, rel=1e-9, abs=1e-9 * a.count * a.mean**2)


def test_a_failed_request_without_an_answer_is_missing():
    """Nobody knows what a broken attempt was charged."""
    failed = msgspec.structs.replace(row(1, Side.CANDIDATE, HALF), outcome=Outcome.FAILED, served=None)
    _, candidate = sides_of([failed, cost_row(2, Side.STABLE)])
    assert (candidate.units, candidate.money.count, candidate.unpriced) == (1, 0, 0)
