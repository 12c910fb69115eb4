"""What the command line asks of a server or a data plane that is to run here, and where a running one is found."""

from pathlib import Path
from typing import Final

import msgspec

CONFIG_NAME: Final = "changeover.yaml"
STATE_NAME: Final = ".changeover"
SERVER_FILE_NAME: Final = "server.json"


class ServeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``changeover serve``. Port 0 takes any free port. ``state`` is a directory; it is made if it is not there.

    With ``lifeline`` it stops when its standard input ends. ``seed`` makes the salts of its rollouts repeatable, for
    demonstrations and rehearsals: a server started twice with one seed draws alike twice, which real traffic must not.
    ``tls_cert`` and ``tls_key`` are the gateway's own certificate in PEM; ``behind_proxy`` says that something in front of it
    terminates TLS. With either, as on any address but a loopback one, callers need a key.
    """

    config: Path
    state: Path
    host: str
    port: int
    control_port: int
    lifeline: bool = False
    seed: int | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False


class GatewayOptions(msgspec.Struct, frozen=True, kw_only=True):
    """One gateway process.

    ``plane_dir`` keeps its identity and its last good table, ``socket`` is the control plane's. With ``lifeline`` it
    stops when its standard input ends, which is when the process that started it has gone. TLS and proxy as for
    ``ServeOptions``.
    """

    plane_dir: Path
    socket: Path
    host: str
    port: int
    lifeline: bool
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False


class ServerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``server.json`` in the state directory: where the server of this directory can be reached.

    ``gateway`` and ``control`` are URLs, ``socket`` the path of the control plane's Unix socket.
    """

    pid: int
    gateway: str
    control: str
    socket: str
    started_at: float
