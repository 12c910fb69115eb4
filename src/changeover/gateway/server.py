"""Where does the gateway stand? It listens, takes tables, keeps time, and goes without dropping anybody."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable
from time import monotonic
from typing import Final

from changeover.gateway.caller import Caller
from changeover.gateway.dispatch import Dispatch, Recorder
from changeover.gateway.doorkeeper import Doorkeeper
from changeover.gateway.egress import Egress
from changeover.gateway.health import Health
from changeover.gateway.inquiry import Inquiries, IssuerBook
from changeover.gateway.limits import Limits
from changeover.gateway.plans import plan_all, unrouted_name
from changeover.gateway.pool import Pool
from changeover.gateway.shape_noter import ShapeNoter
from changeover.gateway.targets import TOKEN_AWAITED, PreparedTable, SecretResolver, Target, identities_of, prepare
from changeover.gateway.tokens import TokenKeeper
from changeover.ports.clock import Clock
from changeover.ports.credentials import TokenSource
from changeover.ports.dice import Dice
from changeover.traffic.table import RoutingTable

BACKLOG: Final = 4096
PROBE_S: Final = 0.5
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared with, not bound to

_UNROUTED: Final = ""
"""No task has an empty name: the budget of what no task claims."""

_log: Final = logging.getLogger(__name__)


class PortTakenError(Exception):
    """The port cannot be listened on; the message says which, why, and what to do."""


class Gateway:
    """The data plane's own HTTP/1.1 proxy.

    ``use`` gives it a table, also while it serves: the next request is served from that one. ``egress``: by which way
    providers are reached. ``tls``: how their certificates are verified, by default as ``egress`` says.
    """

    def __init__(  # noqa: PLR0913 - everything of the world that it needs, each by name
        self,
        *,
        recorder: Recorder,
        secret: SecretResolver,
        clock: Clock,
        dice: Dice,
        limits: Limits | None = None,
        egress: Egress | None = None,
        tls: ssl.SSLContext | None = None,
        keys_required: bool = False,
        tokens: TokenSource | None = None,
        issuers: IssuerBook | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._secret = secret
        self._egress = egress or Egress()
        self._tls = self._egress.tls_context() if tls is None and self._egress.ca_file is not None else tls
        self._dispatch = Dispatch(recorder=recorder, clock=clock, dice=dice, limits=self.limits)
        self._door = Doorkeeper(required=keys_required)
        self._dispatch.door = self._door
        self._table: RoutingTable | None = None
        self._told: set[tuple[str, str]] = set()
        self._tokens = TokenKeeper(tokens, clock)
        self._tokens.on_change = self._renew
        self._dispatch.inquiries = None if issuers is None else Inquiries(issuers, self._dispatch.health)
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._dials: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()
        self._dispatch.on_empty = self._empty.set

    @property
    def under_way(self) -> int:
        """Requests sent to a deployment and not yet answered."""
        return len(self._dispatch.relays)

    @property
    def open_callers(self) -> int:
        """Callers' connections."""
        return len(self._dispatch.callers)

    @property
    def pools(self) -> tuple[Pool, ...]:
        """The connections to each deployment of the table."""
        return tuple(self._dispatch.pools.values())

    @property
    def idle(self) -> dict[str, int]:
        """How many connections to each deployment wait for a request."""
        return {name: pool.idle for name, pool in self._dispatch.pools.items()}

    def tell_metrics(self, text: Callable[[], bytes]) -> None:
        """Answer ``/metrics`` with ``text``."""
        self._dispatch.metrics = text

    @property
    def health(self) -> Health:
        """What is known of the deployments."""
        return self._dispatch.health

    @property
    def shapes(self) -> ShapeNoter:
        """What the requests looked like that were answered."""
        return self._dispatch.shapes

    def use(self, table: RoutingTable) -> None:
        """Serve from ``table`` from now on. Requests on their way keep what they were given."""
        self._door.use(table)
        self._table = table
        self._tokens.follow(identities_of(table, self._secret))
        self._serve_from(table)

    def _serve_from(self, table: RoutingTable) -> None:
        """Make ready with the credentials as they are now."""
        prepared = prepare(table, self._secret, self._egress, self._tokens.bearer)
        targets = _targets(prepared)
        self._tell({target.fault for target in targets.values() if target.fault is not None and target.fault[0] != TOKEN_AWAITED})
        self._exchange_pools(targets)
        health, at = self._dispatch.health, monotonic()
        health.keep(targets)
        budgets = health.budgets_for([*table.routes, _UNROUTED], at)
        self._dispatch.itinerary = plan_all(prepared, self._dispatch.pools, budgets, budgets[_UNROUTED])
        self._dispatch.release()

    def _tell(self, faults: set[tuple[str, str]]) -> None:
        """Say what is wrong, once as long as it stays so: a token that is renewed must not repeat it."""
        for fault in sorted(faults - self._told):
            _log.error("%s %s", *fault)
        self._told = faults

    def _renew(self) -> None:
        """A token has come, or gone."""
        if self._table is not None:
            self._serve_from(self._table)

    async def start(self, host: str, port: int, *, tls: ssl.SSLContext | None = None, shared: bool = False) -> int:
        """Listen, with a certificate of our own if there is ``tls``; port 0 takes any free one. Returns the port. ``shared``:
        other gateways of this user listen there too, and whoever started them all has seen to it that nobody else does.

        Raises:
            PortTakenError: something answers there already, or the address is not ours.
        """
        if port and not shared:
            await _refuse_answering(host, port)
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: Caller(self._dispatch),
                host,
                port,
                backlog=BACKLOG,
                reuse_port=shared or None,
                ssl=tls,
                ssl_handshake_timeout=None if tls is None else self.limits.head_s,
                ssl_shutdown_timeout=None if tls is None else self.limits.linger_s,
            )
        except OSError as error:
            raise PortTakenError(f"cannot listen on {host}:{port}: {error.strerror or error}; choose another address or port") from error
        self._sweeper = loop.call_later(self.limits.sweep_s, self._sweep)
        return int(self._server.sockets[0].getsockname()[1])

    async def drain(self, timeout_s: float) -> bool:
        """Take no new connections, finish what is under way. Returns whether all of it finished within ``timeout_s``."""
        self._dispatch.draining = True
        if self._server is not None:
            self._server.close()
        for caller in tuple(self._dispatch.callers):
            caller.close_if_idle()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._no_callers()
        return not self._dispatch.callers

    async def close(self) -> None:
        """Stop at once: whoever is still served is cut off, and observed as such."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._server is not None:
            self._server.close()
        await self._tokens.close()
        for caller in tuple(self._dispatch.callers):
            caller.abort()
        if self._dispatch.inquiries is not None:
            await self._dispatch.inquiries.close()
        for pool in self._dispatch.pools.values():
            pool.close()
        for dial in tuple(self._dials):
            dial.cancel()
        await asyncio.gather(*self._dials, return_exceptions=True)
        await self._no_callers()

    def sweep(self, now: float) -> None:
        """End what has lasted too long at ``now`` (the monotonic clock)."""
        for relay in tuple(self._dispatch.relays):
            relay.check(now)
        for caller in tuple(self._dispatch.callers):
            caller.check(now)
        for pool in self._dispatch.pools.values():
            pool.sweep(now)

    async def _no_callers(self) -> None:
        while self._dispatch.callers:
            self._empty.clear()
            await self._empty.wait()

    def _sweep(self) -> None:
        self._sweeper = asyncio.get_running_loop().call_later(self.limits.sweep_s, self._sweep)
        self.sweep(monotonic())

    def _exchange_pools(self, targets: dict[str, Target]) -> None:
        """Keep the connections of deployments that are still called alike; close the others' when they are idle."""
        old, new = self._dispatch.pools, dict[str, Pool]()
        for name, target in targets.items():
            if target.fault is not None:
                continue
            pool = old.get(name)
            if pool is not None and pool.target.address == target.address:
                pool.target = target
                new[name] = pool
            else:
                tls = target.tls or (target.proxy is not None and target.proxy.tls)
                new[name] = Pool(target, limits=self.limits, tls=self._tls_for(tls=tls), dials=self._dials)
        for name, pool in old.items():
            if new.get(name) is not pool:
                pool.close()
        self._dispatch.pools = new

    def _tls_for(self, *, tls: bool) -> ssl.SSLContext | None:
        if tls and self._tls is None:
            self._tls = self._egress.tls_context()
        return self._tls if tls else None


def _targets(prepared: PreparedTable) -> dict[str, Target]:
    """Everyone who may be called, by the name of their pool."""
    if prepared.unrouted is None:
        return prepared.targets
    return {**prepared.targets, unrouted_name(prepared.unrouted): prepared.unrouted}


async def _refuse_answering(host: str, port: int) -> None:
    """A forgotten process may share the port without an error and take half of the connections."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(PROBE_S):
            _, writer = await asyncio.open_connection(_ANYWHERE.get(host, host), port)
        writer.close()
        raise PortTakenError(f"cannot listen on {host}:{port}: something answers there already; stop it or choose another port")
