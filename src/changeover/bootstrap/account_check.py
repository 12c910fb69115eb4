"""Can the accounts of the file be called? Their secrets, the way to them, and whether somebody answers there."""

import asyncio
import contextlib
import importlib.util
import os
import ssl
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from changeover.adapters.credentials import resolve_secret
from changeover.gateway.egress import CA_BUNDLE_VARIABLE, Egress, EgressError, egress_from
from changeover.gateway.tunnel import TunnelRefusedError, open_tunnel
from changeover.ports.clock import Clock
from changeover.ports.examination import Finding, fail, ok, warn
from changeover.versions import Account

CONNECT_S: Final = 5.0
ANSWER_S: Final = 3.0
CLOCK_OFF_S: Final = 60.0
_HEAD_BYTES_MAX: Final = 16_384
_PORTS: Final = {"http": 80, "https": 443}


def check_secret(account: Account) -> Finding:
    """Whether there is one. Whether it is the right one only the provider knows."""
    about, auth = f"secret of {account.name}", account.auth
    if auth.source == "none":
        return ok(about, "none is needed")
    if auth.source == "entra":
        if importlib.util.find_spec("azure") is not None and importlib.util.find_spec("azure.identity") is not None:
            return ok(about, "tokens of Entra ID, by azure-identity")
        return fail(about, "Entra ID without azure-identity", "install it: pip install 'changeover[azure]'")
    if resolve_secret(auth):
        return ok(about, f"{auth.source} {auth.name} is set")
    remedy = f"export {auth.name}=..." if auth.source == "env" else f"write the key into {auth.name}, readable for this user"
    return fail(about, f"{auth.source} {auth.name} holds nothing", f"{remedy}, where the server and its gateways are started")


def check_egress(environment: Mapping[str, str]) -> tuple[Finding, Egress | None]:
    """By which way providers are reached."""
    try:
        egress = egress_from(environment, ca_file=environment.get(CA_BUNDLE_VARIABLE))
        egress.tls_context()
    except EgressError as error:
        return fail("way out", str(error), "correct the environment variable"), None
    proxies = (("HTTP_PROXY", egress.http_proxy), ("HTTPS_PROXY", egress.https_proxy))
    said = [f"{name} {proxy.host}:{proxy.port}" for name, proxy in proxies if proxy is not None]
    said += [] if egress.ca_file is None else [f"certificates of {egress.ca_file}"]
    return ok("way out", ", ".join(said) or "straight, no proxy"), egress


async def check_endpoints(accounts: Sequence[Account], egress: Egress, clock: Clock) -> list[Finding]:
    """All at once: one that hangs costs ``CONNECT_S``, not that for each."""
    return list(await asyncio.gather(*(_check_endpoint(account, egress, clock) for account in accounts)))


async def _check_endpoint(account: Account, egress: Egress, clock: Clock) -> Finding:
    about, parts = f"endpoint of {account.name}", urlsplit(account.endpoint)
    tls, host = parts.scheme == "https", parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    try:
        async with asyncio.timeout(CONNECT_S):
            return await _reach(about, host, port, egress if tls else Egress(), tls=tls, clock=clock)
    except TimeoutError:
        why = f"no connection to {host}:{port} within {CONNECT_S:g} s"
    except ssl.SSLError as error:
        return fail(about, f"no trusted connection to {host}:{port} ({error.reason})", f"name the CA to trust: {CA_BUNDLE_VARIABLE}=FILE")
    except TunnelRefusedError as error:
        why = str(error)
    except OSError as error:
        why = f"no connection to {host}:{port} ({os.strerror(error.errno) if error.errno else error})"
    return fail(about, why, "check the endpoint's name, the network and the proxy; --offline leaves this out")


async def _reach(about: str, host: str, port: int, egress: Egress, *, tls: bool, clock: Clock) -> Finding:
    proxy = egress.proxy_for(host, port, tls=tls)
    if proxy is not None and tls:
        closing = _Closing()
        await open_tunnel(proxy, (host, port), tls=egress.tls_context(), inner=closing)
        return ok(about, f"{host}:{port} answers by TLS through the proxy")
    reader, writer = await asyncio.open_connection(host, port, ssl=egress.tls_context() if tls else None)
    try:
        off_s = await _clock_off(reader, writer, host, clock)
    finally:
        writer.close()
    found = f"{host}:{port} answers" + (" by TLS" if tls else "")
    if off_s is not None and abs(off_s) > CLOCK_OFF_S:
        return warn(about, f"{found}, and its clock differs by {abs(off_s):.0f} s", "set this machine's clock (NTP)")
    return ok(about, found)


async def _clock_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, clock: Clock) -> float | None:
    """How far this machine's clock is before the date of an answer; ``None`` without one. The request carries no secret."""
    with contextlib.suppress(TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, TypeError):
        async with asyncio.timeout(ANSWER_S):
            writer.write(f"HEAD / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n"))[:_HEAD_BYTES_MAX].decode("latin-1")
        lines = [line.partition(":") for line in head.split("\r\n")]
        date = next((value.strip() for name, _, value in lines if name.lower() == "date"), None)
        return None if date is None else clock.now() - parsedate_to_datetime(date).timestamp()
    return None


class _Closing(asyncio.Protocol):
    """Has seen enough as soon as it is connected."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
