"""`changeover serve`: the control plane in this process, gateways in children, one state directory. Without children it is
`changeover control`.
"""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Final

import structlog
from starlette.applications import Starlette

from changeover import __version__
from changeover.adapters.log import configure_log
from changeover.adapters.memory import SeededDice
from changeover.adapters.prices import BundledPrices
from changeover.adapters.system import SystemClock, SystemDice, SystemMint
from changeover.api.app import build_app
from changeover.api.serve import ControlServer, ListenError, listen_tcp, listen_unix
from changeover.api.unread_scores import UnreadScores
from changeover.bootstrap.alerting import alert_outbox
from changeover.bootstrap.child import GatewayFailedError
from changeover.bootstrap.front_door import FrontDoor, FrontDoorError
from changeover.bootstrap.lifeline import follow_lifeline
from changeover.bootstrap.loops import run_program
from changeover.bootstrap.plane_tokens import plane_token_of
from changeover.bootstrap.probing import preflight_of
from changeover.bootstrap.prompts import prompts_beside
from changeover.bootstrap.start_command import start_command
from changeover.bootstrap.state_dir import StateDir, StateDirError
from changeover.bootstrap.store_access import Opened, open_for_serving
from changeover.bootstrap.workers import Workers
from changeover.controller.assessor import StoreAssessor
from changeover.controller.leadership import LeaderOffice, Leadership
from changeover.controller.loop import Controller
from changeover.controller.office import StoreOffice
from changeover.gateway.egress import EgressError
from changeover.ports.serving import GatewayOptions, ServeOptions, ServerRecord
from changeover.ports.store import Store, StoreError
from changeover.rollout.commands import NothingToDo, Order, take_over
from changeover.rollout.key_commands import require_keys
from changeover.rollout.key_ring import live_keys
from changeover.settings.declared import Declared, Fault, SettingsError
from changeover.settings.differences import differences
from changeover.settings.file import parse
from changeover.settings.plans import seeded

ACTOR: Final = "serve"

log = structlog.get_logger("serve")


class ServeError(Exception):
    """The server cannot start; the message says what was found, what was expected, what to do."""


def serve(options: ServeOptions, *, ready: Callable[[ServerRecord], None]) -> None:
    """Run until SIGINT or SIGTERM. ``ready`` is called once, when all ports answer.

    Raises:
        ServeError: the state directory, the store, a port or the gateway is not to be had.
        SettingsError: the file has faults.
    """
    configure_log("server")
    door = FrontDoor(host=options.host, tls_cert=options.tls_cert, tls_key=options.tls_key, behind_proxy=options.behind_proxy)
    try:
        door.tls_context()
        _control_door(options).tls_context()
    except FrontDoorError as error:
        raise ServeError(str(error)) from error
    declared = read_settings(options.config)
    try:
        state = StateDir(options.state)
        plane_token_of(state, SystemDice(), os.environ)
        opened = open_for_serving(state, options.database, SystemDice())
    except (StateDirError, StoreError) as error:
        raise ServeError(str(error)) from error
    try:
        _settle(opened.store, declared, options.config)
        _ask_for_keys(opened.store, door)
        run_program(_serve(options, state, opened, ready))
    except StoreError as error:
        raise ServeError(str(error)) from error
    finally:
        opened.release()


def read_settings(path: Path) -> Declared:
    """The checked content of the file.

    Raises:
        SettingsError: it cannot be read, or it has faults.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), files=prompts_beside(path))
    except OSError as error:
        raise _unreadable(
            path, f"a file that cannot be read ({error.strerror})", "a readable file; write one with: changeover init"
        ) from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"byte {error.start} that is not UTF-8", "text in UTF-8; save the file as that") from error


def _unreadable(path: Path, found: str, expected: str) -> SettingsError:
    return SettingsError((Fault(path=str(path), found=found, expected=expected),))


def _ask_for_keys(store: Store, door: FrontDoor) -> None:
    """Without keys a gateway lends its provider's credentials to whoever can reach it. Once asked for, they are until
    somebody says otherwise: a start without the flag must not open a door that a proxy leads to.

    Raises:
        ServeError: a public address, and no key that anyone could have.
    """
    now = SystemClock().now()
    has_keys = bool(live_keys(store.world().keys, now))
    if not has_keys and not door.is_local:
        store.close()
        raise ServeError(
            f"found --host {door.host} and no key; expected at least one, since every caller needs one there. "
            "Start once without --host and make it: changeover key create NAME"
        )
    if door.wants_keys:
        with contextlib.suppress(NothingToDo):
            order = Order(actor=ACTOR, reason="others than this machine may come")
            store.commit(lambda world: require_keys(world, required=True, order=order), at=now)
    if store.world().keys_required and not has_keys:
        log.warning("callers must have a key, and there is none: every request is refused; make one: changeover key create NAME")


def _settle(store: Store, declared: Declared, config: Path) -> None:
    """Seed an empty store from the file; otherwise the store wins, and what differs is said."""
    for warning in declared.warnings:
        log.warning(warning)
    now = SystemClock().now()
    try:
        store.commit(
            lambda world: take_over(world, seeded(declared), actor=ACTOR, reason=f"first start from {config.name}"),
            at=now,
        )
    except NothingToDo:
        for difference in differences(store.world(), declared):
            log.warning("the file and the store differ; the store wins until changeover apply", difference=difference)


async def _serve(options: ServeOptions, state: StateDir, opened: Opened, ready: Callable[[ServerRecord], None]) -> None:
    stop = asyncio.Event()
    if options.lifeline:
        follow_lifeline(stop)
    clock = SystemClock()
    dice = SystemDice() if options.seed is None else SeededDice(options.seed)
    prices = BundledPrices()
    office = StoreOffice(opened.store, clock)
    leadership = Leadership(office, clock, holder=opened.holder, alone=opened.bell is None)
    try:
        preflight = preflight_of(office, clock)
    except EgressError as error:
        raise ServeError(str(error)) from error
    assessor = StoreAssessor(office, clock)
    unread = UnreadScores()
    path = state.socket()
    workers = Workers(_gateway_options(options, state, path), count=options.workers, plane_dir=state.plane)
    entrance = _control_door(options)
    addresses: list[str] = []
    outbox = alert_outbox(office, clock, dice, config=options.config, read=read_settings, address=lambda: "".join(addresses))

    def app(*, token: str | None) -> Starlette:
        return build_app(
            office=office,
            assessor=assessor,
            clock=clock,
            dice=dice,
            declared=lambda: read_settings(options.config),
            gateway_url=lambda: workers.url,
            token=token,
            plane_token=plane_token_of(state, SystemDice(), os.environ),
            public=entrance.wants_keys,
            prices=prices,
            mint=SystemMint(),
            preflight=preflight,
            unread=unread,
            read_only=options.read_only,
            alert_desk=outbox,
        )

    async with contextlib.AsyncExitStack() as closing:
        closing.enter_context(_stopped_by_signals(stop))
        closing.push_async_callback(office.close)
        closing.push_async_callback(outbox.close)
        closing.callback(state.withdraw)
        try:
            local = await _listening(closing, app(token=None), listen_unix(path))
            listener = listen_tcp(entrance.host, options.control_port)
            control = await _listening(closing, app(token=state.token(SystemDice())), listener, tls=entrance.tls_context())
            closing.push_async_callback(workers.stop)
            await workers.start()
        except (ListenError, GatewayFailedError) as error:
            raise ServeError(str(error)) from error
        record = ServerRecord(
            pid=os.getpid(),
            gateway=workers.url,
            control=control.url,
            socket=local.url,
            started_at=clock.now(),
            version=__version__,
            command=start_command(options, gateway=workers.url, control=control.url),
        )
        addresses.append(control.url)
        state.announce(record)
        ready(record)
        log.info("serving", gateway=record.gateway, control=record.control, table_revision=office.table.revision)
        controller = Controller(LeaderOffice(office, leadership), assessor, clock, outbox)
        await _run(leadership.run(stop, controller.run), workers.watch(stop), _following(office, opened, stop))


def _control_door(options: ServeOptions) -> FrontDoor:
    door = options.control
    return FrontDoor(host=door.host, tls_cert=door.tls_cert, tls_key=door.tls_key, behind_proxy=door.behind_proxy)


def _gateway_options(options: ServeOptions, state: StateDir, control: Path) -> GatewayOptions:
    return GatewayOptions(
        plane_dir=state.path,
        control=str(control),
        host=options.host,
        port=options.port,
        lifeline=True,
        tls_cert=options.tls_cert,
        tls_key=options.tls_key,
        behind_proxy=options.behind_proxy,
    )


async def _listening(
    closing: contextlib.AsyncExitStack, app: Starlette, listener: socket.socket, *, tls: ssl.SSLContext | None = None
) -> ControlServer:
    """Answer with ``app`` on ``listener`` until ``closing`` unwinds."""
    server = ControlServer(app, listener, tls=tls)
    closing.push_async_callback(server.stop)
    await server.start()
    return server


async def _following(office: StoreOffice, opened: Opened, stop: asyncio.Event) -> None:
    """See what other control planes commit, where there can be any."""
    if opened.bell is not None:
        await office.follow(opened.bell, stop)


async def _run(*loops: Coroutine[None, None, None]) -> None:
    """All of them until they end; if one breaks, everything stops and its fault is raised."""
    async with asyncio.TaskGroup() as group:
        for loop in loops:
            group.create_task(loop)
    log.info("stopping: what is under way is finished")


@contextlib.contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Generator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
