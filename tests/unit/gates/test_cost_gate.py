"""Cost, from requests to verdicts."""

from collections.abc import Callable
from math import exp, inf, log, nan, sqrt
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.evidence.cost import CostBlock, CostStratum, CostTally, summarise_cost
from changeover.evidence.moments import Moments
from changeover.exchange.observation import Observation, Tokens
from changeover.gates.cost import INPUT, MONEY, OUTPUT, CostGate
from changeover.gates.criteria import CostCriterion, TripRule
from changeover.gates.verdict import Decision, Verdict
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row

SPREAD = 0.6
"""Of a request's cost, as a share of its mean."""


def lognormal(dice: Random, mean: float) -> float:
    sigma = sqrt(log(1 + SPREAD * SPREAD))
    return mean * exp(sigma * dice.gauss(0, 1) - sigma * sigma / 2)


def request(number: int, side: Side, p: float, *, usd: float | None, prompt: int | None = 100, completion: int | None = 20) -> Observation:
    tokens = None if prompt is None and completion is None else Tokens(prompt=prompt, completion=completion)
    found = row(number, side, p)
    return msgspec.structs.replace(found, cost_usd=usd, tokens=tokens, served="new" if side is Side.CANDIDATE else "old")


def draw(dice: Random, *, first: int, count: int, p: float, ratio: float, level: float = 1.0) -> list[Observation]:
    """Requests whose money and tokens cost the candidate ``ratio`` times as much."""
    rows: list[Observation] = []
    for number in range(first, first + count):
        side = Side.CANDIDATE if dice.random() < p else Side.STABLE
        size = lognormal(dice, level * (ratio if side is Side.CANDIDATE else 1.0))
        tokens = round(1000 * size)
        rows.append(request(number, side, p, usd=0.01 * size, prompt=tokens, completion=tokens))
    return rows


class Stream:
    """One rollout's blocks, through storage and back as in the product."""

    def __init__(self, criterion: CostCriterion | None = None) -> None:
        self.gate = CostGate(criterion=criterion or CostCriterion())
        self.block = 0
        self.requests = 0

    def close(self, rows: list[Observation]) -> None:
        stored = msgspec.json.encode(summarise_cost(block=self.block, rows=rows))
        self.block += 1
        self.requests += len(rows)
        self.gate = self.gate.add(msgspec.json.decode(stored, type=CostBlock), at=10.0 * self.block)

    def run(self, dice: Random, *, p: float, ratio: float, until: Callable[[CostGate], bool], most: int, block: int = 50) -> int | None:
        """Requests until ``until`` holds at a block's end, or ``None`` when ``most`` are not enough."""
        begun = self.requests
        while self.requests - begun < most:
            self.close(draw(dice, first=self.requests, count=block, p=p, ratio=ratio))
            if until(self.gate):
                return self.requests - begun
        return None

    def verdict(self, name: str = MONEY) -> Verdict:
        return next(verdict for verdict in self.gate.verdicts() if verdict.criterion == name)


def judged(rows: list[Observation], criterion: CostCriterion | None = None, *, blocks: int = 20) -> Stream:
    stream, size = Stream(criterion), max(1, -(-len(rows) // blocks))
    for first in range(0, len(rows), size):
        stream.close(rows[first : first + size])
    return stream


def rows_of(ratio: float, *, count: int = 4000, seed: int = 1, p: float = 0.5) -> list[Observation]:
    return draw(Random(seed), first=0, count=count, p=p, ratio=ratio)


def passed(gate: CostGate) -> bool:
    return gate.proven[0].passed_at is not None


def tripped(gate: CostGate) -> bool:
    return gate.proven[0].tripped_at is not None


def test_a_candidate_as_dear_as_the_stable_passes_and_says_what_was_accepted():
    verdict = judged(rows_of(1.0)).verdict()
    assert (verdict.decision, verdict.tripped, verdict.problems, verdict.guard_only) == (Decision.PASS, False, (), False)
    assert verdict.estimate == pytest.approx(1.0, abs=0.05)
    assert verdict.low is not None
    assert verdict.high is not None
    assert verdict.low < 1.0 < verdict.high < 1.1
    assert verdict.method == "asymptotic, 90 %"
    assert verdict.sentence.startswith("accepted: up to 1.1 times the stable's money a request; shown so far: $0.0")
    assert verdict.sentence.endswith("; pass")
    assert verdict.stable.mean == pytest.approx(0.01, rel=0.05)


def test_a_candidate_dearer_than_accepted_fails_and_trips():
    stream = judged(rows_of(1.4))
    verdict = stream.verdict()
    assert (verdict.decision, verdict.tripped) == (Decision.FAIL, True)
    assert verdict.to_trip.reached_at is not None
    assert verdict.low is not None
    assert verdict.low > 1.1
    assert verdict.sentence.endswith("fail; tripped")


def test_tokens_are_judged_beside_money():
    """A model that writes twice as much at half the price: the same money, and still not what was accepted."""
    rows: list[Observation] = []
    for number in range(4000):
        side, times = ((Side.STABLE, 1), (Side.CANDIDATE, 2))[number % 2]
        rows.append(request(number, side, 0.5, usd=0.01, prompt=90 + number % 21, completion=(18 + number % 5) * times))
    stream = judged(rows)
    assert [(verdict.criterion, verdict.decision) for verdict in stream.gate.verdicts()] == [
        (MONEY, Decision.PASS),
        (INPUT, Decision.PASS),
        (OUTPUT, Decision.FAIL),
    ]
    assert stream.verdict(OUTPUT).sentence.startswith(
        "accepted: up to 1.25 times the stable's output tokens a request; shown so far: 40.0 against 20.0, ratio 2.00 ("
    )


def test_tokens_that_are_not_asked_for_have_no_verdict():
    stream = judged(rows_of(1.0), CostCriterion(input_ratio=None, output_ratio=None))
    assert [verdict.criterion for verdict in stream.gate.verdicts()] == [MONEY]


def test_a_cheaper_candidate_passes_soon():
    stream = judged(rows_of(0.1, count=400), blocks=4)
    assert (stream.verdict().decision, stream.verdict().worse_inside) == (Decision.PASS, False)


def test_a_loss_inside_a_wide_margin_is_named_worse_inside():
    verdict = judged(rows_of(1.25, count=6000), CostCriterion(max_ratio=1.6)).verdict()
    assert (verdict.decision, verdict.worse_inside, verdict.tripped) == (Decision.PASS, True, False)
    assert verdict.sentence.endswith("pass: worse, inside the margin")


def test_a_strict_rule_trips_on_any_proven_loss():
    verdict = judged(rows_of(1.25, count=3000), CostCriterion(max_ratio=1.3, trip=TripRule.ANY)).verdict()
    assert (verdict.decision, verdict.tripped) == (Decision.UNDECIDED, True)


def test_a_rejection_keeps_the_time_of_its_block():
    stream, reached = Stream(), list[float | None]()
    rows = rows_of(1.4)
    for first in range(0, len(rows), 100):
        stream.close(rows[first : first + 100])
        reached.append(stream.verdict().to_trip.reached_at)
    first_at = next(number for number, at in enumerate(reached) if at is not None)
    assert 0 < first_at < 39
    assert reached[first_at:] == [10.0 * (first_at + 1)] * (40 - first_at)


def test_little_data_is_undecided_and_not_able_to_trip():
    verdict = judged(rows_of(1.0, count=150)).verdict()
    assert (verdict.decision, verdict.able_to_trip, verdict.problems) == (Decision.UNDECIDED, False, ())
    assert (verdict.estimate, verdict.low, verdict.high, verdict.method) == (None, None, None, "")
    assert "shown so far: nothing; undecided" in verdict.sentence
    assert verdict.to_pass.log_e == 0


def test_enough_data_makes_the_guardrail_able_to_trip():
    stream = Stream()
    found = stream.run(Random(8), p=0.5, ratio=1.0, until=lambda gate: gate.verdicts()[0].able_to_trip, most=6000)
    assert found is not None
    assert 400 < found < 2500


@pytest.mark.parametrize("side", list(Side))
def test_one_side_without_any_request_never_passes(side):
    stream = judged([one for one in rows_of(1.0, count=8000) if one.side is not side])
    for verdict in stream.gate.verdicts():
        assert (verdict.decision, verdict.able_to_trip) == (Decision.UNDECIDED, False)
        assert verdict.problems == (f"no observations of the {side} at a weight of 5 to 95 %",)


def test_an_empty_gate_is_undecided():
    for verdict in Stream().gate.verdicts():
        assert (verdict.decision, verdict.tripped, len(verdict.problems)) == (Decision.UNDECIDED, False, 2)


def test_costs_missing_on_one_side_neither_pass_nor_trip():
    rows = [
        msgspec.structs.replace(one, cost_usd=None, tokens=None) if one.side is Side.CANDIDATE and number % 10 == 0 else one
        for number, one in enumerate(rows_of(1.4))
    ]
    stream = judged(rows)
    for verdict in stream.gate.verdicts():
        assert (verdict.decision, verdict.tripped, verdict.guard_only) == (Decision.UNDECIDED, False, False)
    (problem,) = stream.verdict().problems
    assert problem.endswith("costs of the candidate are missing, over 5%")
    (problem,) = stream.verdict(INPUT).problems
    assert problem.endswith("input token counts of the candidate are missing, over 5%")
    assert stream.verdict().candidate.missing > 0


def test_a_few_missing_costs_are_borne():
    rows = [
        msgspec.structs.replace(one, cost_usd=None, tokens=None) if number % 50 == 0 else one for number, one in enumerate(rows_of(1.0))
    ]
    assert judged(rows).verdict().decision is Decision.PASS


@pytest.mark.parametrize("sides", [(Side.CANDIDATE,), (Side.STABLE, Side.CANDIDATE)])
def test_without_a_price_money_is_shown_and_no_gate_and_tokens_still_are(sides):
    rows = [msgspec.structs.replace(one, cost_usd=None) if one.side in sides else one for one in rows_of(1.0)]
    stream = judged(rows)
    verdict = stream.verdict()
    assert (verdict.decision, verdict.guard_only, verdict.able_to_trip) == (Decision.UNDECIDED, True, False)
    names = "new, old" if len(sides) == 2 else "new"
    assert verdict.problems == (f"no price known for {names}",)
    assert verdict.sentence.endswith(f"shown so far: nothing; no gate: no price known for {names} (tokens are compared)")
    assert (stream.verdict(INPUT).decision, stream.verdict(INPUT).guard_only) == (Decision.PASS, False)


def test_without_a_price_and_without_tokens_to_compare_cost_stays_a_gate_that_nothing_passes():
    rows = [msgspec.structs.replace(one, cost_usd=None) for one in rows_of(1.0)]
    (verdict,) = judged(rows, CostCriterion(input_ratio=None, output_ratio=None)).gate.verdicts()
    assert (verdict.decision, verdict.guard_only) == (Decision.UNDECIDED, False)
    assert verdict.sentence.endswith("undecided: no price known for new, old")


def test_a_price_that_becomes_known_half_way_leaves_money_undecided():
    rows = [msgspec.structs.replace(one, cost_usd=None) if number < 2000 else one for number, one in enumerate(rows_of(1.0))]
    verdict = judged(rows).verdict()
    assert (verdict.decision, verdict.guard_only) == (Decision.UNDECIDED, False)
    assert all("costs of the" in problem for problem in verdict.problems)


@pytest.mark.parametrize("usd", [nan, inf, -inf, -1.0])
def test_costs_that_are_no_numbers_never_pass(usd):
    stream = judged([msgspec.structs.replace(one, cost_usd=usd) for one in rows_of(1.0)])
    verdict = stream.verdict()
    assert (verdict.decision, verdict.tripped, verdict.guard_only) == (Decision.UNDECIDED, False, False)


def test_answers_of_one_token_each_are_decidable():
    rows = [request(number, (Side.STABLE, Side.CANDIDATE)[number % 2], 0.5, usd=0.01, completion=1) for number in range(2000)]
    assert judged(rows).verdict(OUTPUT).decision is Decision.PASS


def test_a_ramp_with_a_drifting_level_does_not_deceive():
    """Equal sides; the level doubles when the candidate's weight rises. Pooled, the candidate would look far dearer."""
    dice, stream = Random(5), Stream()
    for p, level in ((0.1, 1.0), (0.5, 2.0), (0.9, 4.0)):
        for _ in range(20):
            stream.close(draw(dice, first=stream.requests, count=100, p=p, ratio=1.0, level=level))
    verdict = stream.verdict()
    assert (verdict.decision, verdict.tripped, verdict.worse_inside) == (Decision.PASS, False, False)
    assert verdict.estimate == pytest.approx(1.0, abs=0.06)


def test_a_verdict_is_the_same_however_blocks_were_cut_by_replicas():
    rows = rows_of(1.0)
    whole, parts = Stream(), CostGate(criterion=CostCriterion())
    for block, first in enumerate(range(0, len(rows), 200)):
        here = rows[first : first + 200]
        whole.close(here)
        joined = summarise_cost(block=block, rows=here[::2]).merged(summarise_cost(block=block, rows=here[1::2]))
        parts = parts.add(joined, at=10.0 * (block + 1))
    for one, other in zip(whole.gate.verdicts(), parts.verdicts(), strict=True):
        assert (one.decision, one.to_pass.reached_at) == (other.decision, other.to_pass.reached_at)
        assert one.estimate == pytest.approx(other.estimate, rel=1e-9)


@pytest.mark.parametrize(
    "criterion",
    [
        CostCriterion(max_ratio=0.0),
        CostCriterion(max_ratio=nan),
        CostCriterion(input_ratio=inf),
        CostCriterion(output_ratio=-1.0),
    ],
)
def test_a_ratio_no_test_can_be_made_of_is_refused(criterion):
    with pytest.raises(ValueError, match="expected more than 0 and a number"):
        CostGate(criterion=criterion)


def test_a_gate_that_is_never_tightest_is_refused():
    with pytest.raises(ValueError, match="expected 1 or more"):
        CostGate(criterion=CostCriterion(), tightest_at=0)


moments = st.builds(
    Moments, count=st.integers(0, 5000), mean=st.sampled_from([0.0, 1e-300, 1e-6, 1.0, 1e12]), m2=st.sampled_from([0.0, 1e-320, 1.0, 1e28])
)
tallies = st.builds(CostTally, units=st.integers(0, 5000), money=moments, input=moments, output=moments, unpriced=st.integers(0, 100))
blocks = st.lists(st.builds(CostStratum, p=st.sampled_from([0.05, 0.5, 0.95]), stable=tallies, candidate=tallies), max_size=3)


@given(st.lists(blocks, max_size=5), st.sampled_from([0.9, 1.0, 1.1, 100.0]))
def test_no_summary_breaks_the_gate_and_every_verdict_can_be_stored(given, ratio):
    gate = CostGate(criterion=CostCriterion(max_ratio=ratio))
    for number, strata in enumerate(given):
        gate = gate.add(CostBlock(block=number, strata=tuple(strata), unpriced=("x",)), at=float(number))
    for verdict in gate.verdicts():
        assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict
        if verdict.problems:
            assert verdict.decision is Decision.UNDECIDED


@pytest.mark.parametrize("p", [0.5, 0.1])
def test_wrong_passes_at_the_margin_stay_below_their_level(p):
    """A candidate exactly at the margin: at most .05 + 3 standard errors of 60 runs may pass."""
    dice, passes = Random(3), 0
    for _ in range(60):
        passes += Stream().run(dice, p=p, ratio=1.1, until=passed, most=1500) is not None
    assert passes <= 8


def test_an_equal_candidate_passes_at_even_weights_as_soon_as_foretold():
    """Margin 1.1, spread .6: foretold at 1,594 requests, measured at 1,429 in the reference."""
    dice = Random(5)
    lengths = sorted(Stream().run(dice, p=0.5, ratio=1.0, until=passed, most=8000) or inf for _ in range(24))
    assert 1000 < lengths[12] < 2000


def test_a_dearer_candidate_is_rolled_back():
    dice = Random(6)
    lengths = sorted(Stream().run(dice, p=0.1, ratio=1.5, until=tripped, most=8000) or inf for _ in range(16))
    assert lengths[15] < 8000
    assert 900 < lengths[8] < 2600
