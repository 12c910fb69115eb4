"""What did this data plane see? Takes observations off the request path and delivers them; never delays a request (rule I16)."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from changeover.exchange.observation import Observation
from changeover.gateway.failure_log import FailureLog
from changeover.gateway.tally import Tally
from changeover.ports.clock import Clock
from changeover.ports.plane_disk import CrashLedger, Spool
from changeover.ports.planes import BatchRefusedError, Dropped, LinkDownError, ObservationBatch, PlaneLink
from changeover.traffic.table import Side

QUEUE_MAX: Final = 20_000
"""Observations waiting to be sent. What comes on top is counted, by side, and dropped."""
BATCH_MAX: Final = 1_000
FLUSH_S: Final = 0.25
HEARTBEAT_S: Final = 1.0
BACKOFF_MAX_S: Final = 2.0
CLOSE_S: Final = 2.0
"""How long ``close`` tries to deliver before it spools."""

SPOOL_BATCHES_MAX: Final = 100
"""Batches kept on disk over restarts without a control plane. What comes on top is counted as lost by the next boot."""

_log: Final = logging.getLogger(__name__)
_SIDES: Final = (Side.STABLE, Side.CANDIDATE, None)


class Reporter:
    """Reports the observations of one data plane, in order, each at most once.

    A request calls ``begin`` in the moment its ``started_at`` is taken, ``assigned`` when its side is drawn, and ends in
    ``record``; all three are synchronous, constant in time and raise nothing. ``run`` delivers.
    """

    def __init__(
        self,
        *,
        plane: str,
        boot: str,
        link: PlaneLink,
        spool: Spool,
        ledger: CrashLedger,
        clock: Clock,
    ) -> None:
        self.queue_max = QUEUE_MAX
        self.flush_s = FLUSH_S
        self._plane = plane
        self._boot = boot
        self._link = link
        self._spool = spool
        self._ledger = ledger
        self._clock = clock
        self._queue: deque[Observation] = deque()
        self._failures = FailureLog()
        self.tally = Tally()
        self._in_flight: dict[str, tuple[float, Side | None]] = {}
        self._dropped: dict[Side | None, int] = dict.fromkeys(_SIDES, 0)
        self._dropped_told: dict[Side | None, int] = dict.fromkeys(_SIDES, 0)
        self._lost = ledger.lost
        self._pending: ObservationBatch | None = None
        self._earlier: deque[ObservationBatch] = deque(spool.load())
        self._sequence = 0
        self._watermark_at = 0.0
        self._delivered_at = float("-inf")
        self._backoff_s = FLUSH_S
        self._connected = True

    @property
    def dropped(self) -> Dropped:
        """Observations dropped since this boot because the queue was full."""
        return Dropped(stable=self._dropped[Side.STABLE], candidate=self._dropped[Side.CANDIDATE], unassigned=self._dropped[None])

    @property
    def waiting(self) -> int:
        """Observations not yet delivered."""
        return len(self._queue) + (0 if self._pending is None else len(self._pending.observations))

    @property
    def lost(self) -> int:
        """Requests of earlier boots that were never reported, as found at this start."""
        return self._lost

    def begin(self, request_id: str, started_at: float) -> None:
        """A request began now, at ``started_at`` (Unix time). Until it is recorded the watermark stays below that."""
        self._in_flight[request_id] = (started_at, None)
        self._ledger.begin(None)

    def assigned(self, request_id: str, side: Side) -> None:
        """The request's side is drawn. (Without this call the ledger learns it with the observation.)"""
        flight = self._in_flight.get(request_id)
        if flight is not None and flight[1] is None:
            self._in_flight[request_id] = (flight[0], side)
            self._ledger.assign(side)

    def record(self, observation: Observation) -> None:
        """The request has ended. Its observation waits to be sent, or is counted as dropped when too many wait."""
        side = observation.side
        flight = self._in_flight.pop(observation.request_id, None)
        if flight is None:
            self._ledger.begin(side)
        elif side is not None and flight[1] is None:
            self._ledger.assign(side)
        if len(self._queue) >= self.queue_max:
            self._dropped[side] += 1
        else:
            self._queue.append(observation)
        self._failures.note(observation)
        self.tally.note(observation)

    async def run(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Deliver until cancelled, every ``flush_s`` seconds: first what an earlier boot left behind."""
        while True:
            self._failures.tell(self._clock.now())
            while await self.flush():
                pass
            await sleep(self.flush_s if self._connected else self._backoff_s)

    async def flush(self) -> bool:
        """Deliver one batch if one is due. Returns whether another is due at once."""
        batch = self._due()
        if batch is None:
            return False
        try:
            await self._link.deliver(batch)
        except LinkDownError as error:
            self._link_is_down(error)
            return False
        except BatchRefusedError as error:
            self._refused(batch, error)
            return self._is_full()
        self._delivered(batch)
        return self._is_full()

    def _is_full(self) -> bool:
        """Whether another batch is worth sending at once: a call for every handful of observations costs more than they do."""
        return bool(self._earlier) or len(self._queue) >= BATCH_MAX

    async def close(self, deadline_s: float = CLOSE_S) -> None:
        """Deliver what waits, within ``deadline_s``; spool what is left. Call it when ``run`` has ended."""
        try:
            async with asyncio.timeout(deadline_s):
                while self.waiting or self._earlier or self._untold():
                    if not await self.flush() and not self._connected:
                        break
        except TimeoutError:
            _log.warning("the control plane did not take all observations within %s s", deadline_s)
        self._spool_rest()

    def _due(self) -> ObservationBatch | None:
        """The batch to send now. One that failed is sent again unchanged."""
        if self._earlier:
            return self._earlier[0]
        if self._pending is None and (self._queue or self._untold() or self._is_quiet()):
            self._pending = self._next_batch()
        return self._pending

    def _is_quiet(self) -> bool:
        """Whether it is time for a heartbeat; a clock that was set back must not silence it."""
        return not 0 <= self._clock.now() - self._delivered_at < HEARTBEAT_S

    def _next_batch(self) -> ObservationBatch:
        count = min(BATCH_MAX, len(self._queue))
        observations = tuple(self._queue.popleft() for _ in range(count))
        return ObservationBatch(
            plane=self._plane,
            boot=self._boot,
            sequence=self._sequence + 1,
            watermark_at=self._next_watermark(),
            dropped=self.dropped,
            lost=self._lost,
            observations=observations,
        )

    def _next_watermark(self) -> float:
        """The earliest start among requests in flight, else now; it stands still while more wait than one batch holds.

        It never falls, even if the clock does.
        """
        if not self._queue:
            earliest = min((started_at for started_at, _ in self._in_flight.values()), default=self._clock.now())
            self._watermark_at = max(self._watermark_at, earliest)
        return self._watermark_at

    def _untold(self) -> bool:
        """Whether the control plane does not know yet of a drop, or of a loss."""
        return self._dropped != self._dropped_told or self._ledger.lost > 0

    def _delivered(self, batch: ObservationBatch) -> None:
        if not self._forget_earlier(batch):
            self._sequence = batch.sequence
            self._pending = None
            self._settle(batch)
        self._link_is_up()

    def _forget_earlier(self, batch: ObservationBatch) -> bool:
        """Whether ``batch`` was left by an earlier boot; then it is done with, and the spool with the last of them."""
        if not self._earlier or batch is not self._earlier[0]:
            return False
        self._earlier.popleft()
        if not self._earlier:
            self._spool.save(())
        return True

    def _settle(self, batch: ObservationBatch) -> None:
        """What ``batch`` tells is safe: the next boot will not count it as lost."""
        told = {Side.STABLE: batch.dropped.stable, Side.CANDIDATE: batch.dropped.candidate, None: batch.dropped.unassigned}
        for side in _SIDES:
            count = sum(observation.side == side for observation in batch.observations)
            self._ledger.report(side, count + told[side] - self._dropped_told[side])
        self._dropped_told = told
        if batch.lost:
            self._ledger.forget_lost()

    def _refused(self, batch: ObservationBatch, error: BatchRefusedError) -> None:
        """The control plane will never take this batch: count it as dropped, so that it does not block what follows."""
        _log.error("the control plane refused a batch of %d observations for good: %s", len(batch.observations), error)
        of_earlier_boot = self._forget_earlier(batch)
        if not of_earlier_boot:
            self._pending = None
        for observation in batch.observations:
            self._dropped[observation.side] += 1
            if of_earlier_boot:
                self._ledger.begin(observation.side)  # the count of drops will report it
        self._delivered_at = self._clock.now()

    def _link_is_up(self) -> None:
        if not self._connected:
            _log.info("observations are delivered again; %d wait", self.waiting)
        self._connected = True
        self._backoff_s = FLUSH_S
        self._delivered_at = self._clock.now()

    def _link_is_down(self, error: LinkDownError) -> None:
        if self._connected:
            _log.warning("observations cannot be delivered (%s); up to %d wait here", error, self.queue_max)
        else:
            self._backoff_s = min(BACKOFF_MAX_S, self._backoff_s * 2)
        self._connected = False

    def _spool_rest(self) -> None:
        """Leave what was not delivered to the next boot, under the sequences it would have had."""
        own = self._own_rest()[: max(0, SPOOL_BATCHES_MAX - len(self._earlier))]
        batches = [*self._earlier, *own]
        if not batches:
            return
        if self._spool.save(batches):
            for batch in own:
                self._settle(batch)
            _log.warning("%d batches could not be delivered and wait on disk for the next start", len(batches))
        self._earlier.clear()

    def _own_rest(self) -> list[ObservationBatch]:
        rest: list[ObservationBatch] = [] if self._pending is None else [self._pending]
        sequence = self._sequence + len(rest)
        self._pending = None
        while self._queue or (not rest and self._untold()):
            sequence += 1
            rest.append(msgspec.structs.replace(self._next_batch(), sequence=sequence))
        return rest
