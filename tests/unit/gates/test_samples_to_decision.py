"""How many requests until a verdict, through the real summaries and gates: a seeded part of ``python -m tests.simulate.power``
and of ``python -m tests.simulate.promotions``.
"""

from dataclasses import replace
from math import ceil, floor, sqrt
from random import Random

import pytest

from changeover.rollout.state import Phase
from tests.simulate.power_cases import all_cases
from tests.simulate.power_runs import run
from tests.simulate.promotions import PRESETS, criteria_of, ends
from tests.simulate.scoring import CATEGORIES, categories_of

SEED = 7
SURE = 2.576
BASELINE_MAX = 20_000
BLOCK = 50
CASES = {case.name: case for case in all_cases()}
QUICK = {
    "quality, margin 0.2, 50:50": 50,
    "cost, margin 1.1, cv .6, 50:50": 30,
    "filter 1.0%, harm of 3 times, 50:50, as measured": 50,
    "latency p50, 50:50, as measured": 12,
}
EXACT = [name for name, case in CASES.items() if case.certain]


def middle_ranks(runs: int) -> tuple[int, int]:
    """Positions between which the true median lies with a chance of 99 %, whatever the distribution."""
    reach = SURE * sqrt(runs) / 2
    return floor(runs / 2 - reach), ceil(runs / 2 + reach) - 1


@pytest.mark.parametrize("name", QUICK)
def test_the_published_median_is_no_surprise_after_these_runs(name: str) -> None:
    """So few runs cannot hold a median to a quarter: its standard error is up to a third. The full simulation does that."""
    case = replace(CASES[name], baseline=min(BASELINE_MAX, CASES[name].baseline), block=BLOCK)
    found = sorted(run(case, Random(f"{SEED} {number}")) for number in range(QUICK[name]))
    low, high = middle_ranks(len(found))
    assert found[low] <= case.reference <= found[high]


@pytest.mark.parametrize("name", EXACT)
def test_without_any_error_the_gate_passes_in_the_requests_that_are_stated(name: str) -> None:
    assert run(CASES[name], Random(SEED)) == pytest.approx(CASES[name].reference, rel=0.04)


@pytest.mark.parametrize(
    ("preset", "end"), [("cheaper-model", Phase.COMPLETED), ("standard", Phase.ROLLED_BACK), ("strict", Phase.ROLLED_BACK)]
)
def test_a_small_loss_is_promoted_only_where_it_was_accepted(preset: str, end: Phase) -> None:
    """A mean of 4.2 against 4.4."""
    assert ends(preset, (4.4, 4.2), runs=4, seed=SEED) == {end: 4}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_large_loss_always_goes_back(preset: str) -> None:
    """A mean of 3.1 against 4.6."""
    assert ends(preset, (4.6, 3.1), runs=3, seed=SEED) == {Phase.ROLLED_BACK: 3}


@pytest.mark.parametrize("mean", [4.6, 4.4, 4.2, 3.9, 3.1])
def test_simulated_scores_have_the_mean_that_is_said(mean: float) -> None:
    weights = categories_of(mean)
    assert sum(weights) == pytest.approx(1)
    assert all(weight >= 0 for weight in weights)
    assert sum((index + 1) * weight for index, weight in enumerate(weights)) == pytest.approx(mean)
    assert categories_of(4.2) == pytest.approx(CATEGORIES)


def test_simulated_presets_are_the_products() -> None:
    margins = [criteria.quality.margin for criteria in map(criteria_of, PRESETS) if criteria.quality is not None]
    assert margins == pytest.approx([0.05, 0.1, 0.4])
