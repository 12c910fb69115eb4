"""Cost where users come again: all their requests, with errors counted by user."""

import functools
from math import sqrt
from random import Random

import msgspec
import pytest

from changeover.evidence.cost import CostBlock, summarise_cost
from changeover.evidence.cost_ratio import Means, one_sided_multiplier, ratio_interval, standard_errors
from changeover.evidence.cost_users import UserPair, UserSide, UserTotal, side_mean, stratified_user_means
from changeover.evidence.moments import Moments, moments_of
from changeover.evidence.units import mark_of
from changeover.evidence.user_totals import EVERYBODY, USERS_KEPT
from changeover.exchange.observation import Observation
from changeover.gates.cost import MEASURES, METHOD, METHOD_USERS, MONEY, CostGate
from changeover.gates.cost_users import NO_USERS
from changeover.gates.criteria import CostCriterion, Criteria, EvidenceRules
from changeover.gates.streams import CostStream, streams_for
from changeover.gates.verdict import Decision
from changeover.traffic.table import Side
from tests.unit.gates.test_cost_gate import Stream, draw, request

STABLE = [UserTotal(10, 8), UserTotal(5, 4.5), UserTotal(20, 15)]
CANDIDATE = [UserTotal(8, 6), UserTotal(12, 8.4), UserTotal(6, 5.1)]


def side(users: list[UserTotal], *, first: int = 0, stands_for: float = 1.0, singles: Moments | None = None) -> UserSide:
    return UserSide({first + mark: user for mark, user in enumerate(users)}, stands_for, singles or Moments())


def means_of(*pairs: UserPair) -> Means:
    found = stratified_user_means(pairs)
    assert found is not None
    return found


def from_the_others(users: list[UserTotal]) -> float:
    """The variance of a side's mean, each user measured from the mean of all others."""
    requests, total, count = sum(user.requests for user in users), sum(user.total for user in users), len(users)
    deviations = [
        user.requests / requests * (user.total / user.requests - (total - user.total) / (requests - user.requests)) for user in users
    ]
    return sum(deviation * deviation for deviation in deviations) * count / (count - 1)


def test_one_stratum_is_the_cluster_robust_form_with_each_user_measured_from_the_others():
    means = means_of(UserPair(side(STABLE * 10), side(CANDIDATE * 10, first=100)))
    assert (means.units, means.covariance) == (60, 0.0)
    assert means.candidate - means.stable == pytest.approx(-0.0357142857, abs=5e-11)
    assert means.stable_variance == pytest.approx(from_the_others(STABLE * 10))
    assert means.candidate_variance == pytest.approx(from_the_others(CANDIDATE * 10))


def test_with_many_even_users_it_is_the_plain_cluster_robust_form():
    means = means_of(UserPair(side(STABLE * 1000), side(CANDIDATE * 1000, first=10_000)))
    ours, theirs = side_mean(STABLE * 1000), side_mean(CANDIDATE * 1000)
    assert means.stable_variance == pytest.approx(ours.variance, rel=0.002)
    assert means.candidate_variance == pytest.approx(theirs.variance, rel=0.002)


def test_a_user_with_a_third_of_all_requests_does_not_hide_behind_the_mean_that_it_makes():
    heavy = [UserTotal(5, 5.0)] * 40 + [UserTotal(100, 60.0)]
    means = means_of(UserPair(side(STABLE * 10), side(heavy, first=100)))
    assert means.candidate_variance == pytest.approx(from_the_others(heavy))
    assert means.candidate_variance > 2 * side_mean(heavy).variance


def test_requests_without_a_user_are_users_of_one_request():
    values = [0.2, 0.9, 0.4, 0.7] * 10
    alone = means_of(UserPair(side([UserTotal(1, value) for value in values]), side(CANDIDATE * 10, first=100)))
    counted = means_of(UserPair(side([], singles=moments_of(values)), side(CANDIDATE * 10, first=100)))
    assert counted == pytest.approx(alone)


def test_a_sample_of_users_alone_has_the_mean_and_spread_of_those_in_it():
    plain = means_of(UserPair(side(STABLE * 10), side(CANDIDATE * 10, first=100)))
    assert means_of(UserPair(side(STABLE * 10, stands_for=4.0), side(CANDIDATE * 10, first=100, stands_for=2.5))) == pytest.approx(plain)


def test_a_users_requests_hang_together_across_weights_and_sides():
    """The same users twice say nothing new; users who were moved to the other side take their habits with them."""
    once = UserPair(side(STABLE * 10), side(CANDIDATE * 10, first=100))
    assert means_of(once, once).stable_variance == pytest.approx(means_of(once).stable_variance)
    others = UserPair(side(STABLE * 10, first=500), side(CANDIDATE * 10, first=600))
    assert means_of(once, others).stable_variance == pytest.approx(means_of(once).stable_variance / 2, rel=0.05)
    moved = UserPair(side(CANDIDATE * 10, first=900), side(STABLE * 10))
    means = means_of(once, moved)
    assert means.covariance > 0
    more = means._replace(candidate=1.1 * means.candidate)
    alone = more._replace(covariance=0.0)
    assert (standard_errors(more, ratio=1.0) or 0) > (standard_errors(alone, ratio=1.0) or 0) > 0


def test_the_interval_ends_where_the_test_does_also_with_a_covariance():
    means = Means(100, 1.0, 1.05, 0.001, 0.0012, 0.0004)
    low, high = ratio_interval(means, multiplier=2.5) or (0, 0)
    assert standard_errors(means, ratio=high) == pytest.approx(-2.5)
    assert standard_errors(means, ratio=low) == pytest.approx(2.5)


@functools.cache
def nature(user: int) -> tuple[float, float]:
    """A user's place on the ring, and how much it asks for."""
    own = Random(user)
    return own.random(), own.lognormvariate(0, 0.5)


def visits(dice: Random, *, users: int, requests: int, p: float, first: int, ratio: float = 1.0, level: float = 1.0) -> list[Observation]:
    """Users of uneven activity, each with a level of its own and a place on the ring that decides its side."""
    rows: list[Observation] = []
    for number in range(first, first + requests):
        user = int(users * dice.random() ** 2)
        place, habit = nature(user)
        drawn = Side.CANDIDATE if place < p else Side.STABLE
        size = level * habit * dice.lognormvariate(0, 0.3) * (ratio if drawn is Side.CANDIDATE else 1.0)
        asked = request(number, drawn, p, usd=0.01 * size, prompt=round(1000 * size), completion=round(1000 * size))
        rows.append(msgspec.structs.replace(asked, unit=f"user-{user}", sticky=True))
    return rows


class Sticky:
    """One rollout's cost blocks, enrolled as in the product."""

    def __init__(self, gate: CostGate) -> None:
        self.gate = gate
        self.block = 0
        self.seen: set[str] = set()

    def close(self, rows: list[Observation]) -> CostBlock:
        enrolled: list[Observation] = []
        later: list[Observation] = []
        for row in rows:
            (later if row.unit in self.seen else enrolled).append(row)
            self.seen.add(row.unit)
        made = summarise_cost(block=self.block, rows=enrolled, later=later, limits=self.gate.users.limits)
        stored = msgspec.json.decode(msgspec.json.encode(made), type=CostBlock)
        self.block += 1
        self.gate = self.gate.add(stored, at=float(self.block))
        return stored


def test_one_request_a_unit_keeps_the_form_for_first_requests():
    stream = Stream()
    for block in range(5):
        stream.close(draw(Random(block), first=1000 * block, count=400, p=0.5, ratio=1.0))
    money = stream.gate.verdicts()[0]
    assert not stream.gate.users.repeating
    assert (stream.gate.users.units, stream.gate.users.requests) == (2000, 2000)
    assert money.method == METHOD
    assert "by user" not in money.sentence


def test_repeating_units_change_the_form_for_good_and_the_verdict_says_so():
    sticky = Sticky(CostGate(criterion=CostCriterion(), tightest_at_users=1000))
    for block in range(6):
        sticky.close(visits(Random(block), users=600, requests=600, p=0.5, first=1000 * block))
    assert sticky.gate.users.repeating
    assert sticky.gate.users.requests == 3600
    money = sticky.gate.verdicts()[0]
    assert (money.criterion, money.method) == (MONEY, METHOD_USERS)
    assert f"by user: 3600 requests of {sticky.gate.users.units} users" in money.sentence
    means = sticky.gate.means(MEASURES[0])
    assert means is not None
    assert means.units == len(sticky.seen)


def test_what_a_repeating_candidate_costs_more_is_found_and_what_it_does_not_is_passed():
    for ratio, wanted in ((1.0, Decision.PASS), (1.9, Decision.FAIL)):
        sticky = Sticky(CostGate(criterion=CostCriterion(), tightest_at_users=1000))
        for block in range(4):
            sticky.close(visits(Random(block), users=1600, requests=2000, p=0.5, first=2000 * block, ratio=ratio))
        assert {verdict.decision for verdict in sticky.gate.verdicts()} == {wanted}, ratio


def test_users_are_bounded_by_a_fair_sample_that_has_all_their_requests():
    sticky = Sticky(CostGate(criterion=CostCriterion()))
    everything: list[Observation] = []
    for block in range(8):
        rows = visits(Random(block), users=6000, requests=3000, p=0.5, first=3000 * block)
        everything += rows
        stored = sticky.close(rows)
        assert all(len(tally.users) <= USERS_KEPT for here in stored.users for tally in (here.stable, here.candidate))
    fold = sticky.gate.users
    (stable, candidate) = fold.strata[0.5]
    assert len(stable.users) == len(candidate.users) == USERS_KEPT
    assert max(fold.limits) < EVERYBODY
    asked = {row.unit: 0 for row in everything}
    for row in everything:
        asked[row.unit] += 1
    kept = sorted(user.requests for user in (*stable.users.values(), *candidate.users.values()))
    by_mark = {mark_of(row): asked[row.unit] for row in everything}
    assert kept == sorted(by_mark[mark] for mark in (*stable.users, *candidate.users))
    assert fold.requests == len(everything)


def test_replicas_of_a_block_add_up_to_one_stream():
    rows = visits(Random(3), users=5000, requests=6000, p=0.5, first=0)
    whole = summarise_cost(block=0, rows=[], later=rows)
    halves = [summarise_cost(block=0, rows=[], later=part) for part in (rows[:2500], rows[2500:])]
    merged = halves[0].merged(halves[1])
    for one, other in zip(merged.users, whole.users, strict=True):
        for a, b in ((one.stable, other.stable), (one.candidate, other.candidate)):
            assert (a.requests, a.limit, [user.mark for user in a.users]) == (b.requests, b.limit, [user.mark for user in b.users])
            assert [user.totals for user in a.users] == [pytest.approx(user.totals) for user in b.users]


def test_missing_costs_are_counted_by_request():
    sticky = Sticky(CostGate(criterion=CostCriterion()))
    for block in range(4):
        rows = visits(Random(block), users=400, requests=800, p=0.5, first=1000 * block)
        sticky.close([msgspec.structs.replace(row, cost_usd=None) if number % 10 == 0 else row for number, row in enumerate(rows)])
    money = sticky.gate.verdicts()[0]
    assert money.decision is Decision.UNDECIDED
    assert "costs of the stable are missing, over 5%" in money.problems[0]


def test_a_block_of_the_first_version_has_no_users():
    old = msgspec.json.decode(b'{"block":0,"strata":[{"p":0.5}],"unpriced":[],"version":1}', type=CostBlock)
    assert (old.users, old.version) == ((), 1)
    assert NO_USERS.after(old, before=()) == NO_USERS


def test_who_came_before_the_first_user_is_not_forgotten():
    """A task becomes sticky in mid-rollout: what was seen until then are users of one request."""
    late = Sticky(CostGate(criterion=CostCriterion()))
    plain = draw(Random(5), first=0, count=400, p=0.5, ratio=1.0)
    late.close(plain)
    assert late.gate.users.strata == {}
    late.close(visits(Random(6), users=300, requests=1500, p=0.5, first=5000))
    stable, candidate = late.gate.users.strata[0.5]
    assert stable.singles.requests + candidate.singles.requests == 400
    assert late.gate.users.requests == 1900
    assert late.gate.users.repeating


def test_where_the_tests_are_sharpest_is_the_rules_to_say():
    streams = streams_for(Criteria(cost=CostCriterion()), EvidenceRules(n_star=4000, n_star_users=300))
    (gate,) = [stream.cost for stream in streams if isinstance(stream, CostStream)]
    assert (gate.tightest_at, gate.tightest_at_users) == (4000, 300)
    assert one_sided_multiplier(4000, alpha=0.05, tightest_at=4000) < one_sided_multiplier(4000, alpha=0.05, tightest_at=40_000)
    with pytest.raises(ValueError, match=r"set evidence\.n_star"):
        CostGate(criterion=CostCriterion(), tightest_at=0)


def test_at_the_margin_with_uneven_sticky_users_on_a_ramp_wrong_passes_are_rare():
    """30 rollouts through the shipped summaries, while the level rises: at most .05 and three standard errors beyond."""
    runs, wrong, ratio = 30, 0, 1.1
    for run in range(runs):
        dice = Random(1000 + run)
        sticky = Sticky(CostGate(criterion=CostCriterion(max_ratio=1.1, input_ratio=None, output_ratio=None), tightest_at_users=400))
        salt = run * 10_007
        for block in range(6):
            p, level = (0.2, 1.0) if block < 3 else (0.5, 1.5)
            rows = visits(dice, users=300, requests=300, p=p, first=1000 * block, ratio=ratio, level=level)
            # Another rollout draws the same users anew.
            sticky.close([_redrawn(row, salt, ratio) for row in rows])
        wrong += sticky.gate.verdicts()[0].to_pass.reached_at is not None
    assert wrong <= runs * (0.05 + 3 * sqrt(0.05 * 0.95 / runs))


def _redrawn(row: Observation, salt: int, ratio: float) -> Observation:
    before = row.side is Side.CANDIDATE
    side = Side.CANDIDATE if Random(f"{salt}-{row.unit}").random() < row.candidate_probability else Side.STABLE
    usd = (row.cost_usd or 0.0) / (ratio if before else 1.0) * (ratio if side is Side.CANDIDATE else 1.0)
    return msgspec.structs.replace(row, side=side, cost_usd=usd)
