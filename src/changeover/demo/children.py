"""Which processes does the demonstration run, and how does it make sure that none of them stays?"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from changeover.demo.failure import StoppedShortError

READY_WAIT_S: Final = 20.0
STOP_WAIT_S: Final = 8.0
_LOOK_S: Final = 0.05
_LOG_TAIL_BYTES: Final = 2000


class ChildError(StoppedShortError):
    """A process of ours did not do what it was started for; the message carries its last words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What a command printed and how it ended."""

    code: int
    output: str
    errors: str


class Children:
    """Processes in ``folder``, with their logs. Each leads its own process group, so that its own children go with it, and its
    standard input is a pipe that closes when this process is gone.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._running: dict[str, Process] = {}

    async def start(self, name: str, *arguments: str) -> None:
        """``python -m`` with ``arguments``; what it says goes to ``NAME.out`` and ``NAME.log`` in the folder."""
        with self._out(name).open("wb") as out, self.log(name).open("wb") as log:
            self._running[name] = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *arguments,
                cwd=self._folder,
                env=self._environment,
                stdin=PIPE,
                stdout=out,
                stderr=log,
                start_new_session=True,
            )

    async def first_line(self, name: str) -> bytes:
        """The line with which a process says that it is ready. Raises ``ChildError`` when it ends or keeps silent."""

        def look() -> bytes | None:
            line, end, _ = self._out(name).read_bytes().partition(b"\n")
            return line if end else None

        return await self._ready(name, look)

    async def first_file(self, name: str, path: Path) -> bytes:
        """What is in the file that a process writes when it is ready. Raises ``ChildError`` when it ends or keeps silent."""
        return await self._ready(name, lambda: path.read_bytes() if path.exists() else None)

    async def _ready(self, name: str, look: Callable[[], bytes | None]) -> bytes:
        deadline = asyncio.get_running_loop().time() + READY_WAIT_S
        while asyncio.get_running_loop().time() < deadline:
            found = look()
            if found is not None:
                return found
            if self._running[name].returncode is not None:
                break
            await asyncio.sleep(_LOOK_S)
        raise ChildError(f"{name} did not start within {READY_WAIT_S:g} s; its last words:\n{self.last_words(name)}")

    async def run(self, *arguments: str) -> CommandResult:
        """``python -m`` with ``arguments`` to its end; its own words are returned, nothing is raised for a bad end."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *arguments,
            cwd=self._folder,
            env=self._environment,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
        name = f"command {process.pid}"
        self._running[name] = process
        output, errors = await process.communicate()
        del self._running[name]
        assert process.returncode is not None
        return CommandResult(code=process.returncode, output=output.decode("utf-8", "replace"), errors=errors.decode("utf-8", "replace"))

    def log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _out(self, name: str) -> Path:
        return self._folder / f"{name}.out"

    def last_words(self, name: str) -> str:
        with contextlib.suppress(OSError):
            return self.log(name).read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace")
        return ""

    def ended(self) -> str | None:
        """The name of a process that ended although it was to go on."""
        return next((name for name, process in self._running.items() if process.returncode is not None), None)

    async def stop_all(self) -> None:
        """Ask every process to go, last started first; whatever is still there after a while is killed with all it started."""
        for process in reversed(self._running.values()):
            await _stop(process)
        self._running.clear()

    def kill_all(self) -> None:
        """At once, without waiting."""
        for process in self._running.values():
            _signal_group(process, signal.SIGKILL)


async def _stop(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_WAIT_S)
    _signal_group(process, signal.SIGKILL)
    await process.wait()


def _signal_group(process: Process, number: signal.Signals) -> None:
    """A group outlives its leader while one of its processes is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def child_environment(base: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    """What our processes see: no colours, no proxies in the way of loopback, no other server's state or database."""
    dropped: Sequence[str] = ("CHANGEOVER_STATE", "CHANGEOVER_DATABASE", "FORCE_COLOR", "CLICOLOR_FORCE")
    kept = {name: value for name, value in base.items() if name not in dropped and not name.upper().endswith("_PROXY")}
    return kept | {"NO_COLOR": "1", "PYTHONUNBUFFERED": "1"} | dict(extra)
