"""`changeover gateway`: one data plane, put together. It never opens the database and needs no settings file."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence

from changeover.adapters.credentials import EntraTokens, resolve_secret
from changeover.adapters.log import configure_log
from changeover.adapters.plane_disk import PlaneDisk, open_plane_disk
from changeover.adapters.plane_link import HttpPlaneLink, SeveralPlaneLinks, plane_link_at
from changeover.adapters.system import SystemClock, SystemDice
from changeover.bootstrap.child import Ready
from changeover.bootstrap.control_address import ControlAddress, control_addresses
from changeover.bootstrap.front_door import FrontDoor
from changeover.bootstrap.lifeline import follow_lifeline
from changeover.bootstrap.loops import run_program
from changeover.bootstrap.open_files import raise_open_files
from changeover.gateway.egress import CA_BUNDLE_VARIABLE, Egress, egress_from
from changeover.gateway.process import GatewayParts
from changeover.gateway.process import run_gateway as run_parts
from changeover.ports.serving import GatewayOptions


def run_gateway(options: GatewayOptions, *, ready: Callable[[Ready], None]) -> None:
    """Run one gateway until it is told to stop: SIGTERM, SIGINT, or the end of standard input with ``lifeline``.

    Raises:
        ControlAddressError, EgressError, FrontDoorError, PlaneDiskError, PortTakenError: what it needs is not to be had; the
            message says what to do.
    """
    configure_log("gateway")
    raise_open_files()
    door = FrontDoor(host=options.host, tls_cert=options.tls_cert, tls_key=options.tls_key, behind_proxy=options.behind_proxy)
    door.tls_context()  # before anything is opened: what is wrong with it is said at once
    controls = control_addresses(options.control, token_env=options.token_env, environment=os.environ)
    with open_plane_disk(options.plane_dir, SystemDice()) as disk:
        run_program(_run(options, door, controls, disk, ready=ready))


def _link(control: ControlAddress, egress: Egress) -> HttpPlaneLink:
    """Certificates of the control plane are trusted as the providers' are."""
    tls = egress.tls_context() if control.url is not None and control.url.startswith("https:") else None
    return plane_link_at(socket=control.socket, url=control.url, token=control.token, tls=tls)


async def _run(
    options: GatewayOptions, door: FrontDoor, controls: Sequence[ControlAddress], disk: PlaneDisk, *, ready: Callable[[Ready], None]
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if options.lifeline:
        follow_lifeline(stop)
    dice, tls = SystemDice(), door.tls_context()
    egress = egress_from(os.environ, ca_file=os.environ.get(CA_BUNDLE_VARIABLE))
    async with SeveralPlaneLinks([_link(control, egress) for control in controls]) as link:
        parts = GatewayParts(
            plane=disk.plane,
            boot=dice.token(),
            link=link,
            cache=disk.table_cache,
            spool=disk.spool,
            ledger=disk.ledger,
            clock=SystemClock(),
            dice=dice,
            secret=resolve_secret,
            tls=tls,
            keys_required=door.wants_keys,
            egress=egress,
            tokens=EntraTokens(ca_file=os.environ.get(CA_BUNDLE_VARIABLE)),
            shared_port=options.shared_port,
            shelf=disk.metrics_shelf if options.shared_port else None,
        )

        def on_ready(port: int) -> None:
            ready(Ready(host=options.host, port=port, tls=tls is not None))

        await run_parts(parts, host=options.host, port=options.port, stop=stop, on_ready=on_ready)
