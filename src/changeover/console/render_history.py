"""How do past attempts read? A few lines each: what, how it ended, why. Pure."""

from rich.console import Group, RenderableType
from rich.text import Text

from changeover.api.history_answers import AttemptView, HistoryAnswer
from changeover.console import words
from changeover.console.render_watch_rows import span
from changeover.console.tables import cell


def render_history(answer: HistoryAnswer) -> RenderableType:
    if not answer.attempts:
        return cell("no rollout yet: changeover rollout start TASK --to DEPLOYMENT")
    lines = [line for attempt in answer.attempts for line in _lines(attempt)]
    return Group(*lines, *([cell("older ones are left out: --limit", "dim")] if answer.cut else []))


def _lines(attempt: AttemptView) -> list[Text]:
    head = Text.assemble(
        (attempt.id, "bold"),
        f"  {attempt.task}, attempt {attempt.attempt}  ",
        (_ending(attempt), words.phase_style(attempt.phase)),
    )
    facts = [
        f"{attempt.stable} -> {attempt.candidate}, at most {words.percent(attempt.percent_max)}{_units(attempt)}",
        f"plan ({attempt.strategy}): {'; '.join(attempt.plan)}",
        f"began {words.moment(attempt.started_at)} UTC{_by(attempt.started_by, attempt.start_reason)}{_retry(attempt)}",
        _end(attempt),
    ]
    return [head, *(cell(f"  {fact}") for fact in facts), Text()]


def _ending(attempt: AttemptView) -> str:
    said = words.phase_words(attempt.phase)
    return said if attempt.outcome == "under way" else f"{said.split()[0]} {attempt.outcome}"


def _units(attempt: AttemptView) -> str:
    if attempt.units_candidate is None or attempt.units_stable is None:
        return ""
    return f"; {attempt.units_candidate:,} of {attempt.units_candidate + attempt.units_stable:,} units were drawn for the candidate"


def _retry(attempt: AttemptView) -> str:
    return f"; repeats {attempt.retry_of}" if attempt.retry_of else ""


def _end(attempt: AttemptView) -> str:
    if attempt.finished_at is None:
        return f"for {span(attempt.duration_s)} so far: {attempt.why}"
    why = _by(attempt.decided_by, attempt.why)
    return f"ended {words.moment(attempt.finished_at)} UTC after {span(attempt.duration_s)}{why}"


def _by(actor: str, reason: str) -> str:
    return (f", by {actor}" if actor else "") + (f": {reason}" if reason else "")
