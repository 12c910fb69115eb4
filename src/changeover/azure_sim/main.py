"""How is the stage put up? One process on loopback that says where it stands and goes when it is told to."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Final

import msgspec
import uvicorn

from changeover.azure_sim.data_plane import DataPlane
from changeover.azure_sim.resource import Resource
from changeover.azure_sim.stage import Stage, StageError, read_stage, summariser_stage

HOST: Final = "127.0.0.1"
KEY_ENV: Final = "AZURE_OPENAI_API_KEY"
_USAGE: Final = 2
_BACKLOG: Final = 2048
_SHUTDOWN_S: Final = 1


def run(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; the exit code.

    One JSON line on standard output says when and where: ``{"url", "account", "deployments"}``.
    """
    options = _parser().parse_args(arguments)
    key = os.environ.get(options.key_env, "")
    if not key:
        return _refuse(f"found no key in the environment variable {options.key_env}; set it to any text that callers are to send")
    try:
        stage = summariser_stage() if options.stage is None else read_stage(options.stage)
    except StageError as error:
        return _refuse(str(error))
    try:
        listener = _listen(options.port)
    except OSError as error:
        return _refuse(f"port {options.port} on {HOST}: {error.strerror}; choose another or 0 for any")
    with listener, asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(_serve(Resource(stage, key=key, seed=options.seed), listener, lifeline=options.lifeline))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="changeover azure-sim",
        description="An Azure OpenAI resource on loopback with small extractive summarisers behind it. "
        "Answers are real, latency and token counts are modelled.",
    )
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes any free port")
    parser.add_argument("--key-env", default=KEY_ENV, metavar="NAME", help="environment variable with the resource's key (%(default)s)")
    parser.add_argument("--stage", type=Path, metavar="FILE", help="a stage in JSON instead of the built-in one")
    parser.add_argument("--seed", type=int, default=0, help="seed of latencies and identifiers (%(default)s)")
    parser.add_argument("--lifeline", action="store_true", help="stop when standard input closes")
    return parser


async def _serve(resource: Resource, listener: socket.socket, *, lifeline: bool) -> None:
    server = _Server(
        uvicorn.Config(
            DataPlane(resource),
            http="httptools",
            ws="none",
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=_SHUTDOWN_S,
        )
    )
    logging.getLogger("uvicorn.error").addFilter(_not_about_cuts)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    if lifeline:
        _watch_standard_input(lambda: loop.call_soon_threadsafe(server.stop))
    _announce(resource.stage, listener)
    await server.serve([listener])


def _not_about_cuts(record: logging.LogRecord) -> bool:
    """An answer that ends early is what the stage was told to give; uvicorn calls it a fault of ours."""
    return "without completing response" not in record.getMessage()


class _Server(uvicorn.Server):
    """Uvicorn that leaves signals to this program."""

    def stop(self) -> None:
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _announce(stage: Stage, listener: socket.socket) -> None:
    """The line that callers wait for. The socket listens already: what connects from now on is answered."""
    _, port = listener.getsockname()
    ready = {"url": f"http://{HOST}:{port}", "account": stage.account, "deployments": [each.name for each in stage.deployments]}
    sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
    sys.stdout.flush()


def _listen(port: int) -> socket.socket:
    """A listening socket on loopback. Raises ``OSError``."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _watch_standard_input(then: Callable[[], object]) -> None:
    """Call ``then`` from another thread when standard input ends: whoever held its other end is gone."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        then()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _new_loop() -> asyncio.AbstractEventLoop:
    """The fast loop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _refuse(message: str) -> int:
    sys.stderr.write(f"changeover azure-sim: {message}\n")
    return _USAGE
