"""Where is the control plane that a gateway joins, and by which token? Over a network only where nobody can read along."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from changeover.bootstrap.front_door import FrontDoor

_SCHEMES: Final = ("http", "https")


class ControlAddressError(Exception):
    """The control plane cannot be reached so; the message says what was found, what was expected, what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlAddress:
    """Either a ``socket``, or a ``url`` with its ``token``: never show that."""

    socket: Path | None = None
    url: str | None = None
    token: str | None = field(default=None, repr=False)


def control_addresses(text: str, *, token_env: str, environment: Mapping[str, str]) -> tuple[ControlAddress, ...]:
    """What ``--control`` says: one or more of them, with commas between, of control planes that share their store.

    Raises:
        ControlAddressError: one cannot be used, or there is none.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise ControlAddressError("found --control without any address; expected https://HOST:PORT, or the path of a socket")
    return tuple(control_address(part, token_env=token_env, environment=environment) for part in parts)


def control_address(text: str, *, token_env: str, environment: Mapping[str, str]) -> ControlAddress:
    """What ``--control`` says: a URL, or else the path of a Unix socket, whose file mode is its guard.

    Raises:
        ControlAddressError: no URL of ours, a token in the clear, or none at all.
    """
    if "://" not in text:
        return ControlAddress(socket=Path(text).absolute())
    _expect_usable(text)
    token = environment.get(token_env, "").strip()
    if not token:
        raise ControlAddressError(
            f"found nothing in {token_env}; expected the token by which gateways join {text}. It is in the file plane-token of the "
            f"control plane's state directory: export {token_env}=..., or name another variable with --token-env"
        )
    return ControlAddress(url=text.rstrip("/"), token=token)


def _expect_usable(text: str) -> None:
    try:
        parts = urlsplit(text)
        scheme, host = parts.scheme, "" if parts.port == 0 else parts.hostname or ""
    except ValueError:
        scheme, host = "", ""
    if scheme not in _SCHEMES or not host:
        raise ControlAddressError(f"found --control {text}; expected https://HOST:PORT, http://127.0.0.1:PORT or the path of a socket")
    if scheme == "http" and not FrontDoor(host=host).is_local:
        raise ControlAddressError(
            f"found --control {text}, which would send the token and the evidence in the clear; expected https://, or a tunnel that ends "
            "on this machine: changeover control --tls-cert FILE --tls-key FILE serves https"
        )
