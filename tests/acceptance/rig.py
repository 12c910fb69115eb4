"""Real processes for acceptance tests: the stage, the server with its gateway, and callers; nothing of them is left behind."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx2

KEY = "acceptance-key-0123456789"
TASK = "docstring-summaries"
STABLE, CANDIDATE = "summariser-prod-v0115", "summariser-prod-v0601"
DEADLINE_S = 40.0
POLL_S = 0.02

FILE = """
version: 1
accounts:
  aoai: {{kind: azure-openai, endpoint: "{endpoint}", auth: {{env: ACCEPTANCE_KEY}}}}
deployments:
  summariser-prod-v0115: {{model: summariser, version: "2026-01-15"}}
  summariser-prod-v0601: {{model: summariser, version: "2026-06-01"}}
tasks:
  docstring-summaries:
    stable: summariser-prod-v0115
    criteria: {{preset: none, errors: {{max_ratio: 1.5, margin_pp: 2}}}}
evidence: {{block: 1s, min_blocks: 3}}
"""


class Rig:
    """One folder with a stage and a server. ``serve`` may be called again after the server was killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: Process | None = None
        self.gateway = ""
        self.stage = ""
        self.socket = ""
        self.control_url = ""
        self._runs = 0
        self._processes: list[Process] = []

    async def start(self, *flags: str) -> None:
        stage = await self._spawn("sim", "changeover.azure_sim", "--port", "0", "--key-env", "ACCEPTANCE_KEY", "--lifeline")
        self.stage = json.loads(await asyncio.wait_for(_first_line(stage), DEADLINE_S))["url"]
        (self.folder / "changeover.yaml").write_text(FILE.format(endpoint=self.stage))
        await self.serve(*flags)

    async def serve(self, *flags: str) -> None:
        """Start a server over the folder's state and wait until it has announced itself."""
        self._runs += 1
        record = self.folder / ".changeover" / "server.json"
        record.unlink(missing_ok=True)
        self.server = await self._spawn(f"serve-{self._runs}", "changeover", "serve", "--port", "0", "--control-port", "0", *flags)
        await until(record.exists, what="server.json")
        found = json.loads(record.read_text())
        self.gateway, self.socket, self.control_url = found["gateway"], found["socket"], found["control"]

    async def kill(self, *, group: bool) -> None:
        """SIGKILL the server; with ``group`` its gateway in the same instant too."""
        assert self.server is not None
        if group:
            os.killpg(self.server.pid, signal.SIGKILL)
        else:
            self.server.kill()
        await self.server.wait()

    async def stop(self) -> None:
        """Ask the server to go, and wait."""
        assert self.server is not None
        self.server.terminate()
        await asyncio.wait_for(self.server.communicate(), DEADLINE_S)

    async def control(self, method: str, path: str, body: object = None) -> Any:
        async with httpx2.AsyncClient(
            transport=httpx2.AsyncHTTPTransport(uds=self.socket), base_url="http://localhost", trust_env=False
        ) as client:
            answer = await client.request(method, path, json=body)
            assert answer.is_success, answer.text
            return answer.json()

    async def run(self, *arguments: str) -> str:
        """A command of ours, as a user types it; its standard output."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "changeover", *arguments, cwd=self.folder, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
        )
        output, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        return output.decode()

    def log(self) -> str:
        """What the present server and its gateway have logged."""
        return (self.folder / f"serve-{self._runs}.log").read_text()

    async def close(self) -> None:
        """Nothing stays behind, whatever has happened."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()

    async def _spawn(self, name: str, *arguments: str) -> Process:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *arguments,
                cwd=self.folder,
                env={**os.environ, "ACCEPTANCE_KEY": KEY},
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)
        return process


async def _first_line(process: Process) -> bytes:
    assert process.stdout is not None
    return await process.stdout.readline()


@asynccontextmanager
async def running_rig(folder: Path, *flags: str) -> AsyncGenerator[Rig]:
    """With ``flags`` for the server."""
    rig = Rig(folder)
    try:
        await rig.start(*flags)
        yield rig
    finally:
        await rig.close()


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]], *, what: str) -> None:
    """Wait for ``condition``, and fail by name when it does not come."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                met = condition()
                if met if isinstance(met, bool) else await met:
                    return
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"{what} did not come within {DEADLINE_S} s") from None


class Callers:
    """Traffic from several connections until told to stop. ``answered`` holds request ids with the time of the answer."""

    def __init__(self, gateway: str, *, connections: int = 4) -> None:
        self.answered: list[tuple[str, float]] = []
        self.failed = 0
        self._gateway = gateway
        self._connections = connections
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._call()) for _ in range(self._connections)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _call(self) -> None:
        body = {"model": TASK, "messages": [{"role": "user", "content": "A first sentence. A second one, longer. And a third."}]}
        clock = asyncio.get_running_loop().time
        async with httpx2.AsyncClient(base_url=self._gateway, trust_env=False, timeout=5.0) as client:
            while not self._stop.is_set():
                try:
                    answer = await client.post("/v1/chat/completions", json=body)
                except httpx2.HTTPError:
                    self.failed += 1
                    await asyncio.sleep(POLL_S)
                    continue
                self.failed += answer.status_code != 200
                self.answered.append((answer.headers["x-changeover-request-id"], clock()))
