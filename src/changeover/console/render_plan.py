"""How does a plan read? One line a place of the file, with a sign that reads without colour. Pure."""

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from changeover.api.plan_answers import AppliedAnswer, PlanAnswer
from changeover.rollout.amendment import Amendment, Effect

SIGNS: Final[dict[Effect, str]] = {"new": "+", "changed": "~", "removed": "-", "kept": "=", "refused": "!"}
_STYLES: Final[dict[Effect, str]] = {"new": "green", "changed": "yellow", "removed": "red", "kept": "cyan", "refused": "bold red"}
_ARROW: Final = "->"
_NOTHING: Final = "(not said)"


def render_plan(answer: PlanAnswer) -> RenderableType:
    if not answer.amendments:
        return Text(f"no changes: the store at revision {answer.revision} is as the file says")
    notes = ["", *(each.note for each in answer.amendments)]
    lines = [_line(each, is_told=each.note == before) for each, before in zip(answer.amendments, notes, strict=False)]
    lines += [Text(f"! {fault}", style=_STYLES["refused"]) for fault in answer.faults]
    return Group(*lines, Text(""), Text(f"plan at revision {answer.revision}: {_counted(answer.amendments)}"))


def render_applied(answer: AppliedAnswer) -> RenderableType:
    return Text(f"revision {answer.revision}: {_counted(answer.amendments)}")


def _line(each: Amendment, *, is_told: bool) -> Text:
    """``is_told``: the line above says why already."""
    text = Text(f"{SIGNS[each.effect]} {each.path}", style=_STYLES[each.effect])
    text.append(_values(each), style="default")
    if each.note and not is_told:
        text.append(f"\n    {each.effect}: {each.note}", style="default")
    return text


def _values(each: Amendment) -> str:
    match each.effect:
        case "new":
            return f"  {each.after or ''}"
        case "removed":
            return f"  {each.before or ''}"
        case "kept" | "refused" if each.after is None:
            return f"  {each.before or ''}, not in the file"
        case _:
            return f"  {each.before or _NOTHING} {_ARROW} {each.after or _NOTHING}"


def _counted(amendments: Sequence[Amendment]) -> str:
    """In full, so that nothing is missed: what changes, then what does not."""
    counts = {effect: sum(each.effect == effect for each in amendments) for effect in SIGNS}
    changes = ", ".join(f"{counts[effect]} {effect}" for effect in ("new", "changed", "removed"))
    rest = ", ".join(f"{counts[effect]} {effect}" for effect in ("kept", "refused") if counts[effect])
    return f"{changes}; {rest}" if rest else changes
