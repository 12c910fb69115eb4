"""How would a gateway address this request? For whoever tries a deployment with a single request, away from the request path."""

from typing import Final

from changeover.gateway.egress import Egress, Proxy
from changeover.gateway.targets import SecretResolver, Target, identity_of, prepare
from changeover.gateway.tokens import AWAITED, Bearer
from changeover.ports.credentials import TokenError, TokenSource
from changeover.ports.probing import ProbeCall, ProbeFailedError, ProbeHead
from changeover.traffic.table import RoutingTable

_POST: Final = b"POST"
_FRAMING: Final = frozenset({"host", "content-length", "connection", "proxy-authorization"})
"""Headers that whoever sends the request writes itself."""


async def probe_head(call: ProbeCall, *, resolve: SecretResolver, egress: Egress, tokens: TokenSource) -> ProbeHead:
    """The address and the headers of ``call``, made by what makes them for traffic.

    Raises:
        ProbeFailedError: the deployment cannot be called at all; the message says why.
    """
    held = await _bearer(call, resolve, tokens)
    table = RoutingTable(
        revision=0, routes={}, deployments={call.deployment.name: call.deployment}, accounts={call.account.name: call.account}
    )
    target = prepare(table, resolve, egress, lambda _: held).targets[call.deployment.name]
    if target.fault is not None:
        raise ProbeFailedError("unusable", target.fault[1])
    lines = target.prefix(_POST, call.ask.operation + call.ask.query, call.ask).decode("latin-1").split("\r\n")
    path = lines[0].split(" ")[1].removeprefix(target.origin)
    headers = [_split(line) for line in lines[1:] if line]
    if target.unless_said is not None:
        headers.append(_split(target.unless_said[1].decode("latin-1").strip()))
    return ProbeHead(
        url=f"{'https' if target.tls else 'http'}://{_authority(target)}{path}",
        headers=(*((name, value) for name, value in headers if name not in _FRAMING), ("content-type", "application/json")),
        proxy=None if target.proxy is None else _proxy_url(target.proxy),
        proxy_headers=_proxy_headers(target.proxy),
    )


async def _bearer(call: ProbeCall, resolve: SecretResolver, tokens: TokenSource) -> Bearer:
    identity = identity_of(call.account.auth, resolve)
    if identity is None:
        return AWAITED
    try:
        return Bearer((await tokens.token(identity)).value)
    except TokenError as error:
        return Bearer(None, error.brief)


def _authority(target: Target) -> str:
    return f"{_bracketed(target.host)}:{target.port}"


def _proxy_url(proxy: Proxy) -> str:
    return f"{'https' if proxy.tls else 'http'}://{_bracketed(proxy.host)}:{proxy.port}"


def _proxy_headers(proxy: Proxy | None) -> tuple[tuple[str, str], ...]:
    return () if proxy is None or not proxy.authorization else (_split(proxy.authorization.strip()),)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _split(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()
