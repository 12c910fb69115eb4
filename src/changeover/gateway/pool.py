"""Which connection carries the next request to a deployment? The last one used, or a fresh one."""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Protocol

from changeover.gateway.limits import Limits
from changeover.gateway.targets import Target
from changeover.gateway.tunnel import TunnelRefusedError, open_tunnel
from changeover.gateway.upstream import Awaiting, Upstream


class Dialing(Awaiting, Protocol):
    """Who waits for a connection, then for a reply."""

    @property
    def wanted(self) -> bool:
        """Whether the request is still to be sent."""
        ...

    def connected(self, upstream: Upstream) -> None:
        """Here is a connection to send it on."""
        ...

    def unreachable(self, code: str, message: str, *, timed_out: bool) -> None:
        """There is none to be had."""
        ...


class Pool:
    """The connections of one deployment. Idle ones are used last in, first out, so that the rest can grow old and go.

    ``dials`` holds the attempts to connect, so that whoever ends the gateway can end them.
    """

    def __init__(self, target: Target, *, limits: Limits, tls: ssl.SSLContext | None, dials: set[asyncio.Task[None]]) -> None:
        self.target = target
        self._limits = limits
        self._tls = tls
        self._idle: deque[Upstream] = deque()
        self._dials = dials
        self._closed = False
        self.connect: Callable[[], Awaitable[Upstream]] = self._connect
        """How a fresh connection is made."""

    @property
    def idle(self) -> int:
        """How many connections wait for a request."""
        return len(self._idle)

    def take(self) -> Upstream | None:
        """An idle connection that is still open, as far as is known here."""
        while self._idle:
            upstream = self._idle.pop()
            if upstream.is_usable:
                return upstream
        return None

    def give(self, upstream: Upstream) -> None:
        """Keep an idle connection, within the limits."""
        if self._closed or len(self._idle) >= self._limits.pool_idle_max:
            upstream.abort()
        else:
            self._idle.append(upstream)

    def dial(self, waiting: Dialing) -> None:
        """Open a connection for ``waiting``, who is told of it or of the failure."""
        task = asyncio.get_running_loop().create_task(self._dial(waiting))
        self._dials.add(task)
        task.add_done_callback(self._dials.discard)

    def sweep(self, now: float) -> None:
        """Close what has been idle for too long, and forget what the provider closed."""
        while self._idle and (now - self._idle[0].idle_since > self._limits.pool_idle_s or not self._idle[0].is_usable):
            self._idle.popleft().abort()

    def close(self) -> None:
        """Take no more; what carries a reply may still finish it."""
        self._closed = True
        while self._idle:
            self._idle.pop().abort()

    async def _connect(self) -> Upstream:
        """A fresh connection; the name is resolved anew each time."""
        target, proxy = self.target, self.target.proxy
        loop = asyncio.get_running_loop()
        tls = self._tls if target.tls else None
        if proxy is None:
            _, upstream = await loop.create_connection(lambda: Upstream(self, self._limits), target.host, target.port, ssl=tls)
        elif tls is None:
            _, upstream = await loop.create_connection(
                lambda: Upstream(self, self._limits), proxy.host, proxy.port, ssl=self._tls if proxy.tls else None
            )
        else:
            upstream = Upstream(self, self._limits)
            await open_tunnel(proxy, (target.host, target.port), tls=tls, inner=upstream)
        return upstream

    async def _dial(self, waiting: Dialing) -> None:
        try:
            async with asyncio.timeout(self._limits.connect_s):
                upstream = await self.connect()
        except TimeoutError:
            waiting.unreachable("connect_timeout", f"no connection within {self._limits.connect_s:g} s", timed_out=True)
        except TunnelRefusedError as error:
            waiting.unreachable("proxy_refused", str(error), timed_out=False)
        except ssl.SSLError as error:
            waiting.unreachable("tls_failed", f"no trusted connection ({error.reason or 'TLS failed'})", timed_out=False)
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            waiting.unreachable("connect_failed", f"no connection ({reason})", timed_out=False)
        else:
            if waiting.wanted:
                waiting.connected(upstream)
            else:
                upstream.idle_since = monotonic()
                self.give(upstream)
