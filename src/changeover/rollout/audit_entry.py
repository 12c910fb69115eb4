"""What did a change move? The state before and after it, place by place."""

from collections.abc import Iterable, Iterator
from typing import Final, cast

import msgspec

from changeover.rollout.audit_chain import Link
from changeover.rollout.world import Change, RolloutMoved, World, apply

_BOOKKEEPING: Final = frozenset({"revision", "table_revision"})
"""Moved by every change, and told by the entry itself."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """One place of the state, as it was and as it is from then on; ``None`` where there was or is nothing."""

    path: str
    before: object
    after: object


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One change, for whoever asks who did what and why. ``evidence_hash`` names what verdicts it rested on, if on any."""

    revision: int
    at: float
    actor: str
    reason: str
    what: str
    task: str | None
    moved: tuple[Moved, ...]
    evidence_hash: str
    hash: str


def entries(links: Iterable[Link]) -> Iterator[AuditEntry]:
    """Every entry of a log from its beginning.

    Raises:
        msgspec.DecodeError: a change cannot be read.
        ValueError: there is a gap.
    """
    world = World()
    for link in links:
        change = msgspec.json.decode(link.change, type=Change)
        after = apply(world, change)
        yield AuditEntry(
            revision=change.revision,
            at=change.at,
            actor=change.actor,
            reason=change.reason,
            what=str(change.body.__struct_config__.tag),
            task=task_of(change, after),
            moved=tuple(moved_places(world, after)),
            evidence_hash=change.body.evidence_hash if isinstance(change.body, RolloutMoved) else "",
            hash=link.hash,
        )
        world = after


def task_of(change: Change, world: World) -> str | None:
    """The task that a change is about; ``None`` for one about all of them."""
    named = getattr(change.body, "task", None)
    if isinstance(named, str):
        return named
    rollout = getattr(change.body, "rollout", None)
    if isinstance(rollout, str):
        return world.rollouts[rollout].task if rollout in world.rollouts else None
    return None if rollout is None else cast("str | None", getattr(rollout, "task", None))


def moved_places(before: World, after: World) -> Iterator[Moved]:
    """Where two states differ, by path."""
    old, new = (cast("dict[str, object]", msgspec.to_builtins(world)) for world in (before, after))
    for key in old:
        if key not in _BOOKKEEPING:
            yield from _moved(key, old[key], new[key])


def _moved(path: str, before: object, after: object) -> Iterator[Moved]:
    """Down to where one side has nothing, or a plain value differs."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        old, new = cast("dict[str, object]", before), cast("dict[str, object]", after)
        for key in dict.fromkeys((*old, *new)):
            yield from _moved(f"{path}.{key}", old.get(key), new.get(key))
        return
    yield Moved(path=path, before=cast("object", before), after=after)
