"""What is behind a rollout's verdicts? All of it in one value, which fits into one file."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from changeover.gates.hash import config_hash
from changeover.rollout.state import Rollout
from changeover.rollout.world import Change, RolloutMoved, RolloutStarted

FORMAT: Final = "changeover-evidence"


class EvidenceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout with its plan and criteria, the summaries of all its closed blocks by stream, in order, and the events
    of the log that moved it, each with the verdicts it rested on. ``config`` is the hash of what the tests were made for.
    """

    format: Literal["changeover-evidence"] = FORMAT
    version: Literal[1] = 1
    rollout: Rollout
    config: str
    summaries: dict[str, tuple[msgspec.Raw, ...]]
    moves: tuple[Change, ...]


def evidence_file(rollout: Rollout, *, summaries: Mapping[str, Iterable[bytes]], changes: Iterable[Change]) -> EvidenceFile:
    """``changes`` may be the whole log, oldest first; ``rollout`` is as they leave it."""
    return EvidenceFile(
        rollout=rollout,
        config=config_hash(rollout.plan.criteria, rollout.plan.evidence),
        summaries={stream: tuple(msgspec.Raw(body) for body in bodies) for stream, bodies in summaries.items()},
        moves=tuple(change for change in changes if is_about(change, rollout.id)),
    )


def is_about(change: Change, rollout: str) -> bool:
    """Whether an event of the log started or moved this rollout."""
    match change.body:
        case RolloutStarted(rollout=started, ended=ended):
            return started.id == rollout or (ended is not None and ended.rollout == rollout)
        case RolloutMoved(rollout=moved):
            return moved == rollout
        case _:
            return False
