"""Do the recorded verdicts follow from the stored evidence? Folds the summaries anew and compares, move by move (rule I12)."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import isclose
from typing import Final, cast

import msgspec

from changeover.evidence.blocks import BlockClock
from changeover.gates.assess import ForeignEvidenceError, Judge
from changeover.rollout.evidence_file import EvidenceFile
from changeover.rollout.state import Progress
from changeover.rollout.world import Change, RolloutMoved, RolloutStarted

RELATIVE_TOLERANCE: Final = 1e-9
"""Another machine's logarithm may differ in the last bit. What was folded is compared by its hash, to the bit."""

ASSESSED: Final = "assessed"


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: ``moves`` that rested on evidence, ``blocks`` folded, and every difference as a sentence."""

    rollout: str
    moves: int
    blocks: int
    differences: tuple[str, ...]


def replayed(file: EvidenceFile) -> Replay:
    """Recompute every verdict at every recorded move. Never fails: what cannot be recomputed is a difference."""
    assessed = [(change, change.body) for change in file.moves if isinstance(change.body, RolloutMoved) and change.body.event == ASSESSED]
    found = [*_log_differences(file)]
    try:
        found += _evidence_differences(file, assessed)
    except ValueError as error:
        found.append(f"the evidence cannot be folded: {error}")
    return Replay(
        rollout=file.rollout.id,
        moves=len(assessed),
        blocks=sum(len(bodies) for bodies in file.summaries.values()),
        differences=tuple(found),
    )


def _log_differences(file: EvidenceFile) -> Iterator[str]:
    """The events begin with the start, are in order, and end where the rollout is."""
    first = file.moves[0].body if file.moves else None
    if not isinstance(first, RolloutStarted):
        yield "the log does not begin with the start of the rollout"
        return
    bare = msgspec.structs.replace(file.rollout, progress=first.rollout.progress)
    if first.rollout != bare:
        yield f"revision {file.moves[0].revision}: the rollout was started otherwise than the file says, in plan, pair or criteria"
    if any(later.revision <= earlier.revision for earlier, later in pairwise(file.moves)):
        yield "the events are not in the order of their revisions"
    progress = _left_by(file.moves[-1], file.rollout.id) or first.rollout.progress
    if progress != file.rollout.progress:
        yield f"revision {file.moves[-1].revision}: the last event leaves the rollout otherwise than the file says"


def _left_by(change: Change, rollout: str) -> Progress | None:
    """The progress of the rollout after an event that moved or replaced it; ``None`` for its start."""
    match change.body:
        case RolloutMoved(progress=progress):
            return progress
        case RolloutStarted(ended=RolloutMoved(rollout=ended, progress=progress)) if ended == rollout:
            return progress
        case _:
            return None


def _evidence_differences(file: EvidenceFile, assessed: Sequence[tuple[Change, RolloutMoved]]) -> Iterator[str]:
    plan = file.rollout.plan
    clock = BlockClock(origin_at=file.rollout.started_at, block_s=plan.evidence.block_s)
    judge = Judge.begin(criteria=plan.criteria, rules=plan.evidence, clock=clock)
    if file.config != judge.config:
        yield f"configuration: recorded {file.config}, recomputed {judge.config}; the criteria are not those that were judged"
    for stream in file.summaries:
        if stream not in judge.closed:
            yield f"there are summaries of {stream}, which the criteria do not ask for"
    for change, move in assessed:
        where = f"revision {change.revision}"
        if move.closed.keys() != judge.closed.keys():
            yield f"{where}: the event does not say which blocks it rested on"
            continue
        judge = _advanced(judge, file.summaries, move.closed)
        short = [name for name in judge.closed if judge.closed[name] != move.closed[name]]
        if short:
            yield f"{where}: rested on other numbers of blocks than there are of {', '.join(short)}"
            continue
        yield from (f"{where}: {difference}" for difference in _move_differences(move, judge))
    _advanced(judge, file.summaries, {name: len(bodies) for name, bodies in file.summaries.items()})


def _advanced(judge: Judge, summaries: Mapping[str, Sequence[msgspec.Raw]], until: Mapping[str, int]) -> Judge:
    """Every stream folded up to so many blocks; those of another configuration are passed over. Whitespace and how a number
    is written play no part, so that a file may pass through other programs.
    """
    for name in judge.closed:
        bodies = summaries.get(name, ())
        for body in bodies[judge.closed[name] : until.get(name, 0)]:
            plain = msgspec.json.encode(msgspec.json.decode(bytes(body)))
            try:
                judge = judge.add(plain)
            except ForeignEvidenceError as error:
                judge = judge.passed_over(name, plain, reason=str(error))
    return judge


def _move_differences(move: RolloutMoved, judge: Judge) -> Iterator[str]:
    found = judge.assessment(blocks_dwelt=0, served_s=0.0, closed_until=0.0)
    yield from _unequal("evidence hash", move.evidence_hash, found.evidence_hash)
    if move.config_hash != found.config_hash:
        yield f"configuration: recorded {move.config_hash}, this program's is {found.config_hash}: it cannot be recomputed"
        return
    yield from _unequal("sample ratio", _plain(move.sample_ratio), _plain(found.sample_ratio))
    yield from _unequal("outage brake", _plain(move.brake), _plain(found.brake))
    recorded = {verdict.criterion: verdict for verdict in move.verdicts}
    recomputed = {verdict.criterion: verdict for verdict in found.verdicts}
    yield from _unequal("criteria with a verdict", list(recorded), list(recomputed))
    for name in recorded.keys() & recomputed.keys():
        yield from _unequal(name, _plain(recorded[name]), _plain(recomputed[name]))


def _plain(value: object) -> object:
    return msgspec.to_builtins(value)


def _unequal(where: str, recorded: object, recomputed: object) -> Iterator[str]:
    """Every place at which two plain values differ, by its path."""
    if isinstance(recorded, dict) and isinstance(recomputed, dict):
        left, right = cast("dict[str, object]", recorded), cast("dict[str, object]", recomputed)
        for key in sorted(left.keys() | right.keys()):
            yield from _unequal(f"{where}.{key}", left.get(key), right.get(key))
        return
    if not _is_same(cast("object", recorded), recomputed):
        yield f"{where}: recorded {recorded!r}, recomputed {recomputed!r}"


def _is_same(recorded: object, recomputed: object) -> bool:
    if isinstance(recorded, float) and isinstance(recomputed, float):
        return isclose(recorded, recomputed, rel_tol=RELATIVE_TOLERANCE, abs_tol=RELATIVE_TOLERANCE)
    return recorded == recomputed
