"""The control plane's whole state, and the changes that make it. Replaying the changes rebuilds it (rule I5)."""

from collections.abc import Collection, Mapping
from typing import TypeVar, assert_never

import msgspec

from changeover.gates.verdict import Braked, SampleRatio, Verdict
from changeover.rollout.amendment import Amendment
from changeover.rollout.key_ring import with_key, with_revoked
from changeover.rollout.preflight import Preflight
from changeover.rollout.sighting import Drift, Fingerprints, with_drift, with_fingerprint
from changeover.rollout.state import Command, Phase, Progress, Rollout
from changeover.rollout.terms import Terms
from changeover.rollout.token_ring import TokenEntry, with_token, without_token
from changeover.traffic.keys import KeyEntry
from changeover.traffic.table import Route, RoutingTable
from changeover.versions import Account, Deployment

T = TypeVar("T")


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """A split set by hand. It has its own attempt number and salt, so that it draws independently (rule I9)."""

    candidate: str
    permille: int
    attempt: int
    salt: str


class TaskState(msgspec.Struct, frozen=True, kw_only=True):
    """One task: whom it trusts, and what is on trial. ``attempts`` counts splits and rollouts ever begun.

    At most one of ``split`` and ``rollout`` (the id of the active one, rule I6) is set. ``blocked`` holds the
    ``stable -> candidate`` pairs that were rolled back and not released. ``stable_pool``, ``slice_by``: see
    ``traffic.table.Route``. Attempts up to ``settled`` are no way back any more: somebody set the stable since.
    """

    name: str
    stable: str
    sticky_by: tuple[str, ...] = ()
    failover: tuple[str, ...] = ()
    stable_pool: tuple[str, ...] = ()
    slice_by: tuple[str, ...] = ()
    attempts: int = 0
    split: Split | None = None
    rollout: str | None = None
    blocked: tuple[tuple[str, str], ...] = ()
    settled: int = 0


class World(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the control plane knows at ``revision``. Revision 0 is the empty world.

    ``keys`` are by id; ``keys_required`` shuts the gateways to callers without one. ``drifts`` and ``fingerprints`` are what
    was seen of deployments. ``terms`` is what the next rollout is judged by, ``None`` where only the file says it.
    ``past_tasks`` are removed ones: who comes back under that name finds its attempts and blocked pairs as they were.
    ``tokens`` are the control plane's own, by id. The week was last summed up at ``summed_until``.
    """

    revision: int = 0
    table_revision: int = 0
    accounts: dict[str, Account] = {}
    deployments: dict[str, Deployment] = {}
    tasks: dict[str, TaskState] = {}
    rollouts: dict[str, Rollout] = {}
    keys: dict[str, KeyEntry] = {}
    keys_required: bool = False
    drifts: tuple[Drift, ...] = ()
    fingerprints: dict[str, Fingerprints] = {}
    unrouted_account: str | None = None
    terms: Terms | None = None
    past_tasks: dict[str, TaskState] = {}
    tokens: dict[str, TokenEntry] = {}
    summed_until: float = 0.0


# Changes: what can be committed. One change is one revision.


class Seeded(msgspec.Struct, frozen=True, kw_only=True, tag="seeded"):
    """The empty store took over what the file declares."""

    accounts: tuple[Account, ...]
    deployments: tuple[Deployment, ...]
    tasks: tuple[TaskState, ...]
    unrouted_account: str | None = None
    terms: Terms | None = None


class Applied(msgspec.Struct, frozen=True, kw_only=True, tag="applied"):
    """The store was moved to what a file declares. Accounts, deployments and tasks are those that are new or changed, as they
    are from then on; names under ``removed_*`` are gone. ``amendments`` say all of it in words, and what was left as it is.
    """

    accounts: tuple[Account, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    tasks: tuple[TaskState, ...] = ()
    removed_accounts: tuple[str, ...] = ()
    removed_deployments: tuple[str, ...] = ()
    removed_tasks: tuple[str, ...] = ()
    unrouted_account: str | None = None
    terms: Terms
    amendments: tuple[Amendment, ...] = ()


class SplitSet(msgspec.Struct, frozen=True, kw_only=True, tag="split_set"):
    """A task's split was set by hand, or removed (``split`` is ``None``)."""

    task: str
    split: Split | None


class RolloutMoved(msgspec.Struct, frozen=True, kw_only=True, tag="rollout_moved"):
    """A rollout took one transition: ``event`` is its tag, ``verdicts``, ``sample_ratio`` and ``brake`` what it rested on.

    ``closed`` counts the blocks of each stream that they were made of; with the hashes it names the evidence to the bit.
    """

    rollout: str
    event: str
    progress: Progress
    verdicts: tuple[Verdict, ...] = ()
    evidence_hash: str = ""
    sample_ratio: SampleRatio | None = None
    config_hash: str = ""
    closed: dict[str, int] = {}
    brake: Braked | None = None


class RolloutStarted(msgspec.Struct, frozen=True, kw_only=True, tag="rollout_started"):
    """``preflight``: how the candidate was tried before, or that it was not. ``ended``: the attempt that it takes the place of."""

    rollout: Rollout
    preflight: Preflight | None = None
    ended: RolloutMoved | None = None


class PromotionUndone(msgspec.Struct, frozen=True, kw_only=True, tag="promotion_undone"):
    """A promoted candidate is no longer trusted: the rollout's old stable is the task's stable again, and the pair is
    blocked. A split set by hand since then ends with it. Older versions wrote this; now the rollout itself is moved.
    """

    task: str
    rollout: str


class PairReleased(msgspec.Struct, frozen=True, kw_only=True, tag="pair_released"):
    """A pair that was rolled back may be started again."""

    task: str
    stable: str
    candidate: str


class KeyCreated(msgspec.Struct, frozen=True, kw_only=True, tag="key_created"):
    """A gateway key was made. The key that it ``replaces``, if any, is good until ``replaced_expires_at`` at the latest."""

    key: KeyEntry
    replaces: str | None = None
    replaced_expires_at: float | None = None


class KeyRevoked(msgspec.Struct, frozen=True, kw_only=True, tag="key_revoked"):
    """A key opens nothing from this revision on. ``at`` is Unix time."""

    key_id: str
    at: float


class KeysRequired(msgspec.Struct, frozen=True, kw_only=True, tag="keys_required"):
    """Whether gateways serve callers without a key."""

    required: bool


class DriftSeen(msgspec.Struct, frozen=True, kw_only=True, tag="drift_seen"):
    """A deployment is not what was pinned. Rollouts that tried it were rolled back by changes of their own, before this."""

    drift: Drift


class FingerprintSeen(msgspec.Struct, frozen=True, kw_only=True, tag="fingerprint_seen"):
    """A deployment answered with a system fingerprint that was not known of it; ``before`` is the last one."""

    deployment: str
    fingerprint: str
    before: str | None
    at: float


class TokenCreated(msgspec.Struct, frozen=True, kw_only=True, tag="token_created"):
    """A token for the control plane was made."""

    token: TokenEntry


class TokenRevoked(msgspec.Struct, frozen=True, kw_only=True, tag="token_revoked"):
    """A token opens nothing from this revision on. ``at`` is Unix time."""

    token_id: str
    at: float


class WeekSummed(msgspec.Struct, frozen=True, kw_only=True, tag="week_summed"):
    """People were told of the time up to ``until`` (Unix seconds)."""

    until: float


ChangeBody = (
    Seeded
    | Applied
    | SplitSet
    | RolloutStarted
    | RolloutMoved
    | PromotionUndone
    | PairReleased
    | KeyCreated
    | KeyRevoked
    | KeysRequired
    | DriftSeen
    | FingerprintSeen
    | TokenCreated
    | TokenRevoked
    | WeekSummed
)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the log: what changed, by whom, why, and the revision it made."""

    revision: int
    at: float
    actor: str
    reason: str
    body: ChangeBody


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A change before it has a revision. ``commands`` are the side effects owed once it is committed (rule I13)."""

    actor: str
    reason: str
    body: ChangeBody
    commands: tuple[Command, ...] = ()


def apply(world: World, change: Change) -> World:
    """The world after ``change``. Total: a committed change always applies.

    Raises:
        ValueError: the change's revision is not the next one; a log with a gap cannot be replayed.
    """
    if change.revision != world.revision + 1:
        raise ValueError(f"change {change.revision} cannot follow revision {world.revision}: the log has a gap")
    before = routing_table(world)
    after = msgspec.structs.replace(_applied(world, change.body), revision=change.revision)
    moved = routing_table(after) != before
    return msgspec.structs.replace(after, table_revision=change.revision if moved else world.table_revision)


def routing_table(world: World) -> RoutingTable:
    """The table that data planes serve from at this world; its revision is that of the last change that moved it."""
    return RoutingTable(
        revision=world.table_revision,
        routes=routes(world),
        deployments=world.deployments,
        accounts=world.accounts,
        keys={entry.hash: entry for entry in world.keys.values() if entry.revoked_at is None},
        keys_required=world.keys_required,
        unrouted_account=world.unrouted_account,
    )


def routes(world: World) -> dict[str, Route]:
    """One route a task. Only a rollout that is not final, or a split set by hand, can give a candidate traffic, so
    the change that ends an attempt takes its candidate out in the same revision (rule I1).
    """
    return {name: _route(world, task) for name, task in world.tasks.items()}


def _route(world: World, task: TaskState) -> Route:
    route = Route(
        task=task.name,
        stable=task.stable,
        sticky_by=task.sticky_by,
        slice_by=task.slice_by,
        failover=_spares(task),
        stable_pool=task.stable_pool,
    )
    if task.rollout is not None:
        rollout = world.rollouts[task.rollout]
        return msgspec.structs.replace(
            route,
            candidate=rollout.candidate,
            candidate_pool=rollout.candidate_pool,
            candidate_permille=rollout.progress.permille,
            attempt=rollout.attempt,
            salt=rollout.salt,
        )
    if task.split is not None:
        split = task.split
        return msgspec.structs.replace(
            route, candidate=split.candidate, candidate_permille=split.permille, attempt=split.attempt, salt=split.salt
        )
    return route


def _spares(task: TaskState) -> tuple[str, ...]:
    """Who may stand in: nobody who was rolled back as this stable's candidate (rule I4). An active one is the gateway's to
    leave out, which knows the side.
    """
    blocked = {candidate for stable, candidate in task.blocked if stable == task.stable}
    return tuple(name for name in task.failover if name not in blocked)


def _applied(world: World, body: ChangeBody) -> World:
    match body:
        case KeyCreated() | KeyRevoked() | KeysRequired() | DriftSeen() | FingerprintSeen():
            return _noted(world, body)
        case TokenCreated() | TokenRevoked() | WeekSummed():
            return _kept(world, body)
        case Seeded():
            return msgspec.structs.replace(
                world,
                accounts={account.name: account for account in body.accounts},
                deployments={deployment.name: deployment for deployment in body.deployments},
                tasks={task.name: task for task in body.tasks},
                unrouted_account=body.unrouted_account,
                terms=body.terms,
            )
        case Applied():
            return _amended(world, body)
        case SplitSet():
            task = world.tasks[body.task]
            attempts = max(task.attempts, body.split.attempt) if body.split else task.attempts
            return with_task(world, msgspec.structs.replace(task, split=body.split, attempts=attempts))
        case RolloutStarted():
            return _started(world if body.ended is None else _moved(world, body.ended), body.rollout)
        case RolloutMoved():
            return _moved(world, body)
        case PromotionUndone():
            rollout = world.rollouts[body.rollout]
            task = world.tasks[body.task]
            return with_task(
                world, msgspec.structs.replace(_blocking(task, rollout), stable=rollout.stable, stable_pool=rollout.stable_pool, split=None)
            )
        case PairReleased():
            task = world.tasks[body.task]
            kept = tuple(pair for pair in task.blocked if pair != (body.stable, body.candidate))
            return with_task(world, msgspec.structs.replace(task, blocked=kept))
        case _:
            assert_never(body)


def _noted(world: World, body: KeyCreated | KeyRevoked | KeysRequired | DriftSeen | FingerprintSeen) -> World:
    match body:
        case KeyCreated():
            keys = with_key(world.keys, body.key, replaces=body.replaces, replaced_expires_at=body.replaced_expires_at)
            return msgspec.structs.replace(world, keys=keys)
        case KeyRevoked():
            return msgspec.structs.replace(world, keys=with_revoked(world.keys, body.key_id, at=body.at))
        case KeysRequired():
            return msgspec.structs.replace(world, keys_required=body.required)
        case DriftSeen():
            return msgspec.structs.replace(world, drifts=with_drift(world.drifts, body.drift))
        case FingerprintSeen():
            seen = with_fingerprint(world.fingerprints, deployment=body.deployment, fingerprint=body.fingerprint, seen_at=body.at)
            return msgspec.structs.replace(world, fingerprints=seen)
        case _:
            assert_never(body)


def _kept(world: World, body: TokenCreated | TokenRevoked | WeekSummed) -> World:
    """What no data plane hears of."""
    match body:
        case TokenCreated():
            return msgspec.structs.replace(world, tokens=with_token(world.tokens, body.token))
        case TokenRevoked():
            return msgspec.structs.replace(world, tokens=without_token(world.tokens, body.token_id, at=body.at))
        case WeekSummed():
            return msgspec.structs.replace(world, summed_until=body.until)
        case _:
            assert_never(body)


def _amended(world: World, body: Applied) -> World:
    """Rollouts stay, those of removed tasks too: they are history."""
    removed = {name: world.tasks[name] for name in body.removed_tasks}
    added = {task.name: task for task in body.tasks}
    return msgspec.structs.replace(
        world,
        accounts=_without(world.accounts, body.removed_accounts) | {each.name: each for each in body.accounts},
        deployments=_without(world.deployments, body.removed_deployments) | {each.name: each for each in body.deployments},
        tasks=_without(world.tasks, body.removed_tasks) | added,
        past_tasks=_without(world.past_tasks, added) | removed,
        unrouted_account=body.unrouted_account,
        terms=body.terms,
    )


def _without(entries: Mapping[str, T], names: Collection[str]) -> dict[str, T]:
    return {name: entry for name, entry in entries.items() if name not in names}


def _started(world: World, rollout: Rollout) -> World:
    task = msgspec.structs.replace(
        world.tasks[rollout.task], split=None, rollout=rollout.id, attempts=max(world.tasks[rollout.task].attempts, rollout.attempt)
    )
    return with_task(msgspec.structs.replace(world, rollouts={**world.rollouts, rollout.id: rollout}), task)


def _moved(world: World, body: RolloutMoved) -> World:
    """The rollout with its progress, and what that means to its task, which may be gone by now."""
    rollout = msgspec.structs.replace(world.rollouts[body.rollout], progress=body.progress)
    world = msgspec.structs.replace(world, rollouts={**world.rollouts, rollout.id: rollout})
    task = world.tasks.get(rollout.task)
    if task is None:
        return world
    if task.rollout == rollout.id:
        return with_task(world, _after_attempt(task, rollout))
    if rollout.progress.phase is Phase.ROLLING_BACK and task.stable == rollout.candidate:
        undone = msgspec.structs.replace(_blocking(task, rollout), stable=rollout.stable, stable_pool=rollout.stable_pool, split=None)
        return with_task(world, undone)
    return world


def _after_attempt(task: TaskState, rollout: Rollout) -> TaskState:
    """The task whose active rollout this is, or was until now."""
    phase = rollout.progress.phase
    if not phase.is_over:
        return task
    free = msgspec.structs.replace(task, rollout=None)
    match phase:
        case Phase.COMPLETED:
            return msgspec.structs.replace(free, stable=rollout.candidate, stable_pool=rollout.candidate_pool)
        case Phase.ROLLING_BACK | Phase.ROLLED_BACK:
            return _blocking(free, rollout)
        case _:
            return free


def _blocking(task: TaskState, rollout: Rollout) -> TaskState:
    return msgspec.structs.replace(task, blocked=tuple(dict.fromkeys((*task.blocked, (rollout.stable, rollout.candidate)))))


def with_task(world: World, task: TaskState) -> World:
    """The world with ``task`` as it is now."""
    return msgspec.structs.replace(world, tasks={**world.tasks, task.name: task})
