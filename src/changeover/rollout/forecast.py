"""How long will a plan take, and can it decide in time? Its steps walked through with the laws of its criteria. Pure.

Evidence is carried from step to step: so many units at one weight are the share of a criterion's need that they are of what
the criterion would need at that weight alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final, Literal

import msgspec

from changeover.evidence.arrivals import DAY_S, Arrivals
from changeover.evidence.planner import NEVER, Need
from changeover.gates.forecast import Law
from changeover.rollout.plan import AnalysisStep, Plan, WeightStep, percent
from changeover.traffic.table import WEIGHT_FULL_PERMILLE

Quantile = Literal["n50", "n80"]
DONE: Final = 1 - 1e-9


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Units of both sides, and days where the task's traffic is known, by which half and four fifths of such rollouts have
    their answer; ``None`` for never, or not known.
    """

    n50: float | None
    n80: float | None
    days50: float | None = None
    days80: float | None = None


class WeightEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """At one weight, in percent, if the rollout stayed there."""

    percent: float
    estimate: Estimate


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """How soon a harm would roll back. ``inside`` the accepted margin it does not, which is what was accepted."""

    harm: str
    inside: bool
    at: tuple[WeightEstimate, ...]


class CriterionForecast(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict: what is accepted, on what the forecast rests, how long a pass takes if the candidate is the stable's equal
    (at each weight alone, and along the plan), and how soon a regression is caught. ``gate`` is false for a guardrail.
    """

    criterion: str
    margin: str
    basis: str
    gate: bool
    note: str
    at: tuple[WeightEstimate, ...]
    along: Estimate
    what_if: tuple[WhatIf, ...]


class StepForecast(msgspec.Struct, frozen=True, kw_only=True):
    """One analysis: ``number`` counts from 1. ``estimate`` is what the step takes, dwell included; ``slowest`` names what it
    waits for. ``late`` says that four fifths of such rollouts are not through by ``max_days``, or never.
    """

    number: int
    require: Literal["no_harm", "pass"]
    percent: float
    dwell_days: float
    max_days: float | None
    estimate: Estimate
    slowest: str
    late: bool


class PlanForecast(msgspec.Struct, frozen=True, kw_only=True):
    """The whole plan. ``arrivals`` is ``None`` where nobody knows the traffic: then there are no days."""

    arrivals: Arrivals | None
    steps: tuple[StepForecast, ...]
    criteria: tuple[CriterionForecast, ...]
    no_source: dict[str, str]
    total: Estimate
    bottleneck: str

    @property
    def late(self) -> tuple[StepForecast, ...]:
        return tuple(step for step in self.steps if step.late)

    @property
    def unknown(self) -> bool:
        """There is a deadline, and nobody can say whether it will be met."""
        return self.arrivals is None and any(step.max_days is not None for step in self.steps)


@dataclass(slots=True)
class _Course:
    """How far a rollout has come: time in days, units, and each criterion's share of what it needs."""

    days: float = 0.0
    units: float = 0.0
    passed: dict[str, float] = field(default_factory=dict[str, float])
    able: dict[str, float] = field(default_factory=dict[str, float])
    done: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])


@dataclass(frozen=True, slots=True)
class _Stay:
    """One analysis as it went in one course."""

    units: float
    days: float
    slowest: str


def forecast_plan(plan: Plan, laws: Sequence[Law], arrivals: Arrivals | None) -> PlanForecast:
    """What the plan takes if the candidate is the stable's equal, and how soon it would catch one that is not."""
    walks = {quantile: _Walk(plan, _Needs(laws, quantile), arrivals) for quantile in ("n50", "n80")}
    stays = {quantile: walk.stays() for quantile, walk in walks.items()}
    half, most = walks["n50"].course, walks["n80"].course
    steps = tuple(_step(plan, number, weight, stays["n50"][number], stays["n80"][number]) for number, weight in analyses(plan))
    criteria = tuple(_criterion(law, plan, arrivals, half, most) for law in laws)
    gates = [one for one in criteria if one.gate]
    slowest = max(gates, key=lambda one: (_or_never(one.along.n80), _or_never(one.along.n50)), default=None)
    return PlanForecast(
        arrivals=arrivals,
        steps=steps,
        criteria=criteria,
        no_source=dict(plan.criteria.left_out),
        total=_estimate((half.units, most.units), (half.days, most.days)),
        bottleneck="" if slowest is None else slowest.criterion,
    )


def analyses(plan: Plan) -> list[tuple[int, int]]:
    """Each analysis's index in the plan, and the weight in permille that it stands at."""
    found: list[tuple[int, int]] = []
    permille = 0
    for index, step in enumerate(plan.steps):
        if isinstance(step, WeightStep):
            permille = plan.served_permille(index)
        elif isinstance(step, AnalysisStep):
            found.append((index, permille))
    return found


class _Needs:
    """The laws at one quantile, each asked once for a weight."""

    def __init__(self, laws: Sequence[Law], quantile: Quantile) -> None:
        self.laws = [law for law in laws if law.is_gate]
        self._quantile: Quantile = quantile
        self._known: dict[tuple[str, int, str], float] = {}

    def passing(self, law: Law, permille: int) -> float:
        return self._ask(law, permille, "passing", lambda p: getattr(law.passing(p), self._quantile))

    def able(self, law: Law, permille: int) -> float:
        return self._ask(law, permille, "able", law.able)

    def _ask(self, law: Law, permille: int, what: str, asked: Callable[[float], float]) -> float:
        key = (law.name, permille, what)
        if key not in self._known:
            self._known[key] = asked(permille / WEIGHT_FULL_PERMILLE)
        return self._known[key]


class _Walk:
    """One course through a plan's steps."""

    def __init__(self, plan: Plan, needs: _Needs, arrivals: Arrivals | None) -> None:
        self._plan = plan
        self._needs = needs
        self._arrivals = arrivals
        self.course = _Course()

    def stays(self) -> dict[int, _Stay]:
        return {index: self._stay(index, permille) for index, permille in analyses(self._plan)}

    def _stay(self, index: int, permille: int) -> _Stay:
        """Wait for the slowest criterion, for the dwell and for as many blocks as the tests ask."""
        step = self._plan.steps[index]
        assert isinstance(step, AnalysisStep)
        waits = {law.name: self._waits(law, permille, step) for law in self._needs.laws}
        slowest = max(waits, key=lambda name: waits[name], default="")
        needed = waits.get(slowest, 0.0)
        course = self.course
        if self._arrivals is None:
            units, days = needed, inf
        else:
            enrolled = self._arrivals.by(course.days) if course.days < inf else inf
            waited = self._arrivals.days(enrolled + needed) - course.days if needed < inf and enrolled < inf else inf
            floor = max(dwell_days(self._plan, step), self._block_days(step))
            days = max(waited, floor)
            slowest = slowest if waited >= floor else "dwell"
            units = self._arrivals.by(course.days + days) - enrolled if days < inf else inf
        self._advance(permille, units, days)
        return _Stay(units, days, slowest)

    def _waits(self, law: Law, permille: int, step: AnalysisStep) -> float:
        left = _left(self.course.passed.get(law.name, 0.0), self._needs.passing(law, permille))
        if step.require == "pass":
            return left
        return min(left, _left(self.course.able.get(law.name, 0.0), self._needs.able(law, permille)))

    def _block_days(self, step: AnalysisStep) -> float:
        """Some tests look at nothing before so many blocks since the start."""
        asked = [law.blocks for law in self._needs.laws] if step.require == "pass" else []
        return max(asked, default=0) * self._plan.evidence.block_s / DAY_S - self.course.days

    def _advance(self, permille: int, units: float, days: float) -> None:
        course = self.course
        for law in self._needs.laws:
            need = self._needs.passing(law, permille)
            before = course.passed.get(law.name, 0.0)
            after = before + (units / need if need < inf and units < inf else 0.0 if need == inf else inf)
            if after >= DONE and law.name not in course.done:
                at = course.units + _left(before, need)
                course.done[law.name] = (at, self._day_of(at, law))
            course.passed[law.name] = after
            able = self._needs.able(law, permille)
            course.able[law.name] = course.able.get(law.name, 0.0) + (units / able if able < inf and units < inf else 0.0)
        course.units += units
        course.days += days

    def _day_of(self, units: float, law: Law) -> float:
        if self._arrivals is None:
            return inf
        return max(self._arrivals.days(units), law.blocks * self._plan.evidence.block_s / DAY_S)


def dwell_days(plan: Plan, step: AnalysisStep) -> float:
    """The least that the step lasts."""
    return max(step.duration_min_s, plan.evidence.blocks_min * plan.evidence.block_s) / DAY_S


def _left(done: float, need: float) -> float:
    if done >= DONE:
        return 0.0
    return need * (1 - done) if need < inf else inf


def _step(plan: Plan, index: int, permille: int, half: _Stay, most: _Stay) -> StepForecast:
    step = plan.steps[index]
    assert isinstance(step, AnalysisStep)
    max_days = None if step.duration_max_s is None else step.duration_max_s / DAY_S
    never = most.units == inf
    over = max_days is not None and most.days < inf and most.days > max_days
    return StepForecast(
        number=index + 1,
        require=step.require,
        percent=permille / 10,
        dwell_days=dwell_days(plan, step),
        max_days=max_days,
        estimate=_estimate((half.units, most.units), (half.days, most.days)),
        slowest=most.slowest,
        late=never or over,
    )


def _criterion(law: Law, plan: Plan, arrivals: Arrivals | None, half: _Course, most: _Course) -> CriterionForecast:
    weights = sorted({permille for _, permille in analyses(plan)})
    never = (inf, inf)
    ends = half.done.get(law.name, never), most.done.get(law.name, never)
    return CriterionForecast(
        criterion=law.name,
        margin=law.margin,
        basis=law.basis,
        gate=law.is_gate,
        note=law.note,
        at=tuple(_at(permille, law.passing, arrivals) for permille in weights),
        along=_estimate((ends[0][0], ends[1][0]), (ends[0][1], ends[1][1])),
        what_if=tuple(
            WhatIf(harm=one.said, inside=one.inside, at=tuple(_at(permille, one.caught, arrivals) for permille in weights))
            for one in law.regressions
        ),
    )


def _at(permille: int, needed: Callable[[float], Need], arrivals: Arrivals | None) -> WeightEstimate:
    p = permille / WEIGHT_FULL_PERMILLE
    need = needed(p) if 0 < p < 1 else NEVER
    days = (inf, inf) if arrivals is None else (_days(arrivals, need.n50), _days(arrivals, need.n80))
    return WeightEstimate(percent=permille / 10, estimate=_estimate((need.n50, need.n80), days))


def _days(arrivals: Arrivals, units: float) -> float:
    return arrivals.days(units) if units < inf else inf


def _estimate(units: tuple[float, float], days: tuple[float, float]) -> Estimate:
    return Estimate(n50=_known(units[0]), n80=_known(units[1]), days50=_known(days[0]), days80=_known(days[1]))


def _known(value: float) -> float | None:
    return value if value < inf else None


def _or_never(value: float | None) -> float:
    return inf if value is None else value


def weight_words(weight: float) -> str:
    """A weight in percent as people write it."""
    return percent(round(weight * 10))
