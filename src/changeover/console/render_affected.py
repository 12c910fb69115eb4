"""How do a candidate's answers look, one line each, however many there are? Nothing is held back until the end. Pure."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from changeover.api.affected_answers import AffectedAnswer, AffectedEnd
from changeover.console import words
from changeover.rollout.state import Rollout

Tell = Callable[[AffectedAnswer], str]
Lines = Iterator[tuple[str, str]]
"""Text to print, and the request id that it is about; a head is about none."""

COLUMNS: Final = tuple(field.name for field in msgspec.structs.fields(AffectedAnswer))
UNIT_CHARACTERS: Final = 12
_TABLE: Final = "{:<23}  {:<34}  {:<24}  {:<10}  {:<9}  {}\n"
_HEADS: Final = ("time (UTC)", "request", "answered by", "drawn for", "outcome", "unit")


def writer(form: str) -> "Callable[[Iterable[AffectedAnswer], Tell | None], Lines]":
    """Writes lines of ``form``: jsonl, csv or table."""
    return {"jsonl": _jsonl, "csv": _csv, "table": _table}[form]


def remarks(rollout: Rollout, end: AffectedEnd) -> list[str]:
    """How many there were, and what may be missing."""
    about = f"{rollout.candidate} of rollout {rollout.id} (task {rollout.task}, attempt {rollout.attempt})"
    told = [f"{end.count} {'answer' if end.count == 1 else 'answers'} by {about}"]
    if end.complete_until is not None and not rollout.progress.phase.is_final:
        told.append(f"complete for requests that began before {words.moment(end.complete_until)} UTC; more may come")
    if end.silent:
        told.append(f"data planes not heard of lately may hold more: {', '.join(end.silent)}")
    if end.lost:
        told.append(
            f"{end.lost} requests were never reported (a data plane crashed, or its queue was full); who answered them is not known"
        )
    return told


def _jsonl(answers: Iterable[AffectedAnswer], tell: Tell | None) -> Lines:
    for seen in answers:
        body = msgspec.to_builtins(seen) | ({} if tell is None else {"unit_id": tell(seen) or None})
        yield msgspec.json.encode(body).decode() + "\n", seen.request_id


def _csv(answers: Iterable[AffectedAnswer], tell: Tell | None) -> Lines:
    heads = COLUMNS if tell is None else (*COLUMNS, "unit_id")
    yield _csv_line(heads), ""
    for seen in answers:
        row = msgspec.structs.astuple(seen)
        yield _csv_line(row if tell is None else (*row, tell(seen))), seen.request_id


def _csv_line(values: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(map(_csv_cell, values))
    return out.getvalue()


def _csv_cell(value: object) -> object:
    """As JSON writes them, but nothing for what is not known."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value


def _table(answers: Iterable[AffectedAnswer], tell: Tell | None) -> Lines:
    """Columns of one width each: a million lines cannot be measured first."""
    yield _TABLE.format(*_HEADS).rstrip() + "\n", ""
    for seen in answers:
        unit = (tell(seen) if tell is not None else "") or (seen.unit[:UNIT_CHARACTERS] if seen.sticky else words.NOTHING)
        served = seen.served or words.NOTHING
        yield _TABLE.format(seen.time[:-1].replace("T", " "), seen.request_id, served, seen.side or "", seen.outcome, unit), seen.request_id
