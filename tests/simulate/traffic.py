"""Who asks, and which side is drawn? The requests of one simulated rollout, before anything is known of their answers."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from math import exp, pi, sin
from random import Random
from typing import Any, Final

from changeover.adapters.memory import MemoryStore
from changeover.controller.enrolment import Enrolled, enrolled
from changeover.evidence.blocks import BlockClock
from changeover.exchange.observation import Observation, Outcome
from changeover.gates.assess import Judge
from changeover.gates.criteria import Criteria, EvidenceRules
from changeover.gates.streams import Row
from changeover.traffic.table import Side

EVEN: Final = ((1.0, 0.5),)
TENTH: Final = ((1.0, 0.1),)
RAMP: Final = ((0.45, 0.1), (0.4, 0.5), (0.15, 1.0))
"""Shares of a rollout's requests, and the candidate's weight in them."""

USERS: Final = 20_000
"""Of sticky traffic: the n-th most active sends 1/n of what the first sends (Zipf)."""

LEVEL_END: Final = 0.6
WAVE: Final = 0.15
WAVES: Final = 3.0

BLOCK_S: Final = 1800.0
STABLE: Final = Side.STABLE
CANDIDATE: Final = Side.CANDIDATE
DEPLOYMENT: Final = "assigned"
ENROLMENT_BLOCK: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How ``requests`` come: weights by stage, whether the level of everything drifts for both sides alike (it nearly
    doubles, in waves), and whether sticky users send them.
    """

    requests: int
    stages: tuple[tuple[float, float], ...] = EVEN
    drifts: bool = False
    sticky: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """One rollout's draws, request by request. ``traits`` are what the sender has once and for all, from 0 to 1, equal
    in distribution on both sides; without sticky users every request has its own.
    """

    sides: list[bool]
    ps: list[float]
    levels: list[float]
    traits: list[float]
    users: list[int] | None = None


def draw_traffic(dice: Random, plan: Plan) -> Traffic:
    ps = _weights(plan)
    levels = _levels(plan.requests) if plan.drifts else [1.0] * plan.requests
    if not plan.sticky:
        chance = dice.random
        return Traffic(sides=[chance() < p for p in ps], ps=ps, levels=levels, traits=[chance() for _ in ps])
    users = dice.choices(range(USERS), cum_weights=_activity(), k=plan.requests)
    places = [dice.random() for _ in range(USERS)]
    traits = [dice.random() for _ in range(USERS)]
    return Traffic(
        sides=[places[user] < p for user, p in zip(users, ps, strict=True)],
        ps=ps,
        levels=levels,
        traits=[traits[user] for user in users],
        users=users,
    )


def observed(
    traffic: Traffic,
    number: int,
    *,
    outcome: Outcome = Outcome.ANSWERED,
    served: str | None = DEPLOYMENT,
    latency_ms: float = 1.0,
    **answer: Any,
) -> Observation:
    """Request ``number`` as the gateway reports it; the rest says what is known of the answer."""
    user = None if traffic.users is None else traffic.users[number]
    return Observation(
        request_id=str(number),
        unit="" if user is None else f"u{user}",
        sticky=user is not None,
        started_at=float(number),
        outcome=outcome,
        revision=1,
        latency_ms=latency_ms,
        side=CANDIDATE if traffic.sides[number] else STABLE,
        candidate_probability=traffic.ps[number],
        assigned=DEPLOYMENT,
        served=served,
        **answer,
    )


def enrolments(rows: list[Row], *, block: int = ENROLMENT_BLOCK) -> Iterator[Enrolled]:
    """What the controller finds in each block of so many requests: the rows that count (a sticky unit's first), and the
    later requests of units it knows.
    """
    store = MemoryStore()
    for number, start in enumerate(range(0, len(rows), block)):
        found = enrolled(store, rows[start : start + block], rollout="simulated", stream="any")
        store.save_summary(rollout="simulated", stream="any", block=number, body=b"", units=found.units)
        yield found


def counted(traffic: Traffic, rows: list[Row]) -> list[Row]:
    """The rows that count."""
    return rows if traffic.users is None else [row for found in enrolments(rows) for row in found.rows]


def begin(criteria: Criteria) -> Judge:
    """The product's judge before the first block."""
    return Judge.begin(criteria=criteria, rules=EvidenceRules(block_s=BLOCK_S), clock=BlockClock(origin_at=0.0, block_s=BLOCK_S))


def picked(values: Sequence[float], chances: Sequence[float], at: float) -> float:
    """The value that the place ``at`` (0 to 1) falls on; ``chances`` are cumulative."""
    return values[min(bisect(chances, at), len(values) - 1)]


def _weights(plan: Plan) -> list[float]:
    ps: list[float] = []
    for share, p in plan.stages:
        ps += [p] * round(share * plan.requests)
    return (ps + [plan.stages[-1][1]] * plan.requests)[: plan.requests]


@cache
def _levels(requests: int) -> list[float]:
    return [exp(LEVEL_END * i / requests) * (1 + WAVE * sin(2 * pi * WAVES * i / requests)) for i in range(requests)]


@cache
def _activity() -> list[float]:
    return list(accumulate(1 / rank for rank in range(1, USERS + 1)))
