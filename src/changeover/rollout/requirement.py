"""Is what a step, the bake or an evaluation requires met? Answers with every reason; decides no transition."""

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from changeover.gates.verdict import Assessment, Decision, SideFigures, Verdict
from changeover.rollout.overriding import DWELL, overridden
from changeover.rollout.plan import AnalysisStep, Plan, VerifyStep, percent
from changeover.rollout.plan_rules import proof_at
from changeover.rollout.state import Progress

MISSING_SHARE_MAX: Final = 0.05
"""``no_harm`` needs fewer outcomes missing than this, on either side."""

_CLOCK_GRAIN_S: Final = 1e-3
"""Unix seconds as floats are compared to a millisecond."""


def unmet(step: AnalysisStep, plan: Plan, progress: Progress, assessment: Assessment, *, since: int | None = None) -> tuple[str, ...]:
    """Why ``step`` is not met, each reason with value, comparator and limit; empty when it is met (rule I11).

    What is overridden at this step asks nothing, but for alarms and trips; one that waits behind the analysis says ``since``
    which step. Who finishes now needs every gate's pass.
    """
    waived = overridden(progress, since=since)
    dwell = _dwell(waived, progress, Dwell(step.duration_min_s, plan.evidence.blocks_min), least=Dwell(0.0, 1))
    reasons = [*_dwell_reasons(progress, assessment, dwell)]
    reasons += [*_alarm_reasons(assessment), *_trip_reasons(assessment)]
    wants_pass = step.require == "pass" or _finishes_by_gates(plan, progress)
    return (*reasons, *_all_gate_reasons(plan, assessment, waived, wants_pass=wants_pass))


def unmet_still(plan: Plan, progress: Progress, assessment: Assessment) -> tuple[str, ...]:
    """Why a step that waits may not be left: what was proven at this weight must hold when it is, not only when it was."""
    at = proof_at(plan, progress.step)
    if at is None:
        return ()
    proof = plan.steps[at]
    assert isinstance(proof, AnalysisStep)
    return unmet(proof, plan, progress, assessment, since=at)


def unmet_bake(plan: Plan, progress: Progress, assessment: Assessment) -> tuple[str, ...]:
    """Why the candidate is not trusted yet at the end of its bake. The last weight had its proof: from then on time served
    without harm is asked for, and evidence that is fit and proves no loss. Who answered for a gate of that proof answers for
    it here too, but not for the time.
    """
    bake_s = plan.bake.duration_s
    dwell = _dwell(overridden(progress), progress, Dwell(bake_s, 0), least=Dwell(min(bake_s, plan.evidence.block_s), 0))
    waived = overridden(progress, since=proof_at(plan, progress.step))
    reasons = [*_dwell_reasons(progress, assessment, dwell), *_alarm_reasons(assessment)]
    reasons += _trip_reasons(assessment)
    if _finishes_by_gates(plan, progress):
        return (*reasons, *_all_gate_reasons(plan, assessment, waived, wants_pass=True))
    for verdict in assessment.verdicts:
        if verdict.criterion in plan.gates and verdict.criterion not in waived and not verdict.guard_only:
            reasons += [*_problem_reasons(verdict), *_proven_reasons(verdict)]
    return tuple(reasons)


def unmet_verification(step: VerifyStep, progress: Progress, assessment: Assessment) -> tuple[str, ...]:
    """Why an evaluation is no proof yet: every gate of the step needs its pass."""
    waived = overridden(progress)
    reasons = [*_trip_reasons(assessment)]
    for gate in step.gates:
        if gate not in waived:
            reasons += _gate_reasons(gate, [each for each in assessment.verdicts if each.criterion == gate], wants_pass=True)
    return tuple(reasons)


def _finishes_by_gates(plan: Plan, progress: Progress) -> bool:
    """Where evaluation decided, the gates of traffic are guardrails."""
    return progress.finishing is not None and plan.strategy == "canary"


def _all_gate_reasons(plan: Plan, assessment: Assessment, waived: Collection[str], *, wants_pass: bool) -> Iterator[str]:
    gates = plan.gates
    if not gates:
        yield "0 gates in the plan, needs >= 1"
    elif all(verdict.guard_only for verdict in assessment.verdicts if verdict.criterion in gates) and not {*gates} <= {*waived}:
        yield "0 verdicts of gates, needs >= 1"
    for gate in gates:
        if gate not in waived:
            found = [verdict for verdict in assessment.verdicts if verdict.criterion == gate]
            yield from _gate_reasons(gate, found, wants_pass=wants_pass)


class Dwell(NamedTuple):
    """How long a weight has to be served, in seconds and in closed blocks."""

    s: float
    blocks: int


_NO_DWELL: Final = Dwell(0.0, 0)


def _dwell(waived: Collection[str], progress: Progress, asked: Dwell, *, least: Dwell) -> Dwell:
    """Who finishes now does so on evidence that has at least a block of this weight in it, unless the dwell is named too."""
    if DWELL in waived:
        return _NO_DWELL
    return asked if progress.finishing is None else least


def _dwell_reasons(progress: Progress, assessment: Assessment, dwell: Dwell) -> Iterator[str]:
    """The dwell counts closed blocks at the acknowledged weight. An assessment made before the weight was acknowledged
    cannot hold any, whatever it says of the weight before.
    """
    if progress.acknowledged_at is None:
        yield f"weight {percent(progress.permille)} is not acknowledged, needs every live data plane"
        return
    if assessment.blocks < dwell.blocks:
        yield _few_blocks(assessment, dwell.blocks)
    if not assessment.served_s >= dwell.s:
        yield f"{assessment.served_s:.0f} s served at this weight, needs >= {dwell.s:.0f} s"
    elapsed_s = assessment.closed_until - progress.acknowledged_at
    if not assessment.served_s <= max(elapsed_s, 0.0) + _CLOCK_GRAIN_S:
        yield (
            f"evidence of {assessment.served_s:.0f} s is older than this weight, "
            f"needs <= {max(elapsed_s, 0.0):.0f} s closed since it was acknowledged"
        )


def _few_blocks(assessment: Assessment, blocks_min: int) -> str:
    """Units are counted once per rollout (rule I14): where only known ones come back, a weight proves nothing, however long."""
    if assessment.blocks or not assessment.served_s > 0:
        return f"{assessment.blocks} closed blocks at this weight, needs >= {blocks_min}"
    return (
        f"no new units: 0 closed blocks with new ones in {assessment.served_s:.0f} s served at this weight, needs >= {blocks_min} "
        "(who was counted at an earlier weight is not counted again; start a new attempt at 50:50, or draw by request: sticky_by)"
    )


def _alarm_reasons(assessment: Assessment) -> Iterator[str]:
    if assessment.refusal:
        yield f"{assessment.refusal}; needs evidence of one configuration"
    check = assessment.sample_ratio
    if check.alarm:
        yield f"sample-ratio alarm at log e {check.level.log_e:.3g}, needs < {check.level.threshold:.3g}"


def _trip_reasons(assessment: Assessment) -> Iterator[str]:
    if assessment.brake is not None:
        yield f"{assessment.brake.sentence}; needs no outage"
    yield from (f"{verdict.criterion} has tripped, needs 0 trips" for verdict in assessment.verdicts if verdict.tripped)


def _gate_reasons(gate: str, verdicts: list[Verdict], *, wants_pass: bool) -> Iterator[str]:
    """A verdict that only guards may roll back, which `_trip_reasons` knows; no step needs it."""
    if not verdicts:
        yield f"{gate} has 0 verdicts, needs >= 1"
    for verdict in verdicts:
        if verdict.guard_only:
            continue
        yield from _problem_reasons(verdict)
        yield from _pass_reasons(verdict) if wants_pass else _harmless_reasons(verdict)


def _problem_reasons(verdict: Verdict) -> Iterator[str]:
    if verdict.problems:
        many = "1 problem" if len(verdict.problems) == 1 else f"{len(verdict.problems)} problems"
        yield f"{verdict.criterion} has {many} ({'; '.join(verdict.problems)}), needs 0"


def _proven_reasons(verdict: Verdict) -> Iterator[str]:
    if verdict.decision is Decision.FAIL:
        yield f"{verdict.criterion} is fail, needs = pass or undecided"


def _pass_reasons(verdict: Verdict) -> Iterator[str]:
    if verdict.decision is not Decision.PASS:
        shown = verdict.to_pass
        yield f"{verdict.criterion} is {verdict.decision} at log e {shown.log_e:.3g} of {shown.threshold:.3g}, needs = pass"


def _harmless_reasons(verdict: Verdict) -> Iterator[str]:
    yield from _proven_reasons(verdict)
    if verdict.decision is Decision.UNDECIDED and not verdict.able_to_trip:
        yield f"{verdict.criterion} is undecided and not able to trip, needs = pass or able to trip"
    for side, figures in (("stable", verdict.stable), ("candidate", verdict.candidate)):
        missing = _missing_share(figures)
        if not missing < MISSING_SHARE_MAX:
            yield f"{verdict.criterion}: {missing:.1%} missing on the {side}, needs < {MISSING_SHARE_MAX:.0%}"


def _missing_share(figures: SideFigures) -> float:
    """A side with no unit at all has shown nothing: all of it is missing."""
    units = figures.count + figures.missing
    return figures.missing / units if units > 0 else 1.0
