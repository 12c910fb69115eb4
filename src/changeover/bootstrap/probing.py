"""How does the control plane try a deployment? As its gateway would call it, from the same environment."""

import asyncio
import os
from typing import Final

from changeover.adapters.credentials import EntraTokens, resolve_secret
from changeover.controller.preflight import Preflight
from changeover.gateway.egress import CA_BUNDLE_VARIABLE, Egress, egress_from
from changeover.gateway.probe_head import probe_head
from changeover.ports.clock import Clock
from changeover.ports.credentials import Token, TokenSource
from changeover.ports.office import Office
from changeover.ports.probing import ProbeAnswer, ProbeCall, ProbeHead, Prober
from changeover.versions import EntraIdentity

TOKEN_LEFT_S: Final = 120.0
"""A token that lives no longer than this is not used again."""


def preflight_of(office: Office, clock: Clock) -> Preflight:
    """What tries candidates before their rollouts start.

    Raises:
        EgressError: the environment names a proxy that is none.
    """
    ca_file = os.environ.get(CA_BUNDLE_VARIABLE)
    tokens = _KeptTokens(EntraTokens(ca_file=ca_file), clock)
    return Preflight(office, _LateProber(egress_from(os.environ, ca_file=ca_file), tokens), clock)


class _LateProber:
    """``Prober``. The HTTP client is imported when the first candidate is tried: a server starts sooner without it."""

    def __init__(self, egress: Egress, tokens: TokenSource) -> None:
        self._egress = egress
        self._tokens = tokens
        self._made: asyncio.Future[Prober] | None = None

    async def send(self, call: ProbeCall, *, timeout_s: float) -> ProbeAnswer:
        if self._made is None:
            self._made = asyncio.ensure_future(asyncio.to_thread(self._make))
        prober = await asyncio.shield(self._made)
        return await prober.send(call, timeout_s=timeout_s)

    def _make(self) -> Prober:
        from changeover.adapters.prober import HttpProber

        return HttpProber(self._head, tls=self._egress.tls_context())

    async def _head(self, call: ProbeCall) -> ProbeHead:
        return await probe_head(call, resolve=resolve_secret, egress=self._egress, tokens=self._tokens)


class _KeptTokens:
    """``TokenSource``. A trial sends many requests; they share a token."""

    def __init__(self, source: TokenSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._kept: dict[EntraIdentity, Token] = {}
        self._turn = asyncio.Lock()

    async def token(self, identity: EntraIdentity) -> Token:
        async with self._turn:
            kept = self._kept.get(identity)
            if kept is None or kept.expires_at - self._clock.now() <= TOKEN_LEFT_S:
                kept = self._kept[identity] = await self._source.token(identity)
            return kept
