"""The program in parts, as real processes: a control plane alone, gateways that join it, and what is left when one is killed."""

import json
import os
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.acceptance.rig import Rig, _first_line, until


class PartsRig(Rig):
    """``serve`` starts `changeover control`, at the same address each time; ``join`` a gateway with a directory of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.control_url = ""
        self._joined = 0

    async def serve(self, *flags: str) -> None:
        self._runs += 1
        record = self.folder / ".changeover" / "server.json"
        record.unlink(missing_ok=True)
        listen = urlsplit(self.control_url).netloc or "127.0.0.1:0"
        self.server = await self._spawn(f"serve-{self._runs}", "changeover", "control", "--listen", listen, *flags)
        await until(record.exists, what="server.json")
        found = json.loads(record.read_text())
        self.control_url, self.socket = found["control"], found["socket"]

    async def join(self, state: str) -> tuple[Process, str]:
        """A gateway that keeps its state in ``state``, and its URL."""
        self._joined += 1
        os.environ["CHANGEOVER_PLANE_TOKEN"] = (self.folder / ".changeover" / "plane-token").read_text()
        flags = ("--control", self.control_url, "--listen", "127.0.0.1:0", "--state", state)
        process = await self._spawn(f"gateway-{self._joined}", "changeover", "gateway", *flags)
        ready = json.loads(await _first_line(process))
        return process, f"http://{ready['host']}:{ready['port']}"

    async def task(self) -> Any:
        return (await self.control("GET", "/api/v1/status"))["tasks"][0]

    async def planes(self) -> dict[str, Any]:
        return {plane["plane"]: plane for plane in (await self.control("GET", "/api/v1/status"))["planes"]}

    def plane_name(self, state: str) -> str:
        return (self.folder / state / "plane.id").read_text()


@asynccontextmanager
async def running_parts(folder: Path) -> AsyncGenerator[PartsRig]:
    rig = PartsRig(folder)
    try:
        await rig.start()
        yield rig
    finally:
        os.environ.pop("CHANGEOVER_PLANE_TOKEN", None)
        await rig.close()


async def kill(process: Process) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
