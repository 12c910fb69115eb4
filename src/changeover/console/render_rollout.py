"""How does a rollout look? Its steps, its weights as set and as served, its gates. Pure."""

from typing import Final

from rich.console import Group, RenderableType

from changeover.api.answers import RolloutAnswer, RolloutsAnswer, StartedAnswer
from changeover.console import words
from changeover.console.render_compare import render_evidence
from changeover.console.render_compare_rows import headline
from changeover.console.render_preflight import preflight_lines
from changeover.console.tables import cell, plain_table
from changeover.rollout.confirmation import standing_words
from changeover.rollout.standing import plan_words

MARKS: Final = {"done": "✔", "current": "▶", "to_come": "·"}


def render_rollouts(answer: RolloutsAnswer) -> RenderableType:
    if not answer.rollouts:
        return cell("no rollout yet: changeover rollout start TASK --to DEPLOYMENT")
    table = plain_table("rollout", "stable", "candidate", "state", "weight", "started (UTC)", right=("weight",))
    for rollout in answer.rollouts:
        progress = rollout.progress
        table.add_row(
            cell(rollout.id, "bold"),
            cell(rollout.stable),
            cell(rollout.candidate),
            cell(words.phase_words(progress.phase), words.phase_style(progress.phase)),
            cell(words.percent(progress.permille / 10)),
            cell(words.moment(rollout.started_at)),
        )
    return table


def render_rollout(answer: RolloutAnswer) -> RenderableType:
    rollout = answer.rollout
    return Group(
        cell(headline(rollout), words.phase_style(rollout.progress.phase)),
        cell(f"task {rollout.task}, from {rollout.stable} to {rollout.candidate}, started {words.moment(rollout.started_at)} UTC"),
        cell(weight_words(answer)),
        cell(""),
        *(cell(f"{MARKS[step.state]} {step.number}. {step.what}", "bold" if step.state == "current" else "") for step in answer.steps),
        *(cell(f"     holds: {reason}", "yellow") for reason in answer.unmet),
        *(cell(f"     {said}", "yellow") for said in standing_words(rollout)),
        cell(""),
        render_evidence(rollout, answer.assessment),
    )


def render_started(answer: StartedAnswer) -> RenderableType:
    rollout = answer.rollout
    return Group(
        cell(headline(rollout), words.phase_style(rollout.progress.phase)),
        *(cell(f"  {index}. {what}") for index, what in enumerate(plan_words(rollout.plan, stable=rollout.stable), start=1)),
        *(cell(f"{name}: not asked, {reason}", "dim") for name, reason in sorted(answer.left_out.items())),
        *(cell(line, "dim") for line in preflight_lines(answer.preflight)),
        *(cell(f"note: {warning}", "yellow") for warning in answer.warnings),
    )


def weight_words(answer: RolloutAnswer) -> str:
    """The weight as set, and whether it is served everywhere."""
    progress = answer.rollout.progress
    if progress.phase.is_final:
        served = "all data planes serve it" if not answer.waiting_for else f"waiting for {', '.join(answer.waiting_for)}"
    elif progress.acknowledged_at is not None:
        served = f"served everywhere since {words.moment(progress.acknowledged_at)} UTC"
    else:
        served = f"waiting for {', '.join(answer.waiting_for)}" if answer.waiting_for else "not yet confirmed by every data plane"
    return f"weight set {words.percent(progress.permille / 10)}, {served}"
