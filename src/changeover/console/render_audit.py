"""How does the audit log read? A change a line; in detail with every place that it moved. Pure."""

from collections.abc import Mapping
from typing import Final

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text

from changeover.api.audit_answers import AuditAnswer
from changeover.console import words
from changeover.console.tables import cell, plain_table
from changeover.rollout.audit_entry import AuditEntry, Moved

VALUE_CHARS_MAX: Final = 40
HASH_CHARS: Final = 12
_PERMILLE_PER_PERCENT: Final = 10

_TOLD: Final = {
    "overrides": "gates overridden",
    "approvals": "approved",
    "finishing": "promotion ordered",
    "acknowledged_at": "served everywhere",
    "passed": "gates passed",
}
"""What a moved place of a rollout's progress means, where neither phase, step nor weight moved; the first that did is told."""


def render_audit(answer: AuditAnswer) -> RenderableType:
    """A line a change: what does not fit is cut, not wrapped."""
    if not answer.entries:
        return cell("no entries")
    table = plain_table(
        "rev", "when (UTC)", "actor", "task", "what", "why", right=("rev",), whole=("rev", "when (UTC)", "actor", "task", "what")
    )
    for entry in answer.entries:
        table.add_row(
            cell(str(entry.revision)),
            cell(words.moment(entry.at)),
            cell(entry.actor),
            cell(entry.task or "all"),
            _cut(what_words(entry)),
            _cut(entry.reason),
        )
    return Group(table, _end(answer, "what moved: --detail; "))


def render_audit_detail(answer: AuditAnswer) -> RenderableType:
    """Under each change its reason in full, the evidence it rested on, and the places of the state that it moved."""
    if not answer.entries:
        return cell("no entries")
    return Group(*(line for entry in answer.entries for line in _detail(entry)), _end(answer, ""))


def what_words(entry: AuditEntry) -> str:
    """A change in words: of a rollout that moved, its phase, step and weight, as they were and as they are."""
    if entry.what != "rollout_moved":
        return entry.what.replace("_", " ")
    moved = {place.path.partition(".progress.")[2]: place for place in entry.moved if ".progress." in place.path}
    told = [said for said in (_phase(moved), _step(moved), _weight(moved)) if said]
    if told:
        return ", ".join(told)
    return next((said for name, said in _TOLD.items() if name in {key.partition(".")[0] for key in moved}), "rollout moved")


def _phase(moved: Mapping[str, Moved]) -> str:
    place = moved.get("phase")
    return "" if place is None else str(place.after).replace("_", " ")


def _step(moved: Mapping[str, Moved]) -> str:
    place = moved.get("step")
    return f"step {place.after + 1}" if place is not None and isinstance(place.after, int) else ""


def _weight(moved: Mapping[str, Moved]) -> str:
    place = moved.get("permille")
    if place is None or not isinstance(place.before, int) or not isinstance(place.after, int):
        return ""
    before, after = (words.percent(permille / _PERMILLE_PER_PERCENT) for permille in (place.before, place.after))
    return f"weight {before} → {after}"


def _detail(entry: AuditEntry) -> list[Text]:
    head = f"{entry.revision}  {words.moment(entry.at)}  {entry.actor}  {entry.task or 'all'}  {what_words(entry)}"
    why = [cell(f"  why: {entry.reason}")] if entry.reason else []
    evidence = [cell(f"  evidence: {entry.evidence_hash[:HASH_CHARS]}")] if entry.evidence_hash else []
    return [cell(head, "bold"), *why, *evidence, *(cell(f"  {_line(moved)}", "dim") for moved in entry.moved)]


def _end(answer: AuditAnswer, hint: str) -> Text:
    older = "older ones: --limit, --since; " if answer.more else ""
    return cell(f"{hint}{older}the log ends at {answer.head.revision}:{answer.head.hash[:HASH_CHARS]}", "dim")


def _cut(text: str) -> Text:
    return Text(" ".join(text.split()), no_wrap=True, overflow="ellipsis")


def _line(moved: Moved) -> str:
    before, after = moved.before, moved.after
    if before is None and isinstance(after, dict):
        return f"{moved.path}: made"
    if after is None and isinstance(before, dict):
        return f"{moved.path}: removed"
    return f"{moved.path}: {_value(before)} → {_value(after)}"


def _value(value: object) -> str:
    if value is None:
        return words.NOTHING
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= VALUE_CHARS_MAX else f"{text[: VALUE_CHARS_MAX - 3]}..."
