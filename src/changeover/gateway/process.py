"""What does a gateway process run? Table, reports and server together, from start to a stop that drops nobody."""

import asyncio
import gc
import logging
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from changeover.gateway.egress import Egress
from changeover.gateway.limits import Limits
from changeover.gateway.metrics import GatewayMetrics
from changeover.gateway.reporter import Reporter
from changeover.gateway.server import Gateway
from changeover.gateway.shape_noter import ShapeTeller
from changeover.gateway.table_keeper import TableKeeper
from changeover.gateway.targets import SecretResolver
from changeover.ports.clock import Clock
from changeover.ports.credentials import TokenSource
from changeover.ports.dice import Dice
from changeover.ports.plane_disk import CrashLedger, MetricsShelf, Spool
from changeover.ports.planes import PlaneLink, TableCache

DRAIN_S: Final = 10.0
"""How long requests under way may still take when the process is told to stop."""

CATCH_UP_S: Final = 1.0
"""How long a start waits for the control plane's newest table before it serves from what it has."""

_GC_THRESHOLDS: Final = (50_000, 20, 20)

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayParts:
    """All that a gateway process needs of the world. ``boot`` is new at every start, ``plane`` stays.

    ``tls`` is the certificate it listens with, if any; ``keys_required`` refuses callers without a key, whatever the table
    says; ``shared_port`` lets other gateways of this user listen there too, and ``shelf`` holds their numbers and ours.
    """

    plane: str
    boot: str
    link: PlaneLink
    cache: TableCache
    spool: Spool
    ledger: CrashLedger
    clock: Clock
    dice: Dice
    secret: SecretResolver
    limits: Limits = field(default_factory=Limits)
    tls: ssl.SSLContext | None = None
    keys_required: bool = False
    egress: Egress = field(default_factory=Egress)
    tokens: TokenSource | None = None
    shared_port: bool = False
    shelf: MetricsShelf | None = None


async def run_gateway(parts: GatewayParts, *, host: str, port: int, stop: asyncio.Event, on_ready: Callable[[int], None]) -> None:
    """Serve until ``stop`` is set, then finish what is under way and deliver or spool what was seen.

    ``on_ready`` gets the port as soon as it can be called; without a table yet, requests are answered with 503.

    Raises:
        PortTakenError: the address cannot be listened on.
    """
    reporter = Reporter(plane=parts.plane, boot=parts.boot, link=parts.link, spool=parts.spool, ledger=parts.ledger, clock=parts.clock)
    gateway = Gateway(
        recorder=reporter,
        secret=parts.secret,
        clock=parts.clock,
        dice=parts.dice,
        limits=parts.limits,
        egress=parts.egress,
        keys_required=parts.keys_required,
        tokens=parts.tokens,
        issuers=parts.link,
    )
    keeper = TableKeeper(plane=parts.plane, boot=parts.boot, link=parts.link, cache=parts.cache, on_table=gateway.use)
    keeper.load()
    await keeper.catch_up(CATCH_UP_S)
    metrics = GatewayMetrics(plane=parts.plane, gateway=gateway, reporter=reporter, keeper=keeper, clock=parts.clock, shelf=parts.shelf)
    gateway.tell_metrics(metrics.text)
    teller = ShapeTeller(gateway.shapes, plane=parts.plane, boot=parts.boot, link=parts.link)
    try:
        on_ready(await gateway.start(host, port, tls=parts.tls, shared=parts.shared_port))
        _settle_memory()
        await _serve(gateway, stop, keeper.run(), reporter.run(), teller.run(), metrics.run())
    finally:
        await gateway.close()
        await reporter.close()


async def _serve(gateway: Gateway, stop: asyncio.Event, *beside: Coroutine[Any, Any, None]) -> None:
    """Run until ``stop``. A fault of ours in one that goes on beside the server ends the process: it is started again."""
    async with asyncio.TaskGroup() as group:
        followers = [group.create_task(each) for each in beside]
        await stop.wait()
        if not await gateway.drain(DRAIN_S):
            _log.warning("%d requests did not finish within %g s and are cut off", gateway.under_way, DRAIN_S)
        for follower in followers:
            follower.cancel()


def _settle_memory() -> None:
    """What lives now lives as long as the process: keep it out of every later collection, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
