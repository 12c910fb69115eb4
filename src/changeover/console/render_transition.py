"""How does one move of a rollout read, as a line? Pure."""

import msgspec

from changeover.api.answers import EventView
from changeover.api.views import step_views
from changeover.console import words
from changeover.rollout.state import Progress, Rollout
from changeover.rollout.world import PromotionUndone, RolloutMoved


def move_line(rollout: Rollout, event: EventView) -> str | None:
    """``None`` for an event that is not about ``rollout``."""
    match event.change:
        case RolloutMoved(rollout=identity, progress=progress) if identity == rollout.id:
            return f"{words.moment(event.at)}  {standing(rollout, progress)}"
        case PromotionUndone(rollout=identity) if identity == rollout.id:
            return f"{words.moment(event.at)}  promotion undone: {event.reason or 'no reason given'} (by {event.actor})"
        case _:
            return None


def standing(rollout: Rollout, progress: Progress) -> str:
    """Where it is: phase, step of how many (the bake is the last), weight, why."""
    steps = step_views(msgspec.structs.replace(rollout, progress=progress))
    current = next((step.number for step in steps if step.state == "current"), sum(step.state == "done" for step in steps))
    parts = [f"{words.phase_words(progress.phase):<14}", f"step {current}/{len(steps)}", f"{words.percent(progress.permille / 10):>6}"]
    return "  ".join([*parts, progress.reason]).rstrip()


def moved(rollout: Rollout, event: EventView) -> Progress | None:
    """Its progress after the event, where it moved."""
    change = event.change
    return change.progress if isinstance(change, RolloutMoved) and change.rollout == rollout.id else None


def is_same_place(before: Progress, after: Progress) -> bool:
    """Whether nothing moved that people look at: only what is remembered of the evidence, or of an acknowledgement, did."""
    return (before.phase, before.step, before.permille, before.reason) == (after.phase, after.step, after.permille, after.reason)


def is_undone(rollout: Rollout, event: EventView) -> bool:
    return isinstance(event.change, PromotionUndone) and event.change.rollout == rollout.id
