"""A provider and a whole `changeover serve`, each in processes of its own, in a folder that goes with them.

Linux only (``/proc``). The stage raises the limit on open files for all its processes, or says that it cannot.
"""

import asyncio
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

TASK = "mail"
WAIT_S = 30.0
KEY = "bench-key"

CONFIG = """
version: 1
accounts:
  up: {{kind: azure-openai, endpoint: "http://127.0.0.1:{provider}", auth: {{env: BENCH_KEY}}}}
deployments:
  gpt4o-prod-v0806: {{model: gpt-4o, version: "2024-08-06"}}
  gpt4o-prod-v1120: {{model: gpt-4o, version: "2024-11-20"}}
tasks:
  mail: {{stable: gpt4o-prod-v0806, failover: [gpt4o-prod-v1120], sticky_by: [user]}}
"""
SPLIT = ("task", "split", TASK, "gpt4o-prod-v0806=90", "gpt4o-prod-v1120=10")


class StageError(Exception):
    """The stage could not be set up; says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where to call, and whose memory and CPU to look at."""

    folder: Path
    provider_port: int
    gateway_port: int
    gateway_pid: int
    control_pid: int

    def log(self) -> str:
        """What the server and its gateway have logged."""
        return (self.folder / "serve.log").read_text()


def raise_open_files(wanted: int) -> None:
    """Let this process and those it starts open ``wanted`` files.

    Raises:
        StageError: the hard limit is below that.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise StageError(f"found a hard limit of {hard} open files; expected at least {wanted}: raise it (ulimit -Hn) or ask for less")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def resident_kb(pid: int, *, peak: bool = False) -> int:
    """Memory of one process; with ``peak`` the most it ever had."""
    found = re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


def cpu_s(pid: int) -> float:
    """Run time of all threads of a process, by the scheduler's account."""
    stats = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(stat.read_text().split()[0]) for stat in stats) / 1e9


def open_files(pid: int) -> int:
    """How many files a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


@asynccontextmanager
async def stage(config: str = CONFIG, *, command: Sequence[str] = SPLIT) -> AsyncGenerator[Stage]:
    """Everything running as ``config`` says, a task ``mail`` on one provider, and ``command`` given to it.

    Raises:
        StageError: something did not start; what it said is in the message.
    """
    folder = Path(tempfile.mkdtemp(prefix="changeover-bench-"))
    processes: list[Process] = []
    try:
        provider = await _spawn(processes, folder, "provider", "benchmarks.sse_provider", cwd=Path.cwd())
        assert provider.stdout is not None
        provider_port = int(await asyncio.wait_for(provider.stdout.readline(), WAIT_S))
        (folder / "changeover.yaml").write_text(config.format(provider=provider_port))
        server = await _spawn(processes, folder, "serve", "changeover", "serve", "--port", "0", "--control-port", "0", "--lifeline")
        record = folder / ".changeover" / "server.json"
        gateway = await _gateway_of(server, record)
        await tell(folder, *command)
        yield Stage(
            folder=folder,
            provider_port=provider_port,
            gateway_port=gateway,
            gateway_pid=_child_of(server.pid),
            control_pid=server.pid,
        )
    finally:
        for process in reversed(processes):
            await _end(process)
        shutil.rmtree(folder, ignore_errors=True)


async def tell(folder: Path, *command: str) -> str:
    """A command of ours, as a user types it there; its standard output.

    Raises:
        StageError: it was refused.
    """
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "changeover", *command, cwd=folder, stdout=PIPE, stderr=PIPE)
    output, errors = await process.communicate()
    if process.returncode:
        raise StageError(f"changeover {' '.join(command)}: {errors.decode()}")
    return output.decode()


async def _spawn(processes: list[Process], folder: Path, name: str, *arguments: str, cwd: Path | None = None) -> Process:
    with (folder / f"{name}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *arguments,
            cwd=cwd or folder,
            env={**os.environ, "BENCH_KEY": KEY},
            stdin=PIPE,
            stdout=PIPE,
            stderr=log,
            start_new_session=True,
        )
    processes.append(process)
    return process


async def _gateway_of(server: Process, record: Path) -> int:
    """The gateway's port, once the server has announced itself."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(WAIT_S):
            while not record.exists() and server.returncode is None:  # noqa: ASYNC240 - a bench blocks nobody
                await asyncio.sleep(0.05)
    return _announced(record)


def _announced(record: Path) -> int:
    if not record.exists():
        raise StageError(f"the server did not start: {(record.parent.parent / 'serve.log').read_text()[-2000:]}")
    url: str = json.loads(record.read_text())["gateway"]
    return urlsplit(url).port or 0


def _child_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


async def _end(process: Process) -> None:
    """Let it finish, then insist: whatever has happened, nothing stays behind."""
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 5.0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
