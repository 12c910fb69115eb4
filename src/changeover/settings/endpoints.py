"""Is this a usable address of a provider? Credentials in an address are a fault, and are never printed."""

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

ENDPOINT_EXPECTED: Final = (
    "an address such as https://NAME.openai.azure.com: https, host, optional port and path, no slash at the end, no query, no credentials"
)

_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~%-]+)*")


def endpoint_fault(text: str) -> str | None:
    """What is wrong with the address, in words that show no secret; ``None`` when nothing is."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "an address that cannot be read"
    if port == 0:
        return "port 0"
    if not text.isascii() or not text.isprintable() or " " in text:
        return "an address with signs that an address cannot have"
    return _scheme_fault(parts) or _rest_fault(parts)


def _scheme_fault(parts: SplitResult) -> str | None:
    if parts.scheme not in ("https", "http"):
        return f"an address that begins with {parts.scheme}:" if parts.scheme else "an address without https://"
    host = parts.hostname or ""
    if not _HOST.fullmatch(host) and not _is_address(host):
        return "an address without a proper host"
    if parts.scheme == "http" and not _is_loopback(host):
        return f"http to {host}, which would send the key in clear (http is for this machine only)"
    return None


def _rest_fault(parts: SplitResult) -> str | None:
    if parts.username is not None or parts.password is not None:
        return "an address with credentials in it (not shown)"
    if parts.query or parts.fragment:
        return "an address with a query or fragment (not shown)"
    if parts.path.endswith("/"):
        return "an address with a slash at the end"
    return None if _PATH.fullmatch(parts.path) else "an address with an odd path"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
