"""Which table do we serve from? Fetches new ones, refuses unfit ones, and never goes back (rule I3)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from changeover.ports.planes import Acknowledgement, LinkDownError, PlaneLink, TableCache
from changeover.traffic.table import RoutingTable, table_faults

POLL_WAIT_S: Final = 25.0
BACKOFF_MIN_S: Final = 0.1
BACKOFF_MAX_S: Final = 2.0

_log: Final = logging.getLogger(__name__)


class TableKeeper:
    """Holds the table of one data plane. ``table`` is read on the request path; ``None`` until there is a first one.

    ``on_table`` is called, before anything is awaited, each time ``table`` has changed. A table is acknowledged once it
    serves and is in the cache, and again whenever the control plane was away: it may be another one now.
    """

    def __init__(
        self,
        *,
        plane: str,
        boot: str,
        link: PlaneLink,
        cache: TableCache,
        on_table: Callable[[RoutingTable], None],
    ) -> None:
        self.table: RoutingTable | None = None
        self.connected: bool | None = None
        """Whether the last call to the control plane succeeded; ``None`` before the first."""
        self._plane = plane
        self._boot = boot
        self._link = link
        self._cache = cache
        self._on_table = on_table
        self._acknowledged = False
        self._refused_revision: int | None = None
        self._backoff_s = BACKOFF_MIN_S

    @property
    def revision(self) -> int:
        """The revision served from, 0 without a table."""
        return 0 if self.table is None else self.table.revision

    def load(self) -> None:
        """Serve from the cached table, if there is a fit one. Call it before ``run`` and before listening."""
        cached = self._cache.load()
        if cached is not None:
            self._take(cached)

    async def catch_up(self, deadline_s: float) -> None:
        """Before anybody is served: take the newest table if the control plane gives it within ``deadline_s``. What lies in
        the cache may be older than a rollback. It is acknowledged by ``run``, when it serves.
        """
        try:
            async with asyncio.timeout(deadline_s):
                newer = await self._link.table_after(self.revision, wait_s=0.0)
        except TimeoutError:
            return
        except LinkDownError as error:
            self._link_is_down(error)
            return
        if newer is not None and self._take(newer):
            await asyncio.to_thread(self._cache.save, newer)
        self._link_is_up()

    async def run(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Follow the control plane until cancelled."""
        while True:
            if not await self.step():
                await sleep(self._backoff_s)
                self._backoff_s = min(BACKOFF_MAX_S, self._backoff_s * 2)

    async def step(self) -> bool:
        """Acknowledge what is still to acknowledge, then wait for one newer table. ``False``: ask again, but not at once."""
        try:
            await self._acknowledge()
            newer = await self._link.table_after(self.revision, wait_s=POLL_WAIT_S)
            if newer is not None and self._take(newer):
                await asyncio.to_thread(self._cache.save, newer)
                await self._acknowledge()
        except LinkDownError as error:
            self._link_is_down(error)
            return False
        self._link_is_up()
        if newer is not None and newer.revision != self.revision:
            return False  # refused: it would be offered again without a pause
        self._backoff_s = BACKOFF_MIN_S
        return True

    def _take(self, table: RoutingTable) -> bool:
        """Serve from ``table`` if it may be served from; says why when not."""
        reason = self._reason_against(table)
        if reason is not None:
            if self._refused_revision != table.revision:
                _log.error("refused the table of revision %d: %s; serving revision %d goes on", table.revision, reason, self.revision)
            self._refused_revision = table.revision
            return False
        self.table = table
        self._acknowledged = False
        self._on_table(table)
        return True

    def _reason_against(self, table: RoutingTable) -> str | None:
        if table.revision <= self.revision:
            return f"expected a revision above {self.revision}"
        faults = table_faults(table)
        return "; ".join(faults) if faults else None

    async def _acknowledge(self) -> None:
        if self.table is None or self._acknowledged:
            return
        acknowledgement = Acknowledgement(plane=self._plane, boot=self._boot, revision=self.revision)
        await self._link.acknowledge(acknowledgement)
        self._acknowledged = True
        self._link_is_up()

    def _link_is_up(self) -> None:
        if not self.connected:
            _log.info("connected to the control plane; serving revision %d", self.revision)
        self.connected = True

    def _link_is_down(self, error: LinkDownError) -> None:
        if self.connected is not False:
            _log.warning("the control plane is away (%s); serving revision %d goes on", error, self.revision)
        self.connected = False
        self._acknowledged = False
