"""The store behind its one door: calls in order on one thread, and a bell for those who wait for a table."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import structlog

from changeover.ports.clock import Clock
from changeover.ports.store import CommitBell, Store, StoreError
from changeover.rollout.world import Change, Proposal, World, routing_table
from changeover.traffic.table import RoutingTable

T = TypeVar("T")

FOLLOW_S: Final = 0.5
"""A bell that is not heard, such as behind a pooler, costs so long at most."""

log = structlog.get_logger("office")


class StoreOffice:
    """`ports.office.Office` over any store.

    One thread runs every call, so that a store needs no locks and a slow query never holds up the event loop.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._table = routing_table(store.world())
        self._bell = asyncio.Event()

    @property
    def table(self) -> RoutingTable:
        """The newest table."""
        return self._table

    async def read(self, query: Callable[[Store], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, query, self._store)

    async def commit(self, decide: Callable[[World], Proposal], *, epoch: int | None = None) -> Change:
        """See ``Office``. ``epoch`` is the controller's, see ``Ledger``."""
        change, table = await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, decide, epoch)
        self._post(table)
        return change

    async def follow(self, bell: CommitBell, stop: asyncio.Event) -> None:
        """Post the tables that other control planes of the same store commit, until ``stop``."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="bell") as ear:
            while not stop.is_set():
                await loop.run_in_executor(ear, bell.wait, FOLLOW_S)
                try:
                    world = await self.read(lambda store: store.world())
                except StoreError as error:
                    log.error("the store failed; tables of other control planes are not seen", problem=str(error))
                    continue
                if world.table_revision > self._table.revision:
                    self._post(routing_table(world))
            await loop.run_in_executor(ear, bell.close)

    async def table_after(self, revision: int, *, wait_s: float) -> RoutingTable | None:
        deadline = asyncio.get_running_loop().time() + wait_s
        while self._table.revision <= revision:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return None
            try:
                await asyncio.wait_for(self._bell.wait(), left)
            except TimeoutError:
                return None
        return self._table

    async def close(self) -> None:
        """Finish what was asked, then close the store on its own thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._store.close)
        self._thread.shutdown()

    def _commit(self, decide: Callable[[World], Proposal], epoch: int | None) -> tuple[Change, RoutingTable]:
        change = self._store.commit(decide, at=self._clock.now(), epoch=epoch)
        return change, routing_table(self._store.world())

    def _post(self, table: RoutingTable) -> None:
        """Rings for a newer table only: answers of the store's thread may arrive here out of order."""
        if table.revision <= self._table.revision:
            return
        self._table = table
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()
