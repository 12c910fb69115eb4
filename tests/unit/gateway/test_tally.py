"""Requests are counted by kind, and there are only so many kinds."""

import msgspec

from changeover.exchange.observation import Observation, Outcome
from changeover.gateway.tally import BOUNDS_MS, Tally
from changeover.traffic.table import Side
from tests.unit.gateway.planes import observation

SEEN = msgspec.structs.replace(observation("r", side=Side.CANDIDATE), task="mail", assigned="new", served="new", status=200, attempts=1)


def noted(*seen: Observation) -> Tally:
    tally = Tally()
    for each in seen:
        tally.note(each)
    return tally


def test_requests_of_one_kind_are_one_number() -> None:
    moved = msgspec.structs.replace(SEEN, served="old", attempts=2)
    found = noted(SEEN, SEEN, moved).requests
    assert {(kind.served, kind.attempts): count for kind, count in found.items()} == {("new", 1): 2, ("old", 2): 1}


def test_only_answers_have_a_latency() -> None:
    failed = msgspec.structs.replace(SEEN, outcome=Outcome.FAILED, status=502, latency_ms=4.0)
    slow = msgspec.structs.replace(SEEN, latency_ms=BOUNDS_MS[-1] + 1)
    exact = msgspec.structs.replace(SEEN, latency_ms=BOUNDS_MS[1])
    ((at, found),) = noted(failed, slow, exact).latencies.items()
    assert at == ("mail", Side.CANDIDATE)
    assert [index for index, count in enumerate(found.counts) if count] == [1, len(BOUNDS_MS)]
    assert found.sum_ms == slow.latency_ms + exact.latency_ms


def test_kinds_beyond_the_limit_keep_their_outcome_alone() -> None:
    tally = Tally(kinds_max=3)
    for status in range(200, 220):
        tally.note(msgspec.structs.replace(SEEN, status=status))
    found = tally.requests
    assert len(found) == 4
    assert sum(found.values()) == 20
    assert {kind.outcome for kind in found} == {Outcome.ANSWERED}
