"""What the call for past attempts answers with. The command line reads it too; fields are only ever added."""

from typing import Literal

import msgspec

from changeover.rollout.state import Phase

Outcome = Literal["under way", "promoted", "promotion undone", "rolled back", "given up"]


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to move a task. Times are Unix seconds.

    ``plan`` says its steps in words. ``decided_by`` and ``why`` are of the change that decided it, or undid its promotion;
    ``finished_at`` is when that was, and ``duration_s`` how long it took or has taken so far. ``percent_max`` is the largest weight
    that the candidate had. ``units_*`` were drawn for the sides as far as its blocks are closed, ``None`` where that was not asked.
    """

    id: str
    task: str
    attempt: int
    stable: str
    candidate: str
    plan: tuple[str, ...]
    strategy: str
    phase: Phase
    outcome: Outcome
    started_at: float
    started_by: str
    start_reason: str
    finished_at: float | None
    duration_s: float
    decided_by: str
    why: str
    percent_max: float
    moves: int
    units_stable: int | None = None
    units_candidate: int | None = None
    retry_of: str = ""


class HistoryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Those under way first, then the newest first. ``cut``: there are older ones."""

    attempts: tuple[AttemptView, ...]
    cut: bool = False
