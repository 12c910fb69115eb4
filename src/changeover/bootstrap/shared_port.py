"""How do several gateways share a port, and nobody else with them? The server holds it, bound and silent, as long as it runs."""

import contextlib
import socket
from typing import Final

PROBE_S: Final = 0.5
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared with, not bound to


class SharedPortError(Exception):
    """The port is not to be had; the message says why and what to do."""


class SharedPort:
    """A port that this user's processes may listen on with ``SO_REUSEPORT``. The kernel deals connections to those that
    listen; this socket never does, so it gets none, and the port stays ours while every one of them is being restarted.
    """

    def __init__(self, host: str, port: int) -> None:
        """Take the port; 0 takes any free one.

        Raises:
            SharedPortError: something answers there, it is bound by others, or the system cannot share ports.
        """
        if not hasattr(socket, "SO_REUSEPORT"):
            raise SharedPortError("this system cannot share a port between processes; expected --workers 1")
        if port:
            _refuse_answering(host, port)
        self._socket = _bound(host, port)
        self.port = int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Let others have it."""
        self._socket.close()


def _bound(host: str, port: int) -> socket.socket:
    """Without ``SO_REUSEPORT`` first: whoever listens there already makes that fail, even if it is willing to share."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as alone:
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.bind(address)
            taken = alone.getsockname()
        held = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _not_to_be_had(host, port, error) from error
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(taken)
    except OSError as error:
        held.close()
        raise _not_to_be_had(host, port, error) from error
    return held


def _refuse_answering(host: str, port: int) -> None:
    with contextlib.suppress(OSError), socket.create_connection((_ANYWHERE.get(host, host), port), PROBE_S):
        raise SharedPortError(f"cannot listen on {host}:{port}: something answers there already; stop it or choose another port")


def _not_to_be_had(host: str, port: int, error: OSError) -> SharedPortError:
    return SharedPortError(f"cannot listen on {host}:{port}: {error.strerror or error}; stop what listens there or choose another port")
