"""``changeover rollout start --dry-run``, and how what it says looks."""

from rich.console import Group, RenderableType

from changeover.api.previewing import PreviewAnswer
from changeover.console.tables import cell


def render_preview(answer: PreviewAnswer) -> RenderableType:
    """The plan in words, then what it means; nothing was done."""
    rollout, forecast = answer.rollout, answer.forecast
    return Group(
        cell(f"would start {rollout.id}: task {rollout.task}, from {rollout.stable} to {rollout.candidate}", "bold"),
        *(cell(f"  {number}. {step}") for number, step in enumerate(answer.steps, start=1)),
        *(cell(f"{name}: not asked, {reason}", "dim") for name, reason in sorted(answer.left_out.items())),
        cell(""),
        cell(forecast.sentence),
        cell(answer.length),
        *(cell(line) for line in (*answer.way_back, *answer.capacity, *answer.cost)),
        *(cell(f"note: {warning}", "yellow") for warning in answer.warnings),
        *(cell(f"would be refused: {reason}", "yellow") for reason in forecast.hopeless),
        cell("nothing was done", "dim"),
    )
