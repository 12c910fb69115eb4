"""Broken numbers, repeated and shuffled requests, wandering clocks, one side alone: never a crash, never a pass."""

from collections.abc import Callable
from math import inf, isfinite, nan
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from changeover.exchange.observation import Outcome, Tokens
from changeover.gates.verdict import Assessment, Decision
from changeover.traffic.table import Side
from tests.property.hostile import (
    ALL,
    COST,
    ERRORS,
    FILTER,
    HARMFUL,
    LATENCY,
    PER_BLOCK,
    QUALITY,
    Measured,
    changed,
    healthy,
    judged,
    passed,
    verdicts,
)

NO_NUMBERS = (nan, inf, -inf, -1.0)
Change = Callable[[Measured], Measured]


def test_the_same_rollout_unharmed_passes_every_criterion():
    """Or nothing below would prove anything."""
    assert passed(judged(healthy(Random(1)))) == set(ALL)


def latency(value: float) -> Change:
    return lambda one: changed(one, latency_ms=value)


def money(value: float | None) -> Change:
    return lambda one: changed(one, cost_usd=value)


def tokens(prompt: Any, completion: Any) -> Change:
    return lambda one: changed(one, tokens=Tokens(prompt=prompt, completion=completion))


def rubric(value: float | None) -> Change:
    return lambda one: msgspec.structs.replace(one, rubric=value)


def harm(value: float | None) -> Change:
    return lambda one: msgspec.structs.replace(one, harm=value)


def unfiltered(one: Measured) -> Measured:
    return changed(one, filtered=None)


BROKEN = [
    *(pytest.param(latency(value), LATENCY, id=f"latency {value}") for value in NO_NUMBERS),
    *(pytest.param(money(value), ("cost",), id=f"money {value}") for value in (*NO_NUMBERS, 1e300, None)),
    *(pytest.param(tokens(value, 50), ("input tokens",), id=f"prompt {value}") for value in (*NO_NUMBERS, None)),
    *(pytest.param(tokens(50, value), ("output tokens",), id=f"completion {value}") for value in (*NO_NUMBERS, 10**30, None)),
    *(pytest.param(rubric(value), (QUALITY,), id=f"score {value}") for value in (*NO_NUMBERS, 1.5, None)),
    *(pytest.param(harm(value), (HARMFUL,), id=f"harm {value}") for value in (*NO_NUMBERS, 0.5, 2.0, None)),
    pytest.param(unfiltered, (FILTER,), id="filter not reported"),
]


@pytest.mark.parametrize(("change", "names"), BROKEN)
@pytest.mark.parametrize("share", [1.0, 0.1])
def test_what_is_no_measurement_never_passes_and_stops_no_other_criterion(change: Change, names: tuple[str, ...], share: float):
    """A tenth of the candidate's broken is as bad as all of them: what is missing may be missing for a reason."""
    dice = Random(2)
    blocks = [
        [change(one) if one.row.side is Side.CANDIDATE and dice.random() < share else one for one in block] for block in healthy(Random(1))
    ]
    assessment = judged(blocks, looked=must_be_sane)
    assert not passed(assessment) & set(names)
    assert passed(assessment) >= set(ALL) - set(names) - {"cost"}


@pytest.mark.parametrize("side", list(Side))
def test_one_side_alone_passes_nothing(side: Side):
    blocks = [[changed(one, side=side) for one in block] for block in healthy(Random(1))]
    assert passed(judged(blocks, looked=must_be_sane)) == set()


@pytest.mark.parametrize("p", [0.0, 0.01, 0.99, 1.0, nan, inf, -0.5])
def test_without_a_fair_chance_of_either_side_nothing_passes(p: float):
    blocks = [[changed(one, candidate_probability=p) for one in block] for block in healthy(Random(1))]
    assert passed(judged(blocks, looked=must_be_sane)) == set()


def test_one_unit_repeated_counts_once_and_proves_nothing():
    blocks = [[changed(one, unit="u", request_id="r") for one in block] for block in healthy(Random(1))]
    assessment = judged(blocks, looked=must_be_sane)
    assert passed(assessment) == set()
    assert all(verdict.stable.count + verdict.candidate.count <= len(blocks) for verdict in assessment.verdicts)


def test_every_request_twice_changes_no_verdict():
    once = healthy(Random(1))
    assert plain(judged([[*block, *block] for block in once])) == plain(judged(once))


@given(st.randoms(use_true_random=False))
@settings(max_examples=3, deadline=None)
def test_the_order_within_a_block_changes_no_figure(dice: Random):
    once = healthy(Random(1))
    shuffled = [dice.sample(block, len(block)) for block in once]
    for one, other in zip(judged(shuffled).verdicts, judged(once).verdicts, strict=True):
        assert (one.decision, one.tripped, one.stable.count) == (other.decision, other.tripped, other.stable.count)
        assert one.to_pass.log_e == pytest.approx(other.to_pass.log_e, rel=1e-9, abs=1e-9)
        assert one.to_trip.log_e == pytest.approx(other.to_trip.log_e, rel=1e-9, abs=1e-9)


@given(st.lists(st.sampled_from([0.0, -1e18, 1e18, nan, inf, -inf, 5.0]), min_size=1, max_size=6))
@settings(max_examples=4, deadline=None)
def test_clocks_that_jump_move_no_figure_once_a_request_is_in_its_block(times: list[float]):
    """Which block a request is in is the store's to say; within one its time plays no part."""
    once = healthy(Random(1))
    jumped = [[changed(one, started_at=times[number % len(times)]) for number, one in enumerate(block)] for block in once]
    assert plain(judged(jumped)) == plain(judged(once))


def test_everything_in_one_block_decides_no_latency_and_an_outage_in_it_decides_nothing():
    everything = [one for block in healthy(Random(1)) for one in block]
    assert not passed(judged([everything], looked=must_be_sane)) & set(LATENCY)
    down = [changed(one, outcome=Outcome.FAILED, served=None, latency_ms=nan, cost_usd=None, tokens=None) for one in everything]
    assert passed(judged([down], looked=must_be_sane)) == set()


def test_all_events_in_one_block_of_both_sides_pass_nothing_there():
    blocks = healthy(Random(1))
    blocks[3] = [changed(one, outcome=Outcome.FAILED, served=None, filtered=None) for one in blocks[3]]
    at_that_end: list[Assessment] = []
    judged(blocks[:4], looked=at_that_end.append)
    assert not passed(at_that_end[-1]) & {ERRORS, QUALITY, *LATENCY}


def test_nothing_at_all_passes_nothing():
    assert passed(judged([[] for _ in range(20)], looked=must_be_sane)) == set()


ANY_FLOAT = st.one_of(st.floats(), st.sampled_from([0.0, 5e-324, 1e308, -0.0]), st.floats(0, 1e5))


@st.composite
def anything(draw: st.DrawFn) -> list[list[Measured]]:
    """Healthy blocks with requests replaced by whatever can be said of one."""
    blocks = healthy(Random(draw(st.integers(0, 3))), blocks=draw(st.integers(1, 15)), per_block=draw(st.sampled_from([0, 1, 7, 40])))
    kinds = draw(
        st.lists(
            st.builds(
                lambda fields, rubric, harm: (fields, rubric, harm),
                st.fixed_dictionaries(
                    {},
                    optional={
                        "latency_ms": ANY_FLOAT,
                        "cost_usd": st.none() | ANY_FLOAT,
                        "tokens": st.none() | st.builds(Tokens, prompt=st.none() | st.integers(), completion=st.none() | st.integers()),
                        "filtered": st.none() | st.booleans(),
                        "started_at": ANY_FLOAT,
                        "outcome": st.sampled_from(list(Outcome)),
                        "served": st.sampled_from(["old", "new", "stand-in", None]),
                        "side": st.sampled_from([*Side, None]),
                        "forced": st.booleans(),
                        "unit": st.sampled_from(["", "u0", "u1"]),
                        "candidate_probability": st.sampled_from([0.0, 0.049, 0.05, 0.1, 0.95, 1.0, nan, inf, -1.0]),
                    },
                ),
                st.none() | ANY_FLOAT,
                st.none() | ANY_FLOAT,
            ),
            min_size=1,
            max_size=6,
        )
    )
    every = draw(st.sampled_from([1, 2, 13]))
    return [[_struck(one, kinds[number % len(kinds)]) if number % every == 0 else one for number, one in enumerate(b)] for b in blocks]


def _struck(one: Measured, kind: tuple[dict[str, Any], float | None, float | None]) -> Measured:
    return msgspec.structs.replace(changed(one, **kind[0]), rubric=kind[1], harm=kind[2])


@given(anything())
@settings(max_examples=30, deadline=None)
def test_whatever_comes_every_number_stays_one_and_a_pass_has_both_sides(blocks: list[list[Measured]]):
    assessment = judged(blocks, looked=must_be_sane)
    event(f"something passed: {bool(passed(assessment))}")
    event(f"something tripped: {any(verdict.tripped for verdict in assessment.verdicts)}")


def must_be_sane(assessment: Assessment) -> None:
    """What a summary or a verdict holds can be written down and read again, and nothing unfit decides."""
    assert isfinite(assessment.sample_ratio.level.log_e)
    for verdict in assessment.verdicts:
        if verdict.decision is Decision.PASS:
            assert min(verdict.stable.count, verdict.candidate.count) > 0
        assert not (verdict.problems and verdict.decision is not Decision.UNDECIDED)
        assert not (verdict.problems and verdict.able_to_trip)
        numbers = (verdict.estimate, verdict.low, verdict.high, verdict.to_pass.log_e, verdict.to_trip.log_e)
        sides = (verdict.stable.mean, verdict.candidate.mean, verdict.stable.quantile_ms, verdict.candidate.quantile_ms)
        assert all(number is None or isfinite(number) for number in (*numbers, *sides)), verdict
    assert msgspec.json.decode(msgspec.json.encode(assessment), type=Assessment) == assessment


def plain(assessment: Assessment) -> object:
    """All but the hashes of what was folded."""
    return assessment.verdicts, assessment.sample_ratio


def test_the_blocks_of_these_tests_hold_what_they_say():
    assert {len(block) for block in healthy(Random(1))} == {PER_BLOCK}
    assert set(COST) <= set(ALL)
    assert [verdict.criterion for verdict in verdicts(judged(healthy(Random(1), blocks=1)), *ALL)] == [*ALL]
