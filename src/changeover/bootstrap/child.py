"""The gateway as the server's child: started, watched, started again, and never left behind."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from typing import Final

import msgspec
import structlog

from changeover.ports.serving import DATABASE_VARIABLE, GatewayOptions

READY_WAIT_S: Final = 15.0
DRAIN_WAIT_S: Final = 15.0
RESTART_FIRST_S: Final = 0.2
RESTART_LONGEST_S: Final = 5.0
LIVED_S: Final = 30.0
"""A gateway that served this long is started again at once; one that keeps ending, ever more slowly."""

log = structlog.get_logger("serve")


class GatewayFailedError(Exception):
    """The gateway did not come up; the message carries its last words."""


class Ready(msgspec.Struct, frozen=True):
    """The one line a gateway prints on standard output when it can be called."""

    host: str
    port: int
    tls: bool = False

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


class GatewayChild:
    """One gateway process. Its standard input is the lifeline: when we are gone, it closes, and the child goes too."""

    def __init__(self, options: GatewayOptions) -> None:
        self._options = options
        self._process: Process | None = None
        self.ready: Ready | None = None

    async def start(self) -> Ready:
        """Start it and wait until it can be called.

        Raises:
            GatewayFailedError: it ended, or said nothing for ``READY_WAIT_S`` seconds.
        """
        self._process = await asyncio.create_subprocess_exec(*_command(self._options), stdin=PIPE, stdout=PIPE, env=_environment())
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), READY_WAIT_S)
            self.ready = msgspec.json.decode(line, type=Ready)
        except (TimeoutError, msgspec.DecodeError) as error:
            await self.stop()
            raise GatewayFailedError("the gateway did not start; its reason stands above in this log") from error
        # A gateway that is started again must come back where its callers know it.
        self._options = msgspec.structs.replace(self._options, port=self.ready.port)
        return self.ready

    async def watch(self, stop: asyncio.Event) -> None:
        """Start it again whenever it ends before ``stop`` is set, ever more slowly while it keeps ending."""
        loop = asyncio.get_running_loop()
        pause_s = RESTART_FIRST_S
        while not stop.is_set():
            assert self._process is not None
            began = loop.time()
            ended = asyncio.create_task(self._process.wait())
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if stop.is_set():
                ended.cancel()
                return
            pause_s = RESTART_FIRST_S if loop.time() - began > LIVED_S else min(2 * pause_s, RESTART_LONGEST_S)
            plane = self._options.plane_dir.name
            log.error("the gateway ended; starting it again", plane=plane, exit_code=self._process.returncode, in_s=pause_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_s)
                return
            try:
                await self.start()
            except GatewayFailedError as error:
                log.error("the gateway could not be started again", problem=str(error))

    async def stop(self) -> None:
        """Ask it to finish what it serves, and wait; then insist."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), DRAIN_WAIT_S)
        except TimeoutError:
            log.error("the gateway did not finish in time; killed", waited_s=DRAIN_WAIT_S)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _environment() -> dict[str, str]:
    """Ours, without the database: a data plane never opens it, and need not know its password."""
    return {name: value for name, value in os.environ.items() if name != DATABASE_VARIABLE}


def _command(options: GatewayOptions) -> list[str]:
    return [
        sys.executable,
        "-m",
        "changeover",
        "gateway",
        "--state",
        str(options.plane_dir),
        "--control",
        options.control,
        "--listen",
        f"[{options.host}]:{options.port}" if ":" in options.host else f"{options.host}:{options.port}",
        "--lifeline",
        *(["--share-port"] if options.shared_port else []),
        *_door(options),
    ]


def _door(options: GatewayOptions) -> list[str]:
    """Only the names of the files: a key itself would stand in the list of processes."""
    files = (("--tls-cert", options.tls_cert), ("--tls-key", options.tls_key))
    named = [word for flag, path in files if path is not None for word in (flag, str(path))]
    return [*named, "--behind-proxy"] if options.behind_proxy else named
