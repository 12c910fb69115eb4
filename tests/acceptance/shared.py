"""Several control planes over one PostgreSQL, and gateways that know all of them, as real processes."""

import json
import os
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from changeover.adapters.sql import open_database
from changeover.ports.lease import CONTROLLER, Lease
from tests.acceptance.rig import FILE, Rig, _first_line, until


class SharedRig(Rig):
    """``control`` starts a control plane with a state directory of its own, ``join`` a gateway that knows all there are."""

    def __init__(self, folder: Path, database: str) -> None:
        super().__init__(folder)
        self.database = database
        self.controls: dict[str, Process] = {}
        self.sockets: dict[str, str] = {}

    async def start(self, *flags: str) -> None:
        """The stage and the file."""
        stage = await self._spawn("sim", "changeover.azure_sim", "--port", "0", "--key-env", "ACCEPTANCE_KEY", "--lifeline")
        self.stage = json.loads(await _first_line(stage))["url"]
        (self.folder / "changeover.yaml").write_text(FILE.format(endpoint=self.stage))

    async def control_plane(self, name: str) -> None:
        record = self.folder / name / "server.json"
        record.unlink(missing_ok=True)
        self.controls[name] = await self._spawn(name, "changeover", "control", "--listen", "127.0.0.1:0", "--state", name)
        await until(record.exists, what=f"server.json of {name}")
        self.sockets[name] = json.loads(record.read_text())["socket"]

    async def join(self, state: str) -> str:
        """A gateway and its URL."""
        where = ",".join(self.sockets.values())
        process = await self._spawn(state, "changeover", "gateway", "--control", where, "--listen", "127.0.0.1:0", "--state", state)
        ready = json.loads(await _first_line(process))
        return f"http://{ready['host']}:{ready['port']}"

    async def ask(self, name: str, method: str, path: str, body: object = None) -> Any:
        """A call to one of the control planes."""
        transport = httpx2.AsyncHTTPTransport(uds=self.sockets[name])
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", trust_env=False) as client:
            answer = await client.request(method, path, json=body)
            assert answer.is_success, answer.text
            return answer.json()

    async def task(self, name: str) -> Any:
        return (await self.ask(name, "GET", "/api/v1/status"))["tasks"][0]

    def lease(self) -> Lease | None:
        store = open_database(self.database)
        try:
            return store.lease(CONTROLLER)
        finally:
            store.close()

    def leader(self) -> str:
        """The state directory of whoever holds the lease."""
        lease = self.lease()
        assert lease is not None
        (name,) = [name for name in self.controls if lease.holder.endswith(f":{(self.folder / name / 'control-id').read_text()[:8]}")]
        return name

    def said(self, name: str) -> str:
        """What a process has logged."""
        return (self.folder / f"{name}.log").read_text()


@asynccontextmanager
async def shared_rig(folder: Path, database: str) -> AsyncGenerator[SharedRig]:
    rig = SharedRig(folder, database)
    os.environ["CHANGEOVER_DATABASE"] = database
    try:
        await rig.start()
        yield rig
    finally:
        os.environ.pop("CHANGEOVER_DATABASE", None)
        await rig.close()
