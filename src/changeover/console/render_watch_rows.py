"""What stands in each line of the picture of a rollout? Words and numbers only. Pure."""

from typing import Final, NamedTuple

from changeover.api.watch_answers import PictureAnswer
from changeover.console import words
from changeover.console.render_compare_rows import difference, margin_words, rows
from changeover.console.render_events import what_happened
from changeover.console.render_transition import is_same_place
from changeover.gates.verdict import Decision, Verdict
from changeover.rollout.plan import AnalysisStep, PauseStep
from changeover.rollout.standing import is_baking
from changeover.rollout.state import Progress
from changeover.rollout.world import RolloutMoved

GATE_HEADS: Final = ("criterion", "stable", "candidate", "difference", "limit", "verdict", "to verdict")
RIGHT: Final = ("stable", "candidate", "difference")
PACE_FROM: Final = 0.05
"""So much of the way must be behind before its pace says anything of the rest."""
PLANE_CHARACTERS: Final = 12


class GateCells(NamedTuple):
    """One verdict, in the order of `GATE_HEADS`."""

    texts: tuple[str, ...]
    style: str


def why(picture: PictureAnswer) -> str:
    """The reason, and of a pause what was found against what limit."""
    return with_hold(picture.rollout.progress)


def with_hold(progress: Progress) -> str:
    """A pause says value, comparator and limit, whoever wrote its reason."""
    held = "" if progress.hold is None else progress.hold.sentence
    told = "" if held in progress.reason else held
    return "; ".join(filter(None, (progress.reason, told)))


def weights(picture: PictureAnswer) -> str:
    """The weight as set, and on how many of the data planes that live it is the actual one."""
    weight = words.percent(picture.rollout.progress.permille / 10)
    live = [plane for plane in picture.planes if not plane.silent]
    behind = [plane.plane[:PLANE_CHARACTERS] for plane in live if plane.behind]
    silent = sum(plane.silent for plane in picture.planes)
    actual = (
        f"actual {weight} on {len(live) - len(behind)} of {len(live)} data planes" if live else "actual unknown, no data plane is heard"
    )
    waiting = f", waiting for {', '.join(behind)}" if behind else ""
    return f"weight   set {weight}, {actual}{waiting}" + (f", {silent} silent" if silent else "")


def is_everywhere(picture: PictureAnswer) -> bool:
    live = [plane for plane in picture.planes if not plane.silent]
    return bool(live) and not any(plane.behind for plane in live)


def traffic(picture: PictureAnswer) -> str:
    """Requests a minute, and whether units were split as drawn."""
    pulse, check = picture.pulse, picture.assessment.sample_ratio
    stable, candidate = _rate(pulse.stable_per_minute), _rate(pulse.candidate_per_minute)
    drawn = "✖ not as drawn" if check.alarm else "as drawn"
    return f"traffic  requests/min: stable {stable}, candidate {candidate}; units {check.stable}:{check.candidate} {drawn}"


def _rate(value: float | None) -> str:
    return words.NOTHING if value is None else f"{value:,.0f}"


def times(picture: PictureAnswer) -> list[str]:
    """How much of the dwell is served, and how long until the step's deadline and the date from outside."""
    return [] if picture.rollout.progress.phase.is_over else [f"time     {'; '.join(_times(picture))}"]


def _times(picture: PictureAnswer) -> list[str]:
    rollout, found = picture.rollout, picture.assessment
    progress, plan = rollout.progress, rollout.plan
    told = [f"{found.blocks} of {plan.evidence.blocks_min} blocks", f"{span(found.served_s)} served at this weight"]
    step = plan.steps[progress.step] if 0 <= progress.step < len(plan.steps) else None
    if is_baking(progress):
        told.append(f"bakes {span(plan.bake.duration_s)}")
    elif isinstance(step, AnalysisStep):
        told += [f"needs {span(step.duration_min_s)}"] if step.duration_min_s else []
        told += [] if step.duration_max_s is None else [_left("deadline", progress.step_entered_at + step.duration_max_s - picture.now)]
    elif isinstance(step, PauseStep) and step.duration_s is not None:
        told.append(f"pauses {span(step.duration_s)}")
    if plan.deadline is not None:
        told.append(_left(plan.deadline.reason or "date from outside", plan.deadline.at - picture.now))
    return told


def _left(what: str, left_s: float) -> str:
    return f"{what} in {span(left_s)}" if left_s > 0 else f"{what} passed {span(-left_s)} ago"


def gates(picture: PictureAnswer, *, wide: bool) -> list[GateCells]:
    """Intervals and the margins' second half only where it is ``wide``."""
    criteria = picture.rollout.plan.criteria
    elapsed_s = picture.assessment.closed_until - picture.rollout.started_at
    verdicts = picture.assessment.verdicts
    found: list[GateCells] = []
    for verdict, row in zip(verdicts, rows(criteria, verdicts), strict=True):
        said = words.decision_words(verdict.decision, tripped=verdict.tripped)
        compared, limit = difference(verdict), margin_words(criteria, verdict)
        texts = (
            verdict.criterion,
            _one_line(row.stable, wide=wide),
            _one_line(row.candidate, wide=wide),
            _one_line(compared, wide=wide),
            _one_line(limit, wide=wide),
            said if not verdict.guard_only else f"{said} (guard)",
            to_verdict(verdict, elapsed_s=elapsed_s),
        )
        found.append(GateCells(texts, row.style))
    return found


def to_verdict(verdict: Verdict, *, elapsed_s: float) -> str:
    """How much of the evidence for a pass is there, and how long the rest takes at this pace; nothing once it is decided."""
    if verdict.decision is not Decision.UNDECIDED:
        return ""
    level = verdict.to_pass
    share = max(0.0, level.log_e / level.threshold) if level.threshold > 0 else 0.0
    if share < PACE_FROM or share >= 1.0 or elapsed_s <= 0:
        return f"{min(share, 1.0):.0%}"
    return f"{share:.0%}, about {span(elapsed_s * (1.0 / share - 1.0))}"


def _one_line(text: str, *, wide: bool) -> str:
    first, *rest = text.split("\n")
    return " ".join((first, *rest)) if wide else first.removesuffix(" or")


def events(picture: PictureAnswer) -> list[str]:
    """Those that somebody would notice: not what only the evidence remembers."""
    last: Progress | None = None
    told: list[str] = []
    for event in picture.events:
        now = event.change.progress if isinstance(event.change, RolloutMoved) else None
        if now is None or last is None or not is_same_place(last, now):
            reason = f": {event.reason}" if event.reason else ""
            told.append(f"{words.moment(event.at)[11:]}  {what_happened(event.change)} ({event.actor}){reason}")
        last = now or last
    return told


def span(seconds: float) -> str:
    """A length of time in its two largest units."""
    whole = max(0, round(seconds))
    for size, unit, below, small in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"
