"""Who of several control planes moves rollouts? One at a time, by a lease; what it commits carries the lease's epoch (rule I7)."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from changeover.controller.office import StoreOffice
from changeover.ports.clock import Clock
from changeover.ports.lease import CONTROLLER, LEASE_S, RENEW_S, Lease
from changeover.ports.store import LeaseLostError, Store, StoreError
from changeover.rollout.world import Change, Proposal, World
from changeover.traffic.table import RoutingTable

T = TypeVar("T")

Duty = Callable[[asyncio.Event], Awaitable[None]]
"""What a leader does until the event is set."""

log: Final = structlog.get_logger("leadership")


class Leadership:
    """Takes the lease when it is free, keeps it, and does the duty meanwhile.

    A lease counts as free when it was given back, when this very control plane had it in an earlier life, or when it stood
    unchanged for ``LEASE_S`` by this process's own steady clock: clocks of different machines are never compared, and a clock that
    is set forward or back moves nothing. With ``alone`` nobody else can have the store open, so it is free.
    """

    def __init__(self, office: StoreOffice, clock: Clock, *, holder: str, alone: bool) -> None:
        self._office = office
        self._clock = clock
        self._holder = holder
        self._alone = alone
        self._lease: Lease | None = None
        self._renewed_at = 0.0
        self._seen: Lease | None = None
        self._seen_since = 0.0

    @property
    def epoch(self) -> int | None:
        """Under which number this control plane acts; ``None`` while it does not."""
        return None if self._lease is None else self._lease.epoch

    async def run(self, stop: asyncio.Event, duty: Duty) -> None:
        """Lead whenever it can be, until ``stop``; then give the lease back. A duty that breaks ends this with its fault."""
        while not stop.is_set():
            await self.look(asyncio.get_running_loop().time())
            if self._lease is not None:
                await self._lead(stop, duty)
            else:
                await _pause(stop, RENEW_S)
        await self._give_back()

    async def look(self, now: float) -> None:
        """Take or renew the lease at ``now`` (seconds of a steady clock), or learn that somebody else has it."""
        try:
            lease = await self._office.read(lambda store: self._turn(store, now))
        except LeaseLostError as error:
            self._lose(str(error))
            return
        except StoreError as error:
            log.error("the store failed; the lease cannot be looked after", problem=str(error))
            if self._lease is not None and now - self._renewed_at > LEASE_S:
                self._lose("it could not be renewed in time")
            return
        if lease is not None and self._lease is None:
            log.info("this control plane moves rollouts from now on", holder=self._holder, epoch=lease.epoch)
        if lease is not None:
            self._lease, self._renewed_at = lease, now

    def lost(self) -> None:
        """A commit was refused: somebody else acts."""
        self._lose("a commit was refused")

    async def _lead(self, stop: asyncio.Event, duty: Duty) -> None:
        """One term: the duty in a task of its own, the lease renewed beside it."""
        over = asyncio.Event()
        term = asyncio.ensure_future(duty(over))
        try:
            while self._leads() and not stop.is_set() and not term.done():
                await _first(term, stop, RENEW_S)
                if not self._alone and self._leads() and not stop.is_set():
                    await self.look(asyncio.get_running_loop().time())
        finally:
            over.set()
            await term

    def _leads(self) -> bool:
        return self._lease is not None

    def _turn(self, store: Store, now: float) -> Lease | None:
        """On the store's thread."""
        expires_at = self._clock.now() + LEASE_S
        if self._lease is not None:
            return store.renew_lease(self._lease, expires_at=expires_at)
        present = store.lease(CONTROLLER)
        if present != self._seen:
            self._seen, self._seen_since = present, now
        is_free = self._alone or present is None or present.holder in ("", self._holder) or now - self._seen_since > LEASE_S
        return store.take_lease(CONTROLLER, holder=self._holder, seen=present, expires_at=expires_at) if is_free else None

    def _lose(self, why: str) -> None:
        if self._lease is not None:
            log.warning("this control plane no longer moves rollouts; another does, or will", epoch=self._lease.epoch, reason=why)
        self._lease = None

    async def _give_back(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None and not self._alone:
            with contextlib.suppress(StoreError):
                await self._office.read(lambda store: store.release_lease(lease))


class LeaderOffice:
    """``ports.office.Office`` for the controller: every commit carries the epoch, and without one there is none."""

    def __init__(self, office: StoreOffice, leadership: Leadership) -> None:
        self._office = office
        self._leadership = leadership

    async def read(self, query: Callable[[Store], T]) -> T:
        """See ``Office``."""
        return await self._office.read(query)

    async def commit(self, decide: Callable[[World], Proposal]) -> Change:
        """See ``Office``.

        Raises:
            LeaseLostError: this control plane does not lead, or not any more.
        """
        epoch = self._leadership.epoch
        if epoch is None:
            raise LeaseLostError("this control plane does not move rollouts now: nothing was committed")
        try:
            return await self._office.commit(decide, epoch=epoch)
        except LeaseLostError:
            self._leadership.lost()
            raise

    async def table_after(self, revision: int, *, wait_s: float) -> RoutingTable | None:
        """See ``Office``."""
        return await self._office.table_after(revision, wait_s=wait_s)


async def _pause(stop: asyncio.Event, longest_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), longest_s)


async def _first(term: "asyncio.Future[None]", stop: asyncio.Event, longest_s: float) -> None:
    """Return when the term has ended, when it is to stop, or after ``longest_s``."""
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({term, stopped}, timeout=longest_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
