"""The event test and the check of the draw against savvi's multinomial inference.

savvi mixes over a Dirichlet prior of the candidate's share, we over a grid of ratios. Our test at one ratio, integrated over
that prior, is the same quantity.
"""

import pytest

from changeover.evidence.events import EventCount, log_e_above
from changeover.evidence.sample_ratio import ODDS, SplitCount, log_e_split
from tests.oracle.importing import oracle

savvi = oracle("savvi", module="savvi.multinomial")
np = oracle("numpy")
beta = oracle("scipy", module="scipy.stats").beta
logsumexp = oracle("scipy", module="scipy.special").logsumexp

TOLERANCE = 1e-6
WEIGHT = 100.0
NODES = 4001
REACH_SD = 40.0
COUNTS = [(40, 60, 0.5), (480, 520, 0.5), (4800, 5200, 0.5), (90, 20, 0.1), (8900, 1100, 0.1), (0, 7, 0.3), (812, 0, 0.05)]


def theirs(stable: int, candidate: int, p: float) -> float:
    """The logarithm of the odds against "the candidate's share is p"."""
    model = savvi.Multinomial(0.05, np.array([1 - p, p]), k=WEIGHT)
    model.update(np.array([stable, candidate]))
    return float(np.log(model.odds))


def ours(stable: int, candidate: int, p: float) -> float:
    """The same, of the event test: the trapezium rule over the log-odds of the share, wide around where it counts."""
    after = WEIGHT * p + candidate, WEIGHT * (1 - p) + stable
    share = after[0] / sum(after)
    sd = 1 / np.sqrt(sum(after) * share * (1 - share))
    nodes = np.log(share / (1 - share)) + np.linspace(-REACH_SD, REACH_SD, NODES) * sd
    shares = 1 / (1 + np.exp(-nodes))
    priors = beta.logpdf(shares, WEIGHT * p, WEIGHT * (1 - p)) + np.log(shares) + np.log1p(-shares)
    ratios = np.exp(nodes) * (1 - p) / p
    tests = [log_e_above([EventCount(p, stable, candidate)], ratio=1.0, steps=(ratio,)) for ratio in ratios.tolist()]
    return float(logsumexp(np.array(tests) + priors) + np.log(nodes[1] - nodes[0]))


@pytest.mark.parametrize(("stable", "candidate", "p"), COUNTS)
def test_the_event_test_over_the_same_prior_is_the_same(stable, candidate, p):
    assert ours(stable, candidate, p) == pytest.approx(theirs(stable, candidate, p), abs=TOLERANCE)


@pytest.mark.parametrize(("stable", "candidate", "p"), COUNTS)
def test_the_check_of_the_draw_is_the_event_test_over_its_own_odds(stable, candidate, p):
    """And so the comparison above holds for it too."""
    split = log_e_split([SplitCount(p, stable, candidate)])
    assert split == pytest.approx(log_e_above([EventCount(p, stable, candidate)], ratio=1.0, steps=ODDS), abs=1e-9)


@pytest.mark.parametrize(
    ("stable", "candidate", "p", "p_value"),
    [(4800, 5200, 0.5, 0.003647864279), (4900, 5100, 0.5, 1.0), (8900, 1100, 0.1, 0.050325072076), (815482, 821588, 0.5, 0.001455555492)],
)
def test_published_p_values_are_met_by_both(stable, candidate, p, p_value):
    assert min(1.0, float(np.exp(-theirs(stable, candidate, p)))) == pytest.approx(p_value, rel=1e-8)
    assert min(1.0, float(np.exp(-ours(stable, candidate, p)))) == pytest.approx(p_value, rel=TOLERANCE)


def test_two_probabilities_add_up_as_two_updates_do():
    """Given the ratio, events at different probabilities are independent; each probability alone is checked above."""
    steps = (1.7,)
    apart = [log_e_above([count], ratio=1.0, steps=steps) for count in (EventCount(0.1, 90, 20), EventCount(0.5, 10, 25))]
    together = log_e_above([EventCount(0.1, 90, 20), EventCount(0.5, 10, 25)], ratio=1.0, steps=steps)
    assert together == pytest.approx(sum(apart), abs=1e-12)
