"""Which way does a connection to a provider take: straight, or through a proxy? And whose certificates are trusted?"""

import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import unquote, urlsplit

CA_BUNDLE_VARIABLE: Final = "CHANGEOVER_CA_BUNDLE"
"""The environment variable that names a PEM file of the CAs to trust, for providers behind a private one."""

_PORTS: Final = {"http": 80, "https": 443}


class EgressError(Exception):
    """The environment says something that cannot be followed; the message says what, and what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A forward proxy. ``authorization`` is a whole header line, or empty: never show it."""

    host: str
    port: int
    tls: bool = False
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """``no_proxy``: hosts, domains, addresses and networks that are reached straight. ``ca_file``: trusted instead of the
    system's store.
    """

    http_proxy: Proxy | None = None
    https_proxy: Proxy | None = None
    no_proxy: tuple[str, ...] = ()
    ca_file: str | None = None

    def proxy_for(self, host: str, port: int, *, tls: bool) -> Proxy | None:
        """The proxy on the way to ``host``, ``None`` for the straight way."""
        proxy = self.https_proxy if tls else self.http_proxy
        if proxy is None or any(_matches(entry, host.lower(), port) for entry in self.no_proxy):
            return None
        return proxy

    def tls_context(self) -> ssl.SSLContext:
        """How providers' certificates are verified.

        Raises:
            EgressError: the CA file cannot be read.
        """
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise EgressError(f"cannot read certificates from {self.ca_file}: {error}; expected a PEM file of trusted CAs") from error


def egress_from(environment: Mapping[str, str], *, ca_file: str | None = None) -> Egress:
    """As ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``NO_PROXY`` say (the lower-case names win, as with curl).

    Raises:
        EgressError: a proxy is no URL.
    """
    no_proxy = environment.get("no_proxy", environment.get("NO_PROXY", ""))
    return Egress(
        http_proxy=_proxy(environment, "http_proxy"),
        https_proxy=_proxy(environment, "https_proxy"),
        no_proxy=tuple(entry.strip().lower() for entry in no_proxy.split(",") if entry.strip()),
        ca_file=ca_file,
    )


def _proxy(environment: Mapping[str, str], name: str) -> Proxy | None:
    text = environment.get(name, environment.get(name.upper(), "")).strip()
    if not text:
        return None
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        usual = _PORTS[url.scheme]
        port = url.port or usual
    except (ValueError, KeyError):
        url, port = None, 0
    if url is None or not url.hostname:
        raise EgressError(f"{name.upper()} is not the URL of a proxy; expected http://HOST:PORT or https://HOST:PORT")
    return Proxy(host=url.hostname, port=port, tls=url.scheme == "https", authorization=_authorization(url.username, url.password))


def _authorization(user: str | None, password: str | None) -> str:
    if not user:
        return ""
    token = b64encode(f"{unquote(user)}:{unquote(password or '')}".encode()).decode("ascii")
    return f"proxy-authorization: Basic {token}\r\n"


def _matches(entry: str, host: str, port: int) -> bool:
    """Whether an entry of ``NO_PROXY`` covers ``host``: ``*``, a name and all below it, an address, a network; with a port
    or without.
    """
    if entry == "*":
        return True
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isdigit() and (name.count(":") == 0 or name.endswith("]")):
        if int(wanted) != port:
            return False
        entry = name
    entry = entry.removeprefix("[").removesuffix("]")
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        domain = entry.removeprefix("*").removeprefix(".")
        return bool(domain) and (host == domain or host.endswith("." + domain))
