"""What can be done about a plan that cannot decide in time? Each way out with its command and what it would take. Pure."""

from collections.abc import Callable, Sequence
from math import ceil, inf
from shlex import quote
from sys import float_info
from typing import Final

import msgspec

from changeover.evidence.planner import differences_needed
from changeover.gates.criteria import Criteria
from changeover.gates.facts import Facts
from changeover.gates.levels import ALPHA_PASS, threshold
from changeover.rollout.adjustment import NO_ADJUSTMENT, Adjustment, adjusted
from changeover.rollout.forecast import CriterionForecast, PlanForecast, StepForecast
from changeover.rollout.forecast_words import duration
from changeover.rollout.plan import Plan
from changeover.rollout.refusal import Refusal

FACTORS: Final = (1.5, 2.0, 3.0, 4.0, 6.0)
"""By how much wider a margin is tried; the first that decides in time is offered."""

ACCURACY_SHARE: Final = 0.02
ITEM_DEVIATION: Final = 0.283
"""Where no quality is asked: accuracy within 2 points, one item in twelve answered differently."""

ITEMS_STEP: Final = 50
EXAMPLE_PER_DAY: Final = 50_000
RATIO_STEP: Final = 0.05
"""What a ratio of 1, which accepts nothing, is widened from."""

_DIGITS: Final = 3


class Adjusting(msgspec.Struct, frozen=True, kw_only=True):
    """The start that is to be changed: its task and candidate, what was said besides, and the adjustment it has already."""

    task: str
    candidate: str
    without: tuple[str, ...] = ()
    requests_per_day: float | None = None
    adjustment: Adjustment = NO_ADJUSTMENT


class WayOut(msgspec.Struct, frozen=True, kw_only=True):
    """``what`` it means in words; ``command`` is ready to run, and empty where there is none. ``in_time`` says whether the
    plan then decides in time by the same forecast (``None``: that was not tried); ``days80`` how long it all takes.
    """

    what: str
    command: str = ""
    in_time: bool | None = None
    days80: float | None = None


def ways_out(
    start: Adjusting, plan: Plan, found: PlanForecast, facts: Facts, forecast: Callable[[Plan], PlanForecast]
) -> tuple[WayOut, ...]:
    """In the order in which they give up least. ``plan`` and ``found`` are as the start would have them now."""
    if not found.late:
        return (_telling(start),)
    slow = slow_gates(found)
    ways = [_paired(plan.criteria, facts), _even(start, plan, forecast), _guard(start, plan, slow, forecast)]
    ways.append(_wider(start, plan, slow, forecast))
    return tuple(way for way in ways if way is not None)


def way_lines(ways: Sequence[WayOut]) -> list[str]:
    """Each way out in words, with its command below."""
    found: list[str] = []
    for way in ways:
        found.append(f"- {way.what}{_promise(way)}")
        found += [f"    {way.command}"] if way.command else []
    return found


def _promise(way: WayOut) -> str:
    if way.in_time is None:
        return ""
    took = "" if way.days80 is None else f", {duration(way.days80)} in four of five"
    return f" (decides in time{took})" if way.in_time else f" (still not in time{took})"


def accepting_command(start: Adjusting) -> str:
    """The start that goes ahead all the same."""
    return f'{start_command(start)} --accept-undecided --reason "..."'


def start_command(start: Adjusting) -> str:
    """As it is to be typed."""
    words = ["changeover", "rollout", "start", quote(start.task), "--to", quote(start.candidate)]
    if start.without:
        words += ["--without", ",".join(start.without)]
    if start.requests_per_day is not None:
        words += ["--requests-per-day", f"{start.requests_per_day:.0f}"]
    if start.adjustment.even:
        words.append("--even")
    if start.adjustment.guard_only:
        words += ["--guard-only", ",".join(start.adjustment.guard_only)]
    for name, margin in start.adjustment.margins.items():
        words += ["--margin", f"{name}={margin:g}"]
    return " ".join(words)


def slow_gates(found: PlanForecast) -> list[CriterionForecast]:
    """The gates that the first late step waits for beyond its deadline."""
    late = next(iter(found.late), None)
    if late is None:
        return []
    deadline = _deadline(found, late)
    return [one for one in found.criteria if one.gate and _or_never(one.along.days80 if found.arrivals else one.along.n80) > deadline]


def _deadline(found: PlanForecast, late: StepForecast) -> float:
    """The day of the rollout by which the late step has to be over; any, where only the impossible is late."""
    before = sum(_or_never(step.estimate.days80) for step in found.steps if step.number < late.number)
    return before + late.max_days if late.max_days is not None and found.arrivals is not None else float_info.max


def _telling(start: Adjusting) -> WayOut:
    """Nobody knows the traffic yet."""
    return WayOut(
        what=f"say how many new requests a day are expected, {EXAMPLE_PER_DAY:,} for example",
        command=start_command(msgspec.structs.replace(start, requests_per_day=float(EXAMPLE_PER_DAY))),
    )


def _paired(criteria: Criteria, facts: Facts) -> WayOut | None:
    """Quality, accuracy and harm can be settled on documents; latency and errors stay guardrails on traffic."""
    quality = criteria.quality
    if quality is None:
        share, deviation, about = ACCURACY_SHARE, ITEM_DEVIATION, f"accuracy within {100 * ACCURACY_SHARE:g} points"
    else:
        share, deviation, about = quality.margin_share, facts.score.sd, f"quality within {quality.margin:g}"
    needed = differences_needed(deviation, delta=share, log_threshold=threshold(ALPHA_PASS)).n80
    if needed == inf:
        return None
    items = ITEMS_STEP * ceil(needed / ITEMS_STEP)
    return WayOut(
        what=f"paired evaluation (strategy: paired): both versions answer the same {items:,} documents, which prove {about}, "
        "and traffic is a guardrail only; not in this version"
    )


def _even(start: Adjusting, plan: Plan, forecast: Callable[[Plan], PlanForecast]) -> WayOut | None:
    wanted = Adjustment(even=True)
    if start.adjustment.even or adjusted(plan, wanted).steps == plan.steps:
        return None
    return _tried(
        start, plan, wanted, forecast, what="50:50 sooner: begin with half of the traffic on the candidate; a harm reaches more callers"
    )


def _guard(start: Adjusting, plan: Plan, slow: Sequence[CriterionForecast], forecast: Callable[[Plan], PlanForecast]) -> WayOut | None:
    """The highest slow quantile, as long as another one stays a gate."""
    latency = plan.criteria.latency
    names = [one.criterion.split()[-1] for one in slow if one.criterion.startswith("latency ")]
    if latency is None or not names or len(latency.quantiles) - len(latency.guard_only) <= 1:
        return None
    wanted = Adjustment(guard_only=(*start.adjustment.guard_only, names[-1]))
    return _tried(start, plan, wanted, forecast, what=f"{names[-1]} as a guardrail only: it may roll back, and no step waits for its pass")


def _wider(start: Adjusting, plan: Plan, slow: Sequence[CriterionForecast], forecast: Callable[[Plan], PlanForecast]) -> WayOut | None:
    """The narrowest of the wider margins that decides in time; the widest tried where none does."""
    known = {one.margin for one in forecast(plan).criteria}
    found: WayOut | None = None
    for factor in FACTORS:
        margins = {name: wider for one in slow if (pair := widened(plan.criteria, one.criterion, factor)) for name, wider in [pair]}
        if not margins:
            return None
        try:
            wide = forecast(adjusted(plan, Adjustment(margins=margins)))
        except Refusal:
            break
        words = "; ".join(one.margin for one in wide.criteria if one.margin not in known)
        found = _tried(start, plan, Adjustment(margins=margins), forecast, what=f"a wider margin: accept {words}")
        if found is not None and found.in_time:
            break
    return found


def widened(criteria: Criteria, criterion: str, factor: float) -> tuple[str, float] | None:
    """The margin's name on the command line and its value with ``factor`` times the accepted loss."""
    match criterion.split(maxsplit=1)[0]:
        case "quality" if criteria.quality is not None:
            return "quality", _round(criteria.quality.margin * factor)
        case "errors" if criteria.errors is not None:
            return "errors", _round(criteria.errors.margin_points * factor)
        case "latency" if criteria.latency is not None:
            return "latency", _ratio(criteria.latency.max_ratio, factor)
        case "cost" if criteria.cost is not None:
            return "cost", _ratio(criteria.cost.max_ratio, factor)
        case "input" if criteria.cost is not None and criteria.cost.input_ratio is not None:
            return "input-tokens", _ratio(criteria.cost.input_ratio, factor)
        case "output" if criteria.cost is not None and criteria.cost.output_ratio is not None:
            return "output-tokens", _ratio(criteria.cost.output_ratio, factor)
        case "filter" | "harmful" if criteria.safety is not None:
            return "safety", _round(criteria.safety.margin_points * factor)
        case _:
            return None


def _tried(start: Adjusting, plan: Plan, wanted: Adjustment, forecast: Callable[[Plan], PlanForecast], *, what: str) -> WayOut | None:
    try:
        found = forecast(adjusted(plan, wanted))
    except Refusal:
        return None
    joined = Adjustment(
        even=start.adjustment.even or wanted.even,
        guard_only=wanted.guard_only or start.adjustment.guard_only,
        margins={**start.adjustment.margins, **wanted.margins},
    )
    command = start_command(msgspec.structs.replace(start, adjustment=joined))
    return WayOut(what=what, command=command, in_time=not found.late, days80=found.total.days80)


def _ratio(ratio: float, factor: float) -> float:
    return _round(1 + max(ratio - 1, RATIO_STEP) * factor)


def _round(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _or_never(value: float | None) -> float:
    return inf if value is None else value
