"""Commands that run until they are stopped: serve, and the gateway that serve starts."""

import sys
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from changeover.console.failure import Failure
from changeover.console.output import note
from changeover.console.server_link import STATE_VARIABLE, state_directory
from changeover.console.setup import CONFIG_OPTION, faulty
from changeover.console.taught import Taught
from changeover.ports.serving import GatewayOptions, ServeOptions, ServerRecord
from changeover.settings.declared import SettingsError

PORT = click.IntRange(0, 65_535)
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


@click.command(cls=Taught, examples=("changeover serve", "changeover serve -c prod/changeover.yaml --port 0 --control-port 0"))
@CONFIG_OPTION
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), help=f"State directory; else {STATE_VARIABLE}, else beside the file."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=PORT, default=8400, show_default=True, help="Port of the gateway; 0 takes any free one.")
@click.option("--control-port", type=PORT, default=8401, show_default=True, help="Port of the control plane; 0 takes any free one.")
@click.option("--lifeline", is_flag=True, hidden=True, help="Stop when standard input ends.")
@click.option("--seed", type=int, hidden=True, help="Repeatable salts, for demonstrations and rehearsals only.")
@door_options
def serve(  # noqa: PLR0913 - one an option
    *,
    config: Path,
    state: Path | None,
    host: str,
    port: int,
    control_port: int,
    lifeline: bool,
    seed: int | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    behind_proxy: bool,
) -> None:
    """Run gateway and control plane on this machine until Ctrl-C.

    The first start takes over what the file declares. After that the store decides, and differences are printed.
    Others than this machine may come only with TLS, or behind something that terminates it, and with a key
    (changeover key create). The control plane stays on the loopback.
    """
    from changeover.bootstrap.server import ServeError
    from changeover.bootstrap.server import serve as run

    options = ServeOptions(
        config=config,
        state=state or state_directory(config),
        host=host,
        port=port,
        control_port=control_port,
        lifeline=lifeline,
        seed=seed,
        tls_cert=tls_cert,
        tls_key=tls_key,
        behind_proxy=behind_proxy,
    )
    try:
        run(options, ready=lambda record: _say_ready(record, options.state))
    except ServeError as error:
        raise Failure(str(error)) from error
    except SettingsError as error:
        raise faulty(config, error) from error


def _say_ready(record: ServerRecord, state: Path) -> None:
    note(f"gateway: {record.gateway}/v1 is the base_url of your SDK; model= names the task")
    note(f"control: {record.control}, its token is in {state / 'token'}; changeover status needs none on this machine")
    note("Ctrl-C stops both")


@click.command(cls=Taught, examples=("changeover gateway --plane-dir DIR --socket DIR/control.sock --host 127.0.0.1 --port 0",))
@click.option(
    "--plane-dir", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where it keeps its identity and last table."
)
@click.option("--socket", type=click.Path(path_type=Path), required=True, help="The control plane's Unix socket.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=PORT, default=0, show_default=True, help="0 takes any free port.")
@click.option("--lifeline", is_flag=True, help="Stop when standard input ends.")
@door_options
def gateway(  # noqa: PLR0913 - one an option
    *,
    plane_dir: Path,
    socket: Path,
    host: str,
    port: int,
    lifeline: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    behind_proxy: bool,
) -> None:
    """Run one data plane. One JSON line on standard output says where it can be called."""
    from changeover.adapters.plane_disk import PlaneDiskError
    from changeover.bootstrap.data_plane import run_gateway
    from changeover.bootstrap.front_door import FrontDoorError
    from changeover.gateway.egress import EgressError
    from changeover.gateway.server import PortTakenError

    options = GatewayOptions(
        plane_dir=plane_dir,
        socket=socket,
        host=host,
        port=port,
        lifeline=lifeline,
        tls_cert=tls_cert,
        tls_key=tls_key,
        behind_proxy=behind_proxy,
    )
    try:
        run_gateway(options, ready=_print_ready)
    except (EgressError, FrontDoorError, PlaneDiskError, PortTakenError) as error:
        raise Failure(str(error)) from error


def _print_ready(ready: msgspec.Struct) -> None:
    sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
    sys.stdout.flush()
