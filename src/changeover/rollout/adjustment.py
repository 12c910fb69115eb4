"""How may a start differ from the file's plan? Ways out of a plan that cannot decide in time, each recorded in the plan it makes."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from changeover.gates.criteria import Criteria
from changeover.gates.streams import streams_for
from changeover.rollout.plan import AnalysisStep, Plan, PrepareStep, ShadowStep, Step, VerifyStep, WeightStep
from changeover.rollout.refusal import Refusal

EVEN_PERMILLE: Final = 500
EVEN_MOST_PERMILLE: Final = 950
PERCENT: Final = 100


class Adjustment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``even`` begins at 50:50. ``guard_only`` names latency quantiles (``p99``) that may roll back and are no gate.
    ``margins`` are accepted losses by criterion, in the units of the file: see ``MARGINS``.
    """

    even: bool = False
    guard_only: tuple[str, ...] = ()
    margins: dict[str, float] = {}


NO_ADJUSTMENT: Final = Adjustment()


def adjusted(plan: Plan, wanted: Adjustment) -> Plan:
    """The plan as wanted.

    Raises:
        Refusal: a criterion or quantile that the plan does not ask, or a margin no test can be made of.
    """
    criteria = plan.criteria
    for name, margin in wanted.margins.items():
        criteria = _with_margin(criteria, name, margin)
    if wanted.guard_only:
        criteria = _guarded(criteria, wanted.guard_only)
    try:
        streams_for(criteria)
    except ValueError as error:
        raise Refusal("invalid", f"the criteria cannot be tested: {error}", hint="Choose another margin") from error
    return msgspec.structs.replace(plan, steps=evened(plan.steps) if wanted.even else plan.steps, criteria=criteria)


def evened(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Without the weights below 50 % and their analyses; a weight of 50 % is put before the last analysis if none is left.

    Approvals and pauses below 50 % go with their weights; what is done before any traffic stays.
    """
    kept = tuple(step for step in steps if isinstance(step, PrepareStep | VerifyStep | ShadowStep))
    return (*kept, *_evened(tuple(step for step in steps if step not in kept)))


def _evened(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    at = next((index for index, step in enumerate(steps) if isinstance(step, WeightStep) and step.permille >= EVEN_PERMILLE), len(steps))
    first = steps[at] if at < len(steps) else None
    if isinstance(first, WeightStep) and first.permille <= EVEN_MOST_PERMILLE:
        return steps[at:]
    before = [step for step in steps[:at] if isinstance(step, AnalysisStep)][-1:]
    return (WeightStep(permille=EVEN_PERMILLE), *before, *steps[at:])


def _quality(criteria: Criteria, margin: float) -> Criteria | None:
    asked = criteria.quality
    return asked and msgspec.structs.replace(criteria, quality=msgspec.structs.replace(asked, margin=margin))


def _errors(criteria: Criteria, margin: float) -> Criteria | None:
    asked = criteria.errors
    return asked and msgspec.structs.replace(criteria, errors=msgspec.structs.replace(asked, margin_points=margin))


def _latency(criteria: Criteria, margin: float) -> Criteria | None:
    asked = criteria.latency
    return asked and msgspec.structs.replace(criteria, latency=msgspec.structs.replace(asked, max_ratio=margin))


def _cost(criteria: Criteria, margin: float) -> Criteria | None:
    asked = criteria.cost
    return asked and msgspec.structs.replace(criteria, cost=msgspec.structs.replace(asked, max_ratio=margin))


def _input(criteria: Criteria, margin: float) -> Criteria | None:
    asked = criteria.cost
    return asked and msgspec.structs.replace(criteria, cost=msgspec.structs.replace(asked, input_ratio=margin))


def _output(criteria: Criteria, margin: float) -> Criteria | None:
    asked = criteria.cost
    return asked and msgspec.structs.replace(criteria, cost=msgspec.structs.replace(asked, output_ratio=margin))


def _safety(criteria: Criteria, margin: float) -> Criteria | None:
    asked = criteria.safety
    return asked and msgspec.structs.replace(criteria, safety=msgspec.structs.replace(asked, margin_points=margin))


MARGINS: Final[Mapping[str, Callable[[Criteria, float], Criteria | None]]] = {
    "quality": _quality,
    "errors": _errors,
    "latency": _latency,
    "cost": _cost,
    "input-tokens": _input,
    "output-tokens": _output,
    "safety": _safety,
}
"""Quality in the scale's units, errors and safety in percentage points, the others as a ratio."""


def _with_margin(criteria: Criteria, name: str, margin: float) -> Criteria:
    change = MARGINS.get(name)
    if change is None:
        raise Refusal("invalid", f"found a margin for {name!r}, expected one of {', '.join(MARGINS)}", hint="Name one of them")
    found = change(criteria, margin)
    if not found:
        raise Refusal("invalid", f"found a margin for {name}, which this rollout does not ask", hint="Take it out")
    return found


def _guarded(criteria: Criteria, names: tuple[str, ...]) -> Criteria:
    latency = criteria.latency
    if latency is None:
        raise Refusal("invalid", "latency is not asked in this rollout, so no quantile of it is a gate", hint="Take guard-only out")
    known = {f"p{PERCENT * quantile:g}": quantile for quantile in latency.quantiles}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Refusal(
            "invalid", f"found guard-only {', '.join(unknown)}; expected quantiles of {', '.join(known)}", hint="Name one of them"
        )
    guarding = tuple(sorted({*latency.guard_only, *(known[name] for name in names)}))
    return msgspec.structs.replace(criteria, latency=msgspec.structs.replace(latency, guard_only=guarding))
