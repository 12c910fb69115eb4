"""What the command line asks of a server or a data plane that is to run here, and where a running one is found."""

from pathlib import Path
from typing import Final

import msgspec

CONFIG_NAME: Final = "changeover.yaml"
STATE_NAME: Final = ".changeover"
SERVER_FILE_NAME: Final = "server.json"
CONTROL_HOST: Final = "127.0.0.1"
PLANE_TOKEN_VARIABLE: Final = "CHANGEOVER_PLANE_TOKEN"
"""Where a gateway finds the token that lets it join, unless another variable is named."""


DATABASE_VARIABLE: Final = "CHANGEOVER_DATABASE"
"""Where a control plane finds the URL of its database, unless it is told another one."""


class ControlDoor(msgspec.Struct, frozen=True, kw_only=True):
    """Where the control plane listens, beside its socket. Off the loopback it needs a certificate, or a proxy that has one."""

    host: str = CONTROL_HOST
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False


class ServeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``changeover serve``. Port 0 takes any free port. ``state`` is a directory; it is made if it is not there.

    With ``lifeline`` it stops when its standard input ends. ``seed`` makes the salts of its rollouts repeatable, for
    demonstrations and rehearsals: a server started twice with one seed draws alike twice, which real traffic must not.
    ``tls_cert`` and ``tls_key`` are the gateway's own certificate in PEM; ``behind_proxy`` says that something in front of it
    terminates TLS. With either, as on any address but a loopback one, callers need a key.

    ``workers`` gateways share ``port``; with none, this is a control plane alone, and gateways join it from elsewhere:
    ``control`` says where it listens. With ``read_only`` its TCP port changes nothing; its socket does.
    ``database`` is the URL of a PostgreSQL database that several control planes share, in place of the file in ``state``; it may
    hold a password: show it nowhere.
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
    workers: int = 1
    control: ControlDoor = ControlDoor()
    read_only: bool = False
    database: str | None = None


class GatewayOptions(msgspec.Struct, frozen=True, kw_only=True):
    """One gateway process.

    ``plane_dir`` keeps its identity and its last good table. ``control`` is the control plane's URL, or the path of its
    socket, or several of these with commas between, of one store; ``token_env`` names the environment variable that holds
    the token for a URL. With ``lifeline`` it stops when its standard input ends, which is when the process that started it
    has gone. With ``shared_port`` others of this user may listen on the port too, and its metrics are told together with
    those of the planes beside it. TLS and proxy as for ``ServeOptions``.
    """

    plane_dir: Path
    control: str
    host: str
    port: int
    lifeline: bool
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    token_env: str = PLANE_TOKEN_VARIABLE
    shared_port: bool = False


class ServerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``server.json`` in the state directory: where the server of this directory can be reached.

    ``gateway`` and ``control`` are URLs, ``socket`` the path of the control plane's Unix socket; ``gateway`` is ``None``
    where a control plane runs alone. ``version`` is changeover's. ``command`` starts it again as it was, on the same ports;
    it holds no secret.
    """

    pid: int
    gateway: str | None
    control: str
    socket: str
    started_at: float
    version: str = ""
    command: str = ""
