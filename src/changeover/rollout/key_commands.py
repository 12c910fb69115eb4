"""What may be asked of the gateway's keys? Each function answers with a proposal, or refuses. No secret comes here."""

from collections.abc import Iterable
from typing import Final

import msgspec

from changeover.rollout.commands import NothingToDo, Order, Refusal
from changeover.rollout.key_ring import live_keys
from changeover.rollout.state import Command
from changeover.rollout.world import KeyCreated, KeyRevoked, KeysRequired, Proposal, World
from changeover.traffic.keys import KeyEntry, Standing

KEYS_MAX: Final = 1000
"""Keys that open the door, or will. They travel with every routing table."""
NAME_CHARACTERS_MAX: Final = 100
LIFE_S_MAX: Final = 10 * 365 * 86_400.0

_PUBLISH: Final = Command(kind="publish_table", subject="keys")


class KeyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A key to make. ``id`` and ``hash`` are those of a fresh secret; ``life_s`` ``None`` means until it is revoked.

    A key for one task alone has that as its default task.
    """

    id: str
    hash: str
    name: str
    tasks: tuple[str, ...] = ()
    default_task: str | None = None
    delay_s: float = 0.0
    """How long from now until it begins to be good."""
    life_s: float | None = None
    """How long it is good, counted from then."""


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """A key that takes the place of ``key_id``, which stays good for ``overlap_s``. ``life_s`` ``None``: as long as that one."""

    key_id: str
    id: str
    hash: str
    overlap_s: float
    life_s: float | None = None


def create_key(world: World, request: KeyRequest, *, order: Order, now: float) -> Proposal:
    """A key that opens the door for its tasks."""
    _refuse_stale(world, order)
    name = request.name.strip()
    if not 0 < len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        hint = "Name it after the application that holds it"
        raise Refusal("invalid", f"found a name of {len(name)} characters, expected 1 to {NAME_CHARACTERS_MAX} printable ones", hint=hint)
    _refuse_tasks(world, request)
    if not 0 <= request.delay_s <= LIFE_S_MAX:
        raise Refusal("invalid", f"found a delay of {request.delay_s:g} s", hint="Use 0s to ten years, for example 1h")
    begins_at = now + request.delay_s
    tasks = tuple(dict.fromkeys(request.tasks))
    key = KeyEntry(
        id=request.id,
        name=name,
        hash=request.hash,
        created_at=now,
        tasks=tasks,
        default_task=request.default_task or (tasks[0] if len(tasks) == 1 else None),
        not_before_at=begins_at if request.delay_s else None,
        expires_at=_end(begins_at, request.life_s),
    )
    _refuse_new(world, key, now)
    return _proposal(order, KeyCreated(key=key))


def rotate_key(world: World, rotation: Rotation, *, order: Order, now: float) -> Proposal:
    """A new secret with the old one's name and tasks. Both are good for the overlap; then the new one alone."""
    before = _key(world, rotation.key_id, order)
    standing = before.standing(now)
    if standing in (Standing.REVOKED, Standing.EXPIRED):
        raise Refusal("conflict", f"key {before.id} is {standing}: nobody uses it", hint="Create a new one: changeover key create NAME")
    if not 0 <= rotation.overlap_s <= LIFE_S_MAX:
        raise Refusal("invalid", f"found an overlap of {rotation.overlap_s:g} s", hint="Use 0s to ten years, for example 7d")
    key = KeyEntry(
        id=rotation.id,
        name=before.name,
        hash=rotation.hash,
        created_at=now,
        tasks=before.tasks,
        default_task=before.default_task,
        expires_at=_end(now, _life(before) if rotation.life_s is None else rotation.life_s),
    )
    _refuse_new(world, key, now)
    return _proposal(order, KeyCreated(key=key, replaces=before.id, replaced_expires_at=now + rotation.overlap_s))


def revoke_key(world: World, *, key_id: str, order: Order, now: float) -> Proposal:
    """The key opens nothing any more, as soon as the data planes have the table. What is under way finishes."""
    key = _key(world, key_id, order)
    if key.revoked_at is not None:
        raise NothingToDo(f"key {key.id} ({key.name}) is revoked already")
    return _proposal(order, KeyRevoked(key_id=key.id, at=now))


def require_keys(world: World, *, required: bool, order: Order) -> Proposal:
    """Whether gateways serve callers without a key."""
    if world.keys_required == required:
        raise NothingToDo(f"callers {'must' if required else 'need not'} have a key already")
    return _proposal(order, KeysRequired(required=required))


def _refuse_stale(world: World, order: Order) -> None:
    expected = order.expected_revision
    if expected is not None and expected != world.revision:
        hint = "Look again (changeover key ls) and repeat"
        raise Refusal("stale", f"decided on revision {expected}, the present one is {world.revision}", hint=hint)


def _refuse_tasks(world: World, request: KeyRequest) -> None:
    named = [*request.tasks, *(() if request.default_task is None else (request.default_task,))]
    for task in named:
        if task not in world.tasks:
            raise Refusal("not_found", f"there is no task {task}; there are: {_listed(world.tasks)}", hint="Name one of them")
    if request.tasks and request.default_task is not None and request.default_task not in request.tasks:
        message = f"the default task {request.default_task} is not among the key's tasks: {_listed(request.tasks)}"
        raise Refusal("invalid", message, hint="Add it to them, or leave it out")


def _refuse_new(world: World, key: KeyEntry, now: float) -> None:
    if any(each.id == key.id or each.hash == key.hash for each in world.keys.values()):
        raise Refusal("conflict", f"a key {key.id} exists already", hint="Create it again: it gets another id")
    if len(live_keys(world.keys, now)) >= KEYS_MAX:
        hint = "Revoke those that nobody uses: changeover key ls"
        raise Refusal("conflict", f"there are {KEYS_MAX} keys in use, which is the limit", hint=hint)


def _key(world: World, key_id: str, order: Order) -> KeyEntry:
    _refuse_stale(world, order)
    key = world.keys.get(key_id)
    if key is None:
        raise Refusal("not_found", f"there is no key {key_id!r}", hint="List them: changeover key ls")
    return key


def _end(begins_at: float, life_s: float | None) -> float | None:
    if life_s is None:
        return None
    if not 0 < life_s <= LIFE_S_MAX:
        raise Refusal("invalid", f"found a life of {life_s:g} s", hint="Use up to ten years, for example 90d, or leave it out")
    return begins_at + life_s


def _life(key: KeyEntry) -> float | None:
    """How long ``key`` was made to be good; a shortened life (it was rotated before) counts as it is."""
    return None if key.expires_at is None else key.expires_at - (key.created_at if key.not_before_at is None else key.not_before_at)


def _proposal(order: Order, body: KeyCreated | KeyRevoked | KeysRequired) -> Proposal:
    return Proposal(actor=order.actor, reason=order.reason, body=body, commands=(_PUBLISH,))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
