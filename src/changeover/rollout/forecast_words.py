"""How is a forecast said? Durations, counts and the sentences that people decide by. Pure."""

from math import ceil
from typing import Final

from changeover.evidence.arrivals import DAY_S
from changeover.gates.latency_wording import NAME as LATENCY
from changeover.rollout.forecast import Estimate, PlanForecast, StepForecast, weight_words

NEVER: Final = "never"
UNKNOWN: Final = "?"
UNITS_ROUND: Final = 100
UNITS_FINE: Final = 1000
_SIZES: Final = ((DAY_S, "days"), (3600.0, "hours"), (60.0, "minutes"))


def units(value: float | None) -> str:
    """A number of units, no finer than a forecast is good for."""
    if value is None:
        return NEVER
    step = UNITS_ROUND if value >= UNITS_FINE else 10
    return f"{step * ceil(value / step):,}"


def duration(days: float | None) -> str:
    """In the largest unit that leaves a number worth reading."""
    if days is None:
        return NEVER
    seconds = days * DAY_S
    for size, unit in _SIZES:
        if seconds >= 2 * size or (size == DAY_S and seconds >= size):
            number = f"{seconds / size:.3g}"
            return f"{number} {unit.removesuffix('s') if number == '1' else unit}"
    return f"{seconds:.0f} s"


def spanned(low: str, high: str) -> str:
    """``2 to 6 days`` where both have one unit."""
    if low == high:
        return low
    (short, _, unit), (_, _, other) = low.partition(" "), high.partition(" ")
    return f"{short} to {high}" if unit and unit == other else f"{low} to {high}"


def spread(estimate: Estimate, *, known: bool) -> str:
    """From half to four fifths: in time where the traffic is ``known``, else in units."""
    if known:
        return spanned(duration(estimate.days50), duration(estimate.days80))
    return f"{spanned(units(estimate.n50), units(estimate.n80))} requests"


def sentence(found: PlanForecast, *, candidate: str, stable: str) -> str:
    """The whole forecast in one breath."""
    known = found.arrivals is not None
    if found.total.n80 is None:
        return f"This plan is not expected to end: {found.bottleneck or 'nothing'} is never decided."
    text = f"If {candidate} is as good as {stable}, half of such rollouts are through after {_end(found.total, known=known, most=False)}, "
    text += f"four of five after {_end(found.total, known=known, most=True)}"
    slowest = found.steps[-1].slowest if found.steps else ""
    if slowest == "dwell":
        return f"{text}; the steps' own dwell takes longest."
    return f"{text}; {found.bottleneck} decides last."


def regression_sentences(found: PlanForecast) -> tuple[str, ...]:
    """How soon each kind of harm is rolled back at the first weight: one sentence a harm, of whoever sees it first."""
    first: dict[tuple[str, str], tuple[float, Estimate, float]] = {}
    for criterion in found.criteria:
        for what in criterion.what_if:
            if what.inside or not what.at or what.at[0].estimate.n50 is None:
                continue
            head = LATENCY if criterion.criterion.startswith(LATENCY) else criterion.criterion
            n50, estimate = what.at[0].estimate.n50, what.at[0].estimate
            if (head, what.harm) not in first or n50 < first[head, what.harm][0]:
                first[head, what.harm] = (n50, estimate, what.at[0].percent)
    known = found.arrivals is not None
    return tuple(
        f"{head} {harm}: caught at {weight_words(weight)} after {_end(estimate, known=known, most=False)} in half of such rollouts, "
        f"{_end(estimate, known=known, most=True)} in four of five"
        for (head, harm), (_, estimate, weight) in first.items()
    )


def hopeless_reasons(found: PlanForecast, *, task: str) -> tuple[str, ...]:
    """Why the plan should not be started as it is; empty where it may."""
    reasons = [_late_reason(step, found) for step in found.late]
    if found.unknown and not reasons:
        steps = ", ".join(str(step.number) for step in found.steps if step.max_days is not None)
        reasons.append(
            f"max_duration of step {steps}: too little traffic of {task} was seen in the last 7 days to say whether it can be met"
        )
    return tuple(reasons)


def traffic_words(found: PlanForecast) -> str:
    if found.arrivals is None:
        return "traffic: unknown, too little was seen in the last 7 days; requests only, no days (say it: --requests-per-day N)"
    return f"traffic: {found.arrivals.basis}"


def step_title(step: StepForecast) -> str:
    return f"step {step.number}, analysis {step.require} at {weight_words(step.percent)}"


def _late_reason(step: StepForecast, found: PlanForecast) -> str:
    if step.estimate.n80 is None or (found.arrivals is not None and step.estimate.days80 is None):
        return f"{step_title(step)}: no number of requests is expected to decide {step.slowest}"
    return (
        f"{step_title(step)}: four of five such rollouts need up to {duration(step.estimate.days80)} "
        f"({units(step.estimate.n80)} requests), found max_duration {duration(step.max_days)}; slowest is {step.slowest}"
    )


def _end(estimate: Estimate, *, known: bool, most: bool) -> str:
    if known:
        return duration(estimate.days80 if most else estimate.days50)
    return f"{units(estimate.n80 if most else estimate.n50)} requests"
