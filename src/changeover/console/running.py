"""Commands that run until they are stopped: serve, and its parts, the control plane and the gateways."""

import sys
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from changeover.console.database_option import DATABASE_OPTION
from changeover.console.failure import Failure
from changeover.console.listen_option import LISTEN, PORT_MAX, Listen
from changeover.console.output import note
from changeover.console.server_link import STATE_VARIABLE, state_directory
from changeover.console.setup import CONFIG_OPTION, faulty
from changeover.console.taught import Taught
from changeover.ports.serving import CONTROL_HOST, PLANE_TOKEN_VARIABLE, ControlDoor, GatewayOptions, ServeOptions, ServerRecord
from changeover.settings.declared import SettingsError

WORKERS_MAX = 64
PORT = click.IntRange(0, PORT_MAX)
STATE_OPTION = click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), help=f"State directory; else {STATE_VARIABLE}, else beside the file."
)
READ_ONLY = click.option("--read-only", is_flag=True, help="The control port changes nothing, for nobody; the CLI here still does.")
_FILE = click.Path(path_type=Path, dir_okay=False)


def door_options(command: Callable[..., None]) -> Callable[..., None]:
    """How others than this machine may come in."""
    for option in (
        click.option("--behind-proxy", is_flag=True, help="Something in front terminates TLS; callers need a key all the same."),
        click.option("--tls-key", type=_FILE, metavar="FILE", help="Its private key, in PEM, without a passphrase."),
        click.option("--tls-cert", type=_FILE, metavar="FILE", help="The gateway's certificate chain, in PEM."),
    ):
        command = option(command)
    return command


@click.command(
    cls=Taught,
    examples=("changeover serve", "changeover serve --workers 4", "changeover serve -c prod/changeover.yaml --port 0 --control-port 0"),
)
@CONFIG_OPTION
@STATE_OPTION
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=PORT, default=8400, show_default=True, help="Port of the gateway; 0 takes any free one.")
@click.option(
    "--workers", type=click.IntRange(1, WORKERS_MAX), default=1, show_default=True, help="Gateway processes behind the port, one per core."
)
@click.option("--control-port", type=PORT, default=8401, show_default=True, help="Port of the control plane; 0 takes any free one.")
@READ_ONLY
@click.option("--lifeline", is_flag=True, hidden=True, help="Stop when standard input ends.")
@DATABASE_OPTION
@click.option("--seed", type=int, hidden=True, help="Repeatable salts, for demonstrations and rehearsals only.")
@door_options
def serve(  # noqa: PLR0913 - one an option
    *,
    config: Path,
    state: Path | None,
    host: str,
    port: int,
    workers: int,
    control_port: int,
    read_only: bool,
    lifeline: bool,
    database: str | None,
    seed: int | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    behind_proxy: bool,
) -> None:
    """Run gateway and control plane on this machine until Ctrl-C.

    The first start takes over what the file declares. After that the store decides, and differences are printed.
    Others than this machine may come only with TLS, or behind something that terminates it, and with a key
    (changeover key create). The control plane stays on the loopback. Gateways of other machines join a control plane that
    runs alone: changeover control.
    """
    options = ServeOptions(
        config=config,
        state=state or state_directory(config),
        host=host,
        port=port,
        workers=workers,
        control_port=control_port,
        read_only=read_only,
        lifeline=lifeline,
        database=database,
        seed=seed,
        tls_cert=tls_cert,
        tls_key=tls_key,
        behind_proxy=behind_proxy,
    )
    _run_server(options, say_ready=_say_ready)


@click.command(
    cls=Taught,
    examples=(
        "changeover control",
        "changeover control --listen 0.0.0.0:8401 --tls-cert control.pem --tls-key control-key.pem",
    ),
)
@CONFIG_OPTION
@STATE_OPTION
@click.option("--listen", type=LISTEN, default="127.0.0.1:8401", show_default=True, help="Address of the control plane; port 0 takes any.")
@DATABASE_OPTION
@READ_ONLY
@click.option("--lifeline", is_flag=True, hidden=True, help="Stop when standard input ends.")
@door_options
def control(  # noqa: PLR0913 - one an option
    *,
    config: Path,
    state: Path | None,
    listen: Listen,
    database: str | None,
    read_only: bool,
    lifeline: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    behind_proxy: bool,
) -> None:
    """Run the control plane alone, for gateways that run elsewhere.

    It prints how a gateway joins. Traffic flows while it is away: gateways serve from their last table. One control plane
    writes a state directory; a second one is refused. With --database several share a PostgreSQL database, each with a state
    directory of its own: all answer and take commands, one at a time moves rollouts, and another takes over when it is gone.
    Off the loopback it needs a certificate, or something in front that has one; there every call needs a token, and that of the
    gateways opens nothing but their own calls.
    """
    _run_server(
        ServeOptions(
            config=config,
            state=state or state_directory(config),
            host=CONTROL_HOST,
            port=0,
            control_port=listen.port,
            read_only=read_only,
            lifeline=lifeline,
            workers=0,
            database=database,
            control=ControlDoor(host=listen.host, tls_cert=tls_cert, tls_key=tls_key, behind_proxy=behind_proxy),
        ),
        say_ready=_say_joining,
    )


def _run_server(options: ServeOptions, *, say_ready: Callable[[ServerRecord, Path], None]) -> None:
    from changeover.bootstrap.server import ServeError
    from changeover.bootstrap.server import serve as run

    try:
        run(options, ready=lambda record: say_ready(record, options.state))
    except ServeError as error:
        raise Failure(str(error)) from error
    except SettingsError as error:
        raise faulty(options.config, error) from error


def _say_ready(record: ServerRecord, state: Path) -> None:
    note(f"gateway: {record.gateway}/v1 is the base_url of your SDK; model= names the task")
    note(f"control: {record.control}, its token is in {state / 'token'}; changeover status needs none on this machine")
    note("Ctrl-C stops both")


def _say_joining(record: ServerRecord, state: Path) -> None:
    note(f"control: {record.control}, its token is in {state / 'token'}; changeover status needs none on this machine")
    note(f"a gateway of this machine joins with:  changeover gateway --control {record.socket} --state DIR")
    note(f"one of another machine, whose token is in {state / 'plane-token'}, with:")
    note(f"  {PLANE_TOKEN_VARIABLE}=... changeover gateway --control {record.control} --state DIR")
    note("Ctrl-C stops it; gateways serve on")


@click.command(
    cls=Taught,
    examples=(
        "changeover gateway --control .changeover/control.sock",
        "changeover gateway --control https://control.internal:8401 --token-env CHANGEOVER_PLANE_TOKEN --listen 127.0.0.1:8400",
    ),
)
@click.option(
    "--control",
    required=True,
    metavar="URL|SOCKET",
    help="The control plane: its URL, or its Unix socket on this machine; several of one store with commas between.",
)
@click.option(
    "--token-env", default=PLANE_TOKEN_VARIABLE, show_default=True, metavar="NAME", help="Environment variable with the token for a URL."
)
@click.option(
    "--listen", type=LISTEN, default="127.0.0.1:8400", show_default=True, help="Address of the gateway; port 0 takes any free one."
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=".changeover-gateway",
    show_default=True,
    help="Where it keeps its identity, its last table and what it could not report; one directory a gateway.",
)
@click.option("--share-port", is_flag=True, help="Other gateways of this user may listen on the same port.")
@click.option("--lifeline", is_flag=True, hidden=True, help="Stop when standard input ends.")
@door_options
def gateway(  # noqa: PLR0913 - one an option
    *,
    control: str,
    token_env: str,
    listen: Listen,
    state: Path,
    share_port: bool,
    lifeline: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    behind_proxy: bool,
) -> None:
    """Run one data plane that joins a control plane of this machine or of another.

    It needs no settings file: the routing table comes from the control plane, and is kept for starts without one. The
    secrets of the accounts are read here, from the environment or the files that the settings name. When it can be
    called, one JSON line on standard output says where.
    """
    options = GatewayOptions(
        plane_dir=state,
        control=control,
        token_env=token_env,
        host=listen.host,
        port=listen.port,
        shared_port=share_port,
        lifeline=lifeline,
        tls_cert=tls_cert,
        tls_key=tls_key,
        behind_proxy=behind_proxy,
    )
    _run_gateway(options)


def _run_gateway(options: GatewayOptions) -> None:
    from changeover.adapters.plane_disk import PlaneDiskError
    from changeover.bootstrap.control_address import ControlAddressError
    from changeover.bootstrap.data_plane import run_gateway
    from changeover.bootstrap.front_door import FrontDoorError
    from changeover.gateway.egress import EgressError
    from changeover.gateway.server import PortTakenError

    try:
        run_gateway(options, ready=_print_ready)
    except (ControlAddressError, EgressError, FrontDoorError, PlaneDiskError, PortTakenError) as error:
        raise Failure(str(error)) from error


def _print_ready(ready: msgspec.Struct) -> None:
    sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
    sys.stdout.flush()
