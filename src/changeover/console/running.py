"""Commands that run until they are stopped: serve, and the gateway that serve starts."""

import sys
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
def serve(config: Path, state: Path | None, host: str, port: int, control_port: int, lifeline: bool, seed: int | None) -> None:  # noqa: PLR0913 - one an option
    """Run gateway and control plane on this machine until Ctrl-C.

    The first start takes over what the file declares. After that the store decides, and differences are printed.
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
def gateway(plane_dir: Path, socket: Path, host: str, port: int, lifeline: bool) -> None:
    """Run one data plane. One JSON line on standard output says where it can be called."""
    from changeover.adapters.plane_disk import PlaneDiskError
    from changeover.bootstrap.data_plane import run_gateway
    from changeover.gateway.server import PortTakenError

    options = GatewayOptions(plane_dir=plane_dir, socket=socket, host=host, port=port, lifeline=lifeline)
    try:
        run_gateway(options, ready=_print_ready)
    except (PlaneDiskError, PortTakenError) as error:
        raise Failure(str(error)) from error


def _print_ready(ready: msgspec.Struct) -> None:
    sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
    sys.stdout.flush()
