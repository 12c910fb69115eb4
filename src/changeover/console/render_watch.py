"""How does a rollout look while it moves? One picture that fits the terminal, 80 by 24 and up. Pure."""

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from changeover.api.answers import StepView
from changeover.api.watch_answers import PictureAnswer
from changeover.console import render_watch_rows as told
from changeover.console import words
from changeover.console.render_rollout import MARKS
from changeover.console.tables import cell

WIDE: Final = 110
"""From so many columns on intervals have room."""
STEPS_MIN: Final = 3
EVENTS_MIN: Final = 2
_STYLES: Final = {"done": "green", "current": "bold", "to_come": "dim"}


def render_watch(picture: PictureAnswer, *, width: int, height: int | None = None, aside: str = "") -> RenderableType:
    """``height`` lines at most, ``None`` for as many as there are; steps and events give way first. ``aside`` is the last line."""
    head, gates = _head(picture), _gates(picture, wide=width >= WIDE)
    holds = [Text(f"  holds: {reason}", style="yellow") for reason in picture.unmet]
    times = [Text(line) for line in told.times(picture)]
    events = [Text(line, style="dim") for line in told.events(picture)]
    gate_lines = len(picture.assessment.verdicts) + 2 if picture.assessment.verdicts else 1
    room = None if height is None else height - len(head) - gate_lines - len(times) - bool(aside) - 2
    shown = _Room(room, steps=len(picture.steps), holds=len(holds), events=len(events))
    lines: list[RenderableType] = [
        *head,
        *_steps(picture.steps, shown.steps),
        *holds[: shown.holds],
        *times,
        Text(),
        gates,
        Text(),
        *events[len(events) - shown.events :],
        *([Text(aside, style="dim")] if aside else []),
    ]
    for line in lines:
        if isinstance(line, Text):
            line.no_wrap, line.overflow = True, "ellipsis"
    return Group(*lines)


class _Room:
    """How many steps, reasons and events fit into ``room`` lines."""

    def __init__(self, room: int | None, *, steps: int, holds: int, events: int) -> None:
        self.steps, self.holds, self.events = steps, holds, events
        while room is not None and self.steps + self.holds + self.events > room:
            if self.events > EVENTS_MIN:
                self.events -= 1
            elif self.holds > 1:
                self.holds -= 1
            elif self.steps > STEPS_MIN:
                self.steps -= 1
            elif self.events:
                self.events -= 1
            else:
                break


def _head(picture: PictureAnswer) -> list[Text]:
    rollout = picture.rollout
    style = words.phase_style(rollout.progress.phase)
    return [
        Text.assemble((rollout.task, "bold"), f"  {rollout.id}  ", (words.phase_words(rollout.progress.phase), style)),
        Text(f"{rollout.stable} -> {rollout.candidate}, attempt {rollout.attempt}, since {words.moment(rollout.started_at)} UTC"),
        *([Text(told.why(picture), style=style)] if told.why(picture) else []),
        Text(told.weights(picture), style="" if told.is_everywhere(picture) else "yellow"),
        Text(told.traffic(picture), style="red" if picture.assessment.sample_ratio.alarm else ""),
        Text(),
    ]


def _steps(steps: tuple[StepView, ...], most: int) -> list[Text]:
    """Those around the present one where there is no room for all; what is left out is counted."""
    current = next((index for index, step in enumerate(steps) if step.state == "current"), len(steps) - 1)
    first = max(0, min(current - most // 2, len(steps) - most))
    shown = steps[first : first + most]
    lines = [Text(f"{MARKS[step.state]} {step.number}. {step.what}", style=_STYLES[step.state]) for step in shown]
    if lines and len(shown) < len(steps):
        lines[-1].append(f"   ({len(shown)} of {len(steps)} steps)", style="dim")
    return lines


def _gates(picture: PictureAnswer, *, wide: bool) -> RenderableType:
    rows = told.gates(picture, wide=wide)
    if not rows:
        return Text("no verdict yet" if picture.rollout.plan.gates else "no criterion is asked", style="dim")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in told.GATE_HEADS:
        table.add_column(cell(head, "dim"), no_wrap=True, overflow="ellipsis", justify="right" if head in told.RIGHT else "left")
    for row in rows:
        table.add_row(*(cell(text, row.style if head == "verdict" else "") for head, text in zip(told.GATE_HEADS, row.texts, strict=True)))
    return table
