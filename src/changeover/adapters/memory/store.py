"""The store in memory: the twin that behaves as the one on disk does, and forgets."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from changeover.evidence.score import Score
from changeover.exchange.observation import Observation
from changeover.ports.alerts import Delivery, Letter
from changeover.ports.lease import CONTROLLER, Lease
from changeover.ports.planes import Acknowledgement, Issuer, ObservationBatch, PlaneState, TaskShape
from changeover.ports.store import ISSUER_AGE_S, ISSUERS_MAX, SHAPES_PER_TASK_MAX, EvidenceRow, LeaseLostError, Mark, StoreError, mark_of
from changeover.rollout.audit_chain import Head, Link, chain_faults, link_hash
from changeover.rollout.state import Command
from changeover.rollout.world import Change, Proposal, World, apply
from changeover.wire.sent_shape import SentShape, merged


@dataclass(slots=True)
class _Planes:
    """Every boot ever heard of, and which one spoke last."""

    boots: dict[tuple[str, str], PlaneState] = field(default_factory=dict[tuple[str, str], PlaneState])
    latest: dict[str, str] = field(default_factory=dict[str, str])

    def boot(self, plane: str, boot: str) -> PlaneState:
        fresh = PlaneState(plane=plane, boot=boot, acknowledged_revision=0, seen_at=0.0, watermark_at=0.0)
        return self.boots.get((plane, boot), fresh)

    def hear(self, state: PlaneState) -> None:
        last = self.latest.get(state.plane)
        floor = 0.0 if last is None else self.boots[state.plane, last].watermark_at
        state = msgspec.structs.replace(state, watermark_at=max(floor, state.watermark_at))
        self.boots[state.plane, state.boot] = state
        self.latest[state.plane] = state.boot


@dataclass(slots=True)
class _Stream:
    """The closed blocks of one stream of one rollout, and the units they enrolled."""

    blocks: dict[int, bytes] = field(default_factory=dict[int, bytes])
    units: set[str] = field(default_factory=set[str])


class MemoryStore:
    """``ports.store.Store``, safe to use from several threads. ``decide`` must not call the store it is asked by."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._world = World()
        self._changes: list[Change] = []
        self._hashes: list[str] = []
        self._leases: dict[str, Lease] = {}
        self._owed: dict[int, Command] = {}
        self._letters: dict[int, Letter] = {}
        self._identity = 0
        self._planes = _Planes()
        self._observations: dict[str, Observation] = {}
        self._scores: dict[tuple[str, str], dict[str, Score]] = {}
        self._streams: dict[tuple[str, str], _Stream] = {}
        self._issuers: dict[str, tuple[float, Issuer]] = {}
        self._shapes: dict[str, dict[str, tuple[float, SentShape]]] = {}

    def world(self) -> World:
        """See ``Ledger``."""
        return self._world

    def commit(self, decide: Callable[[World], Proposal], *, at: float, epoch: int | None = None) -> Change:
        """See ``Ledger``."""
        with self._lock:
            held = self._leases.get(CONTROLLER)
            if epoch is not None and (held is None or held.epoch != epoch):
                raise LeaseLostError(f"epoch {epoch} is over: nothing was committed")
            proposal = decide(self._world)
            change = Change(revision=self._world.revision + 1, at=at, actor=proposal.actor, reason=proposal.reason, body=proposal.body)
            text = _storable(change)
            self._world = apply(self._world, change)
            self._changes.append(change)
            self._hashes.append(link_hash(self.head().hash, text))
            for command in proposal.commands:
                self._identity += 1
                self._owed[self._identity] = command
                if command.kind == "alert":
                    self._letters[self._identity] = _letter(self._identity, change, command)
            return change

    def changes(self, *, after: int = 0, limit: int = 1000) -> Sequence[Change]:
        """See ``Ledger``."""
        return self._changes[max(after, 0) :][:limit]

    def links(self, *, after: int = 0, limit: int = 1000) -> Sequence[Link]:
        """See ``Ledger``."""
        with self._lock:
            found = list(zip(self._changes, self._hashes, strict=True))[max(after, 0) :][:limit]
        return [
            Link(revision=change.revision, at=change.at, actor=change.actor, hash=tied, change=msgspec.Raw(msgspec.json.encode(change)))
            for change, tied in found
        ]

    def head(self) -> Head:
        """See ``Ledger``."""
        with self._lock:
            return Head(revision=len(self._hashes), hash=self._hashes[-1]) if self._hashes else Head()

    def verify(self) -> Sequence[str]:
        """See ``Ledger``."""
        with self._lock:
            faults = list(chain_faults(self.links(limit=len(self._changes)), head=self.head()))
            replayed = World()
            for change in self._changes:
                replayed = apply(replayed, change)
            if replayed != self._world:
                faults.append(f"the world at revision {self._world.revision} is not what its changes make")
            return faults

    def lease(self, name: str) -> Lease | None:
        """See ``LeaseShelf``."""
        with self._lock:
            return self._leases.get(name)

    def take_lease(self, name: str, *, holder: str, seen: Lease | None, expires_at: float) -> Lease | None:
        """See ``LeaseShelf``."""
        with self._lock:
            present = self._leases.get(name)
            if (seen and (seen.epoch, seen.expires_at)) != (present and (present.epoch, present.expires_at)):
                return None
            taken = Lease(name=name, holder=holder, epoch=1 if present is None else present.epoch + 1, expires_at=expires_at)
            self._leases[name] = taken
            return taken

    def renew_lease(self, lease: Lease, *, expires_at: float) -> Lease:
        """See ``LeaseShelf``."""
        with self._lock:
            if self._leases[lease.name].epoch != lease.epoch:
                raise LeaseLostError(f"epoch {lease.epoch} is over")
            self._leases[lease.name] = msgspec.structs.replace(lease, expires_at=expires_at)
            return self._leases[lease.name]

    def release_lease(self, lease: Lease) -> None:
        """See ``LeaseShelf``."""
        with self._lock:
            if self._leases[lease.name].epoch == lease.epoch:
                self._leases[lease.name] = msgspec.structs.replace(self._leases[lease.name], holder="")

    def owed(self, limit: int) -> Sequence[tuple[int, Command]]:
        """See ``Outbox``."""
        with self._lock:
            return list(self._owed.items())[:limit]

    def done(self, identity: int) -> None:
        """See ``Outbox``."""
        with self._lock:
            self._owed.pop(identity, None)
            self._letters.pop(identity, None)

    def letters(self, limit: int) -> Sequence[Letter]:
        """See ``Outbox``."""
        with self._lock:
            return [self._letters[identity] for identity in list(self._owed)[:limit] if identity in self._letters]

    def note_deliveries(self, identity: int, deliveries: Mapping[str, Delivery]) -> None:
        """See ``Outbox``."""
        with self._lock:
            letter = self._letters.get(identity)
            if letter is not None:
                self._letters[identity] = msgspec.structs.replace(letter, deliveries={**letter.deliveries, **deliveries})

    def take(self, batch: ObservationBatch, *, at: float) -> bool:
        """See ``ObservationLog``."""
        with self._lock:
            before = self._planes.boot(batch.plane, batch.boot)
            if batch.sequence <= before.sequence:
                return False
            for observation in batch.observations:
                self._observations.setdefault(observation.request_id, observation)
                self._note_issuer(observation, at)
            self._planes.hear(
                msgspec.structs.replace(
                    before,
                    seen_at=at,
                    watermark_at=batch.watermark_at,
                    sequence=batch.sequence,
                    dropped=batch.dropped,
                    lost=batch.lost,
                )
            )
            return True

    def acknowledge(self, acknowledgement: Acknowledgement, *, at: float) -> None:
        """See ``ObservationLog``."""
        with self._lock:
            before = self._planes.boot(acknowledgement.plane, acknowledgement.boot)
            revision = max(before.acknowledged_revision, acknowledgement.revision)
            self._planes.hear(msgspec.structs.replace(before, acknowledged_revision=revision, seen_at=at))

    def planes(self) -> Sequence[PlaneState]:
        """See ``ObservationLog``."""
        with self._lock:
            return [self._planes.boots[plane, boot] for plane, boot in sorted(self._planes.latest.items())]

    def add_scores(self, scores: Sequence[Score]) -> int:
        """See ``ObservationLog``."""
        with self._lock:
            new = 0
            for score in scores:
                given = self._scores.setdefault((score.request_id, score.name), {})
                new += score.scorer not in given
                given.setdefault(score.scorer, score)
            return new

    def tasks_of(self, request_ids: Sequence[str]) -> dict[str, str]:
        """See ``ObservationLog``."""
        with self._lock:
            known = (self._observations.get(identity) for identity in request_ids)
            return {row.request_id: row.task for row in known if row is not None and row.task is not None}

    def rows(self, *, task: str, attempt: int, since: float, until: float, score: str | None) -> Sequence[EvidenceRow]:
        """See ``ObservationLog``."""
        with self._lock:
            found = [
                observation
                for observation in self._observations.values()
                if observation.task == task and observation.attempt == attempt and since <= observation.started_at < until
                if observation.side is not None and not observation.forced
            ]
            found.sort(key=lambda observation: (observation.started_at, observation.request_id))
            return [EvidenceRow(observation=observation, score=self._first_score(observation, score)) for observation in found]

    def first_seen(self, *, task: str, attempts: Sequence[int], since: float, until: float, most: int) -> Sequence[float] | None:
        """See ``ObservationLog``."""
        with self._lock:
            found = [
                observation
                for observation in self._observations.values()
                if observation.task == task and observation.attempt in attempts and since <= observation.started_at < until
            ]
        if len(found) > most:
            return None
        first: dict[tuple[bool, str], float] = {}
        for observation in found:
            if observation.side is not None and not observation.forced and not observation.retry:
                unit = (observation.sticky, observation.unit if observation.sticky else observation.request_id)
                first[unit] = min(first.get(unit, observation.started_at), observation.started_at)
        return sorted(first.values())

    def first_rows(self, *, task: str, attempt: int, since: float, until: float, most: int) -> Sequence[Observation]:
        """See ``ObservationLog``."""
        return [row.observation for row in self.rows(task=task, attempt=attempt, since=since, until=until, score=None)[:most]]

    def rows_after(self, *, task: str, attempt: int, after: Mark, most: int) -> Sequence[Observation]:
        """See ``ObservationLog``."""
        with self._lock:
            found = [
                observation
                for observation in self._observations.values()
                if observation.task == task and observation.attempt == attempt and mark_of(observation) > after
            ]
        return sorted(found, key=mark_of)[:most]

    def observation(self, request_id: str) -> Observation | None:
        """See ``ObservationLog``."""
        with self._lock:
            return self._observations.get(request_id)

    def save_summary(self, *, rollout: str, stream: str, block: int, body: bytes, units: Sequence[str]) -> None:
        """See ``SummaryShelf``."""
        with self._lock:
            kept = self._streams.setdefault((rollout, stream), _Stream())
            if kept.blocks.get(block) == body:
                return
            if block in kept.blocks:
                raise StoreError(f"block {block} of {stream} of rollout {rollout} is closed with another summary; it is written once")
            if len(set(units)) < len(units) or not kept.units.isdisjoint(units):
                raise StoreError(f"block {block} of {stream} of rollout {rollout} enrols a unit twice; a unit counts once per rollout")
            kept.blocks[block] = body
            kept.units.update(units)

    def enrolled(self, *, rollout: str, stream: str, units: Sequence[str]) -> set[str]:
        """See ``SummaryShelf``."""
        with self._lock:
            return self._streams.get((rollout, stream), _Stream()).units.intersection(units)

    def summaries(self, *, rollout: str, stream: str, after: int = -1) -> Sequence[tuple[int, bytes]]:
        """See ``SummaryShelf``."""
        with self._lock:
            blocks = self._streams.get((rollout, stream), _Stream()).blocks
            return sorted((block, body) for block, body in blocks.items() if block > after)

    def issuer(self, response: str) -> Issuer | None:
        """See ``IssuerShelf``."""
        with self._lock:
            found = self._issuers.get(response)
            return None if found is None else found[1]

    def keep_shapes(self, shapes: Sequence[TaskShape], *, at: float) -> None:
        """See ``ShapeShelf``."""
        with self._lock:
            for told in shapes:
                kept, key = self._shapes.setdefault(told.task, {}), told.shape.key
                known = (told.shape, kept[key][1]) if key in kept else (told.shape,)
                kept[key] = (at, merged(known))
                newest = sorted(kept.items(), key=lambda item: (-item[1][0], item[0]))[:SHAPES_PER_TASK_MAX]
                self._shapes[told.task] = dict(newest)

    def shapes(self, task: str) -> Sequence[SentShape]:
        """See ``ShapeShelf``."""
        with self._lock:
            return [shape for _, (_, shape) in sorted(self._shapes.get(task, {}).items(), key=lambda item: (-item[1][0], item[0]))]

    def close(self) -> None:
        """Nothing to give back."""

    def _note_issuer(self, seen: Observation, at: float) -> None:
        """Insertion order is the order of reporting: what came first goes first."""
        if seen.response is None or seen.task is None or seen.served is None:
            return
        self._issuers.setdefault(seen.response, (at, Issuer(task=seen.task, deployment=seen.served)))
        while len(self._issuers) > ISSUERS_MAX or next(iter(self._issuers.values()))[0] < at - ISSUER_AGE_S:
            del self._issuers[next(iter(self._issuers))]

    def _first_score(self, observation: Observation, name: str | None) -> float | None:
        given = self._scores.get((observation.request_id, name)) if name is not None else None
        return next(iter(given.values())).value if given else None


def _storable(change: Change) -> bytes:
    """The change as text. What a disk could not give back as it is, is refused here too: JSON knows no infinity."""
    text = msgspec.json.encode(change)
    try:
        returned = msgspec.json.decode(text, type=Change)
    except msgspec.ValidationError as error:
        raise StoreError(f"change {change.revision} cannot be stored as it is: {error}; expected finite numbers") from error
    if returned != change:
        raise StoreError(f"change {change.revision} cannot be stored as it is; expected finite numbers")
    return text


def _letter(identity: int, change: Change, command: Command) -> Letter:
    return Letter(identity=identity, revision=change.revision, at=change.at, actor=change.actor, reason=change.reason, command=command)
