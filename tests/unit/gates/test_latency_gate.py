"""Latency, from blocks to one verdict for each quantile."""

from collections.abc import Iterable
from math import exp, inf, isfinite, nan, sqrt
from random import Random

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from changeover.evidence.histogram import histogram_of
from changeover.evidence.latency import NO_THRESHOLDS, LatencyBlock, LatencyStratum, LatencyTally, Thresholds, summarise_latency
from changeover.exchange.observation import Observation
from changeover.gates.criteria import Criteria, EvidenceRules, LatencyCriterion, TripRule
from changeover.gates.latency import LatencyGate, gate_names
from changeover.gates.streams import LatencyStream, streams_for
from changeover.gates.verdict import Decision, Verdict
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row
from tests.unit.evidence.test_tempering import GOLDEN, binomial

P95 = LatencyCriterion(quantiles=(0.95,))
LIMIT_MS = 200.0


def tally(count: int, slow: int, *, unusable: int = 0) -> LatencyTally:
    times = histogram_of([LIMIT_MS / 2] * (count - slow) + [LIMIT_MS * 2] * slow)
    return LatencyTally(count=count, tested=count, unusable=unusable, above=(slow,), beyond=(slow,), times=times)


def block(number: int, stable: LatencyTally, candidate: LatencyTally, *, p: float = 0.5) -> LatencyBlock:
    stratum = LatencyStratum(p=p, stable=stable, candidate=candidate)
    return LatencyBlock(block=number, quantiles=(0.95,), max_ratio=1.1, limits_ms=(LIMIT_MS,), frozen=True, strata=(stratum,))


def folded(blocks: Iterable[LatencyBlock], *, criterion: LatencyCriterion = P95, blocks_min: int = 12) -> LatencyGate:
    gate = LatencyGate(criterion=criterion, blocks_min=blocks_min)
    for one in blocks:
        gate = gate.add(one, at=float(one.block + 1))
    return gate


def judged(*blocks: LatencyBlock, criterion: LatencyCriterion = P95, blocks_min: int = 12) -> Verdict:
    (verdict,) = folded(blocks, criterion=criterion, blocks_min=blocks_min).verdicts()
    return verdict


def steady(count: int, *, stable: tuple[int, int] = (500, 25), candidate: tuple[int, int] = (500, 15)) -> list[LatencyBlock]:
    return [block(number, tally(*stable), tally(*candidate)) for number in range(count)]


def test_the_tempered_evidence_matches_the_reference():
    gate = folded(
        block(number, tally(one.stable, one.stable_events), tally(one.candidate, one.candidate_events)) for number, one in enumerate(GOLDEN)
    )
    assert gate.levels[0].tempering.dispersion == pytest.approx(2.3174136360, abs=5e-11)
    assert gate.evidence(0).failing == pytest.approx(-1.3096594868, abs=5e-11)
    assert gate.evidence(0).passing == pytest.approx(-2.5651870786, abs=5e-11)
    (verdict,) = gate.verdicts()
    assert (verdict.decision, verdict.problems) == (Decision.UNDECIDED, ())
    assert "dispersion 2.32 over 12 blocks, approximate" in verdict.sentence


def test_nothing_is_decided_before_twelve_blocks_with_both_sides():
    early, enough = judged(*steady(11)), judged(*steady(12))
    assert (early.decision, early.to_pass.reached_at, early.able_to_trip) == (Decision.UNDECIDED, None, False)
    assert early.to_pass.log_e > early.to_pass.threshold
    assert "11 blocks with both sides, needs 12" in early.problems
    assert (enough.decision, enough.to_pass.reached_at) == (Decision.PASS, 12.0)


def test_the_rules_say_how_many_blocks_are_needed_and_fewer_than_usual_is_said():
    rules = EvidenceRules(blocks_min=3)
    (gate,) = [stream.latency for stream in streams_for(Criteria(latency=P95), rules) if isinstance(stream, LatencyStream)]
    assert gate.blocks_min == 3
    early, enough = judged(*steady(2), blocks_min=3), judged(*steady(3), blocks_min=3)
    assert "2 blocks with both sides, needs 3" in early.problems
    assert enough.problems == ()
    assert "dispersion 1.00 over 3 blocks, a rough guess: min_blocks is 3, 12 are usual" in enough.sentence
    assert LatencyGate(criterion=P95, blocks_min=1).blocks_min == 2, "one block alone does not vary"


def test_the_sentence_says_the_accepted_loss_and_how_good_the_evidence_is():
    verdict = judged(*steady(12))
    assert verdict.criterion == "latency p95"
    assert verdict.margin == "p95 up to 10 % slower"
    assert verdict.sentence.startswith("accepted: p95 up to 10 % slower; shown so far: ")
    assert "5.0% of the stable's requests over their threshold, 3.0% of the candidate's over its own" in verdict.sentence
    assert verdict.sentence.endswith("dispersion 1.00 over 12 blocks, approximate; pass")
    assert verdict.method == "asymptotic, 95 %"


def test_a_slower_candidate_fails_and_trips():
    verdict = judged(*steady(14, candidate=(500, 45)))
    assert (verdict.decision, verdict.tripped) == (Decision.FAIL, True)
    assert verdict.to_trip.threshold == pytest.approx(5.8091, abs=5e-5)


def test_a_hundred_slow_answers_in_one_spell_are_not_a_hundred_proofs():
    """The same number of slow requests, once in every block and once in a few: only the first is proof."""
    spread = steady(40, candidate=(500, 30))
    spells = [block(number, tally(500, 25), tally(500, 95 if number % 14 == 3 else 25)) for number in range(40)]
    assert judged(*spread).decision is Decision.FAIL
    assert judged(*spells).decision is Decision.UNDECIDED


def test_spells_are_looked_for_where_the_verdict_is_made():
    """The candidate swings over the bare threshold, and is steady over its own."""
    blocks = [
        block(number, tally(500, 25), msgspec.structs.replace(tally(500, 25), above=(95 if number % 2 else 25,))) for number in range(20)
    ]
    assert folded(blocks).levels[0].tempering.dispersion == 1.0


def test_an_outage_trips_in_the_first_block_and_says_so():
    verdict = judged(block(0, tally(50, 3), tally(50, 50)))
    assert (verdict.tripped, verdict.decision) == (True, Decision.UNDECIDED)
    assert verdict.to_trip.threshold == pytest.approx(6.9078, abs=5e-5)
    assert verdict.to_trip.reached_at == 1.0
    assert "fast trip: over 2 times the stable's share is slow" in verdict.sentence
    assert verdict.sentence.endswith("undecided: 1 blocks with both sides, needs 12; tripped")


def test_twice_as_many_slow_requests_are_no_outage():
    assert not judged(*steady(6, candidate=(500, 50))).tripped


def test_slow_spells_that_outlast_a_block_refuse_a_verdict_and_leave_the_fast_trip():
    spells = [block(number, tally(500, 25), tally(500, 1 if number // 6 % 2 else 20)) for number in range(36)]
    verdict = judged(*spells)
    assert verdict.decision is Decision.UNDECIDED
    assert not verdict.able_to_trip
    assert any("slow spells outlast a block" in problem and "evidence.block" in problem for problem in verdict.problems)
    outage = [block(number, tally(500, 25), tally(500, 500)) for number in range(36, 42)]
    tripped = judged(*spells, *outage)
    assert (tripped.tripped, tripped.decision) == (True, Decision.UNDECIDED)


def test_spells_that_show_at_one_quantile_refuse_every_quantile():
    criterion = LatencyCriterion(quantiles=(0.5, 0.95))

    def both(number: int) -> LatencyBlock:
        sides = [
            msgspec.structs.replace(tally(500, 0), above=counts, beyond=counts)
            for counts in ((250, 25), (330 if number // 6 % 2 else 170, 15))
        ]
        return msgspec.structs.replace(block(number, *sides), quantiles=(0.5, 0.95), limits_ms=(100.0, LIMIT_MS))

    verdicts = folded([both(number) for number in range(36)], criterion=criterion).verdicts()
    assert [verdict.decision for verdict in verdicts] == [Decision.UNDECIDED, Decision.UNDECIDED]
    assert verdicts[1].problems == verdicts[0].problems != ()


def test_a_quantile_that_only_guards_may_trip_and_is_no_gate():
    criterion = LatencyCriterion(quantiles=(0.95,), guard_only=(0.95,))
    gate = folded(steady(14, candidate=(500, 60)), criterion=criterion)
    assert (gate.gates, gate.is_gate(0.95)) == ((), False)
    (verdict,) = gate.verdicts()
    assert (verdict.guard_only, verdict.tripped) == (True, True)
    assert gate_names(LatencyCriterion(guard_only=(0.99,))) == ("latency p50", "latency p95")


def test_worse_inside_the_margin_is_shown_and_trips_only_if_asked():
    """Both sides at the bare threshold differ; at the accepted ratio the candidate is better."""
    blocks = [block(number, tally(500, 25), msgspec.structs.replace(tally(500, 45), beyond=(10,))) for number in range(20)]
    margin = judged(*blocks)
    assert (margin.decision, margin.tripped, margin.worse_inside) == (Decision.PASS, False, True)
    at_once = [block(0, tally(500, 25), msgspec.structs.replace(tally(500, 45), beyond=(24,)))]
    harmful = [msgspec.structs.replace(at_once[0], block=number) for number in range(14)]
    anything = judged(*harmful, criterion=LatencyCriterion(quantiles=(0.95,), trip=TripRule.ANY))
    assert (anything.tripped, anything.decision) == (True, Decision.UNDECIDED)


def test_no_threshold_is_no_evidence_and_says_how_much_is_needed():
    untested = msgspec.structs.replace(tally(100, 0), tested=0, above=(), beyond=())
    gate = folded(msgspec.structs.replace(block(number, untested, untested), limits_ms=None, frozen=False) for number in range(4))
    (verdict,) = gate.verdicts()
    assert (verdict.decision, verdict.stable.count, verdict.to_pass.log_e) == (Decision.UNDECIDED, 0, 0.0)
    assert "no threshold yet: the stable has 400 requests in closed blocks, needs 500" in verdict.problems


def test_latencies_that_are_none_decide_nothing():
    verdict = judged(*steady(20), block(20, tally(500, 25), tally(500, 10, unusable=1)))
    assert (verdict.decision, verdict.candidate.missing) == (Decision.UNDECIDED, 1)
    assert "latencies that are no time: 1 (correct what measures them and start again)" in verdict.problems


@pytest.mark.parametrize(("stable", "candidate", "named"), [((500, 0), (0, 0), "candidate"), ((0, 0), (500, 0), "stable")])
def test_one_side_alone_never_passes(stable, candidate, named):
    verdict = judged(*steady(30, stable=stable, candidate=candidate))
    assert (verdict.decision, verdict.to_pass.reached_at, verdict.able_to_trip) == (Decision.UNDECIDED, None, False)
    assert verdict.problems == (f"no observations of the {named} at a weight of 5 to 95 %",)


def test_requests_of_a_block_that_one_side_missed_still_count():
    """Leaving them out would favour the side that is drawn more often."""
    lonely = [block(number, tally(20, 5), tally(0, 0)) for number in range(12, 20)]
    with_them, without = folded([*steady(12), *lonely]), folded(steady(12))
    assert with_them.levels[0].tempering.blocks == 12
    assert with_them.evidence(0).passing > without.evidence(0).passing


def test_a_guardrail_is_able_to_trip_once_three_times_the_margin_would_have_shown():
    """The power is read from the stable's own times, so the blocks need a spread."""
    dice = Random(8)
    small, large = (
        folded(spread_block(dice, number, units=units) for number in range(12)).verdicts()[0].able_to_trip for units in (20, 400)
    )
    assert (small, large) == (False, True)


def spread_block(dice: Random, number: int, *, units: int) -> LatencyBlock:
    rows = requests(dice, first=number * units * 2, count=units * 2, p=0.5)
    return summarise_latency(block=number, rows=rows, criterion=P95, thresholds=Thresholds(frozen_ms=(3434.0,)))


def requests(dice: Random, *, first: int, count: int, p: float, factor: float = 1.0, level: float = 1.0) -> list[Observation]:
    """Lognormal latencies, the candidate's times ``factor``."""
    found: list[Observation] = []
    for number in range(first, first + count):
        side = Side.CANDIDATE if dice.random() < p else Side.STABLE
        time = 1000 * level * dice.lognormvariate(0, 0.75) * (factor if side is Side.CANDIDATE else 1.0)
        found.append(msgspec.structs.replace(row(number, side, p), latency_ms=time))
    return found


def test_a_block_of_another_question_is_refused():
    for wrong in ({"quantiles": (0.5,)}, {"max_ratio": 1.2}, {"limits_ms": (1.0, 2.0)}):
        with pytest.raises(ValueError, match="expected"):
            LatencyGate(criterion=P95).add(msgspec.structs.replace(steady(1)[0], **wrong), at=1.0)


@pytest.mark.parametrize(
    "criterion",
    [
        LatencyCriterion(quantiles=()),
        LatencyCriterion(quantiles=(0.5, 0.5)),
        LatencyCriterion(quantiles=(1.0,)),
        LatencyCriterion(quantiles=(95.0,)),
        LatencyCriterion(quantiles=(nan,)),
        LatencyCriterion(max_ratio=0.0),
        LatencyCriterion(max_ratio=inf),
        LatencyCriterion(quantiles=(0.5,), guard_only=(0.99,)),
    ],
)
def test_a_question_no_test_can_be_made_of_is_refused(criterion):
    with pytest.raises(ValueError, match="latency: "):
        LatencyGate(criterion=criterion)


def test_more_quantiles_share_the_same_trip_levels():
    six = LatencyGate(criterion=LatencyCriterion(quantiles=(0.5, 0.75, 0.9, 0.95, 0.99, 0.999)))
    assert (six.alpha_trip, six.alpha_outage) == (pytest.approx(0.0015), pytest.approx(0.0005))
    assert LatencyGate(criterion=P95).alpha_trip == 0.003


@pytest.mark.parametrize(("max_ratio", "said"), [(1.1, "p95 up to 10 % slower"), (1.0, "p95 no slower"), (0.9, "p95 at least 10 % faster")])
def test_the_accepted_loss_in_words(max_ratio, said):
    (verdict,) = LatencyGate(criterion=LatencyCriterion(quantiles=(0.95,), max_ratio=max_ratio)).verdicts()
    assert verdict.margin == said


ANY_TIME = st.one_of(st.floats(0, 1e5), st.sampled_from([0.0, -1.0, nan, inf, -inf, 1e300]))
ANY_ROW = st.tuples(st.sampled_from([Side.STABLE, Side.CANDIDATE, None]), st.sampled_from([0.01, 0.1, 0.5, 1.0]), ANY_TIME, st.booleans())


@given(st.lists(st.lists(ANY_ROW, max_size=25), max_size=16), st.booleans())
@settings(max_examples=60, deadline=None)
def test_whatever_comes_in_never_crashes_and_passes_only_with_both_sides_in_twelve_blocks(blocks, frozen):
    gate, thresholds = LatencyGate(criterion=P95), Thresholds(frozen_ms=(100.0,)) if frozen else NO_THRESHOLDS
    for number, drawn in enumerate(blocks):
        rows = [
            msgspec.structs.replace(row(100 * number + position, side, p, error=error), latency_ms=time)
            for position, (side, p, time, error) in enumerate(drawn)
        ]
        summary = summarise_latency(block=number, rows=rows, criterion=P95, thresholds=thresholds)
        stored = msgspec.json.decode(msgspec.json.encode(summary), type=LatencyBlock)
        gate, thresholds = gate.add(stored, at=float(number)), thresholds.after(stored)
        (verdict,) = gate.verdicts()
        event(f"tested: {verdict.stable.count > 0}, tripped: {verdict.tripped}")
        assert isfinite(verdict.to_pass.log_e)
        assert isfinite(verdict.to_trip.log_e)
        assert not (verdict.problems and (verdict.decision is not Decision.UNDECIDED or verdict.able_to_trip))
        for figure in (verdict.estimate, verdict.low, verdict.high):
            assert figure is None or isfinite(figure)
        if verdict.decision is Decision.PASS:
            assert gate.levels[0].tempering.blocks >= 12


@given(ANY_TIME, st.booleans(), st.integers(1, 2000))
@settings(max_examples=40, deadline=None)
def test_everything_in_one_block_never_passes(time, error, count):
    rows = [msgspec.structs.replace(row(number, list(Side)[number % 2], 0.5, error=error), latency_ms=time) for number in range(count)]
    summary = summarise_latency(block=0, rows=rows, criterion=P95, thresholds=Thresholds(frozen_ms=(100.0,)))
    (verdict,) = folded([summary]).verdicts()
    assert (verdict.decision, verdict.to_pass.reached_at) == (Decision.UNDECIDED, None)


def simulated(dice: Random, *, slow: tuple[float, float], blocks: int, units: int, own_sd: float = 0.0) -> LatencyGate:
    """Shares of slow requests; with ``own_sd`` each side's own congestion moves them from block to block."""
    gate = LatencyGate(criterion=P95)
    for number in range(blocks):
        sides = [tally(units, binomial(dice, units, share * exp(dice.gauss(0, own_sd)))) for share in slow]
        gate = gate.add(block(number, *sides), at=float(number + 1))
    return gate


@pytest.mark.parametrize("own_sd", [0.0, 0.5])
def test_wrong_answers_at_the_margin_stay_below_their_level(own_sd):
    """60 runs, with and without congestion of one side alone: at most .05 + 3 standard errors may pass, and next to none
    may trip.
    """
    dice = Random(31)
    gates = [simulated(dice, slow=(0.1, 0.1), blocks=20, units=60, own_sd=own_sd) for _ in range(60)]
    assert sum(gate.levels[0].proven.passed_at is not None for gate in gates) <= 8
    assert sum(gate.levels[0].proven.tripped_at is not None for gate in gates) <= 2


def test_the_same_simulation_does_pass_and_does_trip_where_it_should():
    dice = Random(32)
    better = [simulated(dice, slow=(0.1, 0.05), blocks=20, units=100) for _ in range(10)]
    worse = [simulated(dice, slow=(0.1, 0.2), blocks=20, units=100) for _ in range(10)]
    assert sum(gate.levels[0].proven.passed_at is not None for gate in better) >= 9
    assert sum(gate.levels[0].proven.tripped_at is not None for gate in worse) >= 9


def test_a_candidate_slower_by_exactly_the_margin_has_the_same_share_of_slow_requests_while_the_level_drifts():
    dice, gate, thresholds = Random(33), LatencyGate(criterion=P95), NO_THRESHOLDS
    for number in range(16):
        level = 1 + 0.5 * (number % 4) / 4
        rows = requests(dice, first=1000 * number, count=400, p=0.5, factor=1.1, level=level)
        summary = summarise_latency(block=number, rows=rows, criterion=P95, thresholds=thresholds)
        gate, thresholds = gate.add(summary, at=float(number)), thresholds.after(summary)
    (verdict,) = gate.verdicts()
    spread = sqrt((verdict.stable.events or 0) + (verdict.candidate.events or 0))
    assert abs((verdict.stable.events or 0) - (verdict.candidate.events or 0)) < 3 * spread
    assert verdict.decision is Decision.UNDECIDED


def down(number: int) -> LatencyBlock:
    """A block in which neither side answers anybody."""
    nobody = msgspec.structs.replace(tally(500, 500), unanswered=500)
    return block(number, nobody, nobody)


def test_a_shared_outage_is_left_out_and_nothing_is_decided_while_it_lasts():
    healthy = steady(12)
    before, during = judged(*healthy), judged(*healthy, *(down(number) for number in range(12, 40)))
    assert (before.decision, during.decision) == (Decision.PASS, Decision.UNDECIDED)
    assert during.to_pass.log_e == before.to_pass.log_e, "an outage brings a pass no nearer"
    assert any("shared outage" in problem for problem in during.problems)
    assert judged(*healthy, down(12), msgspec.structs.replace(healthy[0], block=13)).decision is Decision.PASS
