"""How does the audit log read? An entry a row, and under it what moved. Pure."""

from typing import Final

import msgspec
from rich.console import Group, RenderableType

from changeover.api.audit_answers import AuditAnswer
from changeover.console import words
from changeover.console.tables import cell, plain_table
from changeover.rollout.audit_entry import AuditEntry, Moved

VALUE_CHARS_MAX: Final = 40
MOVED_SHOWN: Final = 6
HASH_CHARS: Final = 12


def render_audit(answer: AuditAnswer) -> RenderableType:
    if not answer.entries:
        return cell("no entries")
    table = plain_table(
        "rev", "when (UTC)", "actor", "task", "what moved", "why", "evidence", right=("rev",), whole=("when (UTC)", "evidence")
    )
    for entry in answer.entries:
        table.add_row(
            cell(str(entry.revision)),
            cell(words.moment(entry.at)),
            cell(entry.actor),
            cell(entry.task or "all"),
            cell("\n".join(_moved_lines(entry))),
            cell(entry.reason),
            cell(entry.evidence_hash[:HASH_CHARS] or words.NOTHING),
        )
    older = "older ones: --limit, --since; " if answer.more else ""
    return Group(table, cell(f"{older}the log ends at {answer.head.revision}:{answer.head.hash[:HASH_CHARS]}", "dim"))


def _moved_lines(entry: AuditEntry) -> list[str]:
    lines = [entry.what.replace("_", " "), *(_line(moved) for moved in entry.moved[:MOVED_SHOWN])]
    hidden = len(entry.moved) - MOVED_SHOWN
    return [*lines, f"and {hidden} more places (-o json shows all)"] if hidden > 0 else lines


def _line(moved: Moved) -> str:
    if moved.before is None and isinstance(moved.after, dict):
        return f"{moved.path}: made"
    if moved.after is None and isinstance(moved.before, dict):
        return f"{moved.path}: removed"
    return f"{moved.path}: {_value(moved.before)} → {_value(moved.after)}"


def _value(value: object) -> str:
    if value is None:
        return words.NOTHING
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= VALUE_CHARS_MAX else f"{text[: VALUE_CHARS_MAX - 3]}..."
