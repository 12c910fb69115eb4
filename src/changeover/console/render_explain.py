"""How does the answer to "why this version?" read? One line a fact, in the order in which they decided. Pure."""

from typing import Final

from rich.console import RenderableType
from rich.table import Table

from changeover.api.explain_answers import Drawn, RequestExplained, RouteChange, Turn, UnitExplained
from changeover.console import words
from changeover.console.tables import cell
from changeover.traffic.table import Side

BREAKER_OPEN: Final = "breaker_open"


def render_request(found: RequestExplained) -> RenderableType:
    rows = [
        ("request", f"{found.request_id}, {words.moment(found.started_at)} UTC, {_ending(found)}"),
        ("table", f"revision {found.revision}, attempt {found.attempt}{_trial(found.weight)}"),
        ("weight", _weight(found.weight)),
        ("unit", _unit(found)),
        ("draw", _draw(found)),
        ("side", _side(found)),
        ("served", _served(found)),
    ]
    if found.agrees is not None:
        rows.append(("checked", _checked(found)))
    return _facts(rows)


def render_unit(found: UnitExplained) -> RenderableType:
    where = f"{found.drawn.deployment} ({found.drawn.side})"
    rows = [
        ("now", f"{where}: {_place(found.drawn, found.percent)}"),
        ("since", _turn(found.turns[-1])),
        *(("before", _turn(turn)) for turn in reversed(found.turns[:-1])),
        ("stored as", f"{found.unit} in attempt {found.attempt}"),
    ]
    return _facts(rows)


def _facts(rows: list[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for head, text in rows:
        table.add_row(cell(head, "bold"), cell(text, "red" if text.startswith("✖") else ""))
    return table


def _ending(found: RequestExplained) -> str:
    status = "" if found.status is None else f", status {found.status}"
    return f"{found.outcome}{status}"


def _trial(change: RouteChange | None) -> str:
    if change is None or change.candidate is None:
        return ", nothing on trial"
    return f", rollout {change.rollout}" if change.rollout else ", a split by hand"


def _weight(change: RouteChange | None) -> str:
    if change is None:
        return "the log does not say who set it"
    to = f"{change.candidate} {words.percent(change.percent)}" if change.candidate else f"all to {change.stable}"
    return f"{to}, set by {_by(change)}"


def _by(change: RouteChange) -> str:
    reason = f": {change.reason}" if change.reason else ""
    return f"{change.actor} at {words.moment(change.at)} UTC in revision {change.revision} ({change.event.replace('_', ' ')}){reason}"


def _unit(found: RequestExplained) -> str:
    match found.unit_is:
        case "none":
            return "none: it was not drawn"
        case "named":
            sources = ", ".join(("x-changeover-unit", *found.sticky_by))
            return f"{found.unit} (hashed), named by the caller in the first of {sources} that it sent"
        case "first_try":
            return f"{found.unit} (hashed), that of the first try which an SDK repeated here"
        case _:
            return "the request itself: the caller named none"


def _draw(found: RequestExplained) -> str:
    if found.drawn is None or found.weight is None:
        why = "it was bound to a side" if found.forced else "the unit is known by its hash alone; say it with --unit to draw again"
        return words.NOTHING if found.side is None and not found.forced else why
    return _place(found.drawn, found.weight.percent)


def _place(drawn: Drawn, percent: float) -> str:
    if not percent:
        return "the weight is 0, so every unit is the stable's"
    sign, whose = ("<", "the candidate's") if drawn.position_percent < percent else (">=", "the stable's")
    return f"place {drawn.position_percent:g} {sign} weight {percent:g}, so it is {whose}"


def _side(found: RequestExplained) -> str:
    if found.side is None:
        return f"none: it was refused before a side was drawn ({found.error})"
    if found.forced:
        return f"{found.side}, without a draw: it continues a response that {found.assigned} made"
    own = found.candidate_probability if found.side is Side.CANDIDATE else 1.0 - found.candidate_probability
    return f"{found.side}, which had a probability of {own:.3g}; {found.assigned} was to serve it"


def _served(found: RequestExplained) -> str:
    """Who answered, and where it was another than the assigned one, why."""
    attempts = f"{found.attempts} {'attempt' if found.attempts == 1 else 'attempts'}"
    model = f" as {found.served_model}" if found.served_model else ""
    if found.served is None:
        return f"by nobody: {found.error or found.outcome} ({attempts})"
    if found.served == found.assigned:
        again = "" if found.attempts <= 1 else ", after one that brought no answer or was repeated on a fresh connection"
        return f"by {found.served}{model} ({attempts}{again})"
    return f"by {found.served}{model}, in its place: {_why_another(found)} ({attempts})"


def _why_another(found: RequestExplained) -> str:
    if found.error == BREAKER_OPEN:
        return f"{found.assigned} was not asked, its breaker was open because it had not answered lately"
    if found.attempts <= 1:
        return f"{found.assigned} could not be asked ({found.error or 'no cause was reported'})"
    return f"{found.assigned} was asked and did not answer ({found.error or 'no cause was reported'})"


def _checked(found: RequestExplained) -> str:
    if found.agrees:
        return "✔ drawn again from salt, unit and weight: the same"
    drawn = found.drawn
    assert drawn is not None
    return f"✖ drawn again it is {drawn.deployment} ({drawn.side}): the data plane and the log do not agree; please report it"


def _turn(turn: Turn) -> str:
    return f"{turn.drawn.deployment} ({turn.drawn.side}) at {words.percent(turn.change.percent)}, by {_by(turn.change)}"
