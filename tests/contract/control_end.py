"""The control plane's end of the plane protocol, on HTTP, in memory: what the HTTP link is tested against. No test runs here."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from socket import socket

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.adapters.memory_link import MemoryPlaneLink
from changeover.ports.planes import Acknowledgement, ObservationBatch, ShapeReport


class ControlEnd:
    """Serves ``memory`` over HTTP. ``status`` other than ``None`` answers everything with it."""

    def __init__(self) -> None:
        self.memory = MemoryPlaneLink()
        self.status: int | None = None
        self.body = b"{}"
        self.authorizations: set[str | None] = set()
        routes = [
            Route("/dp/table", self._table),
            Route("/dp/ack", self._acknowledge, methods=["POST"]),
            Route("/dp/observations", self._observations, methods=["POST"]),
            Route("/dp/shapes", self._shapes, methods=["POST"]),
            Route("/dp/issuer", self._issuer),
        ]
        self.app = Starlette(routes=routes)

    async def _table(self, request: Request) -> Response:
        if self._noted(request) is not None:
            return Response(self.body, status_code=self.status or 200)
        found = await self.memory.table_after(int(request.query_params["after"]), wait_s=float(request.query_params["wait"]))
        return Response(status_code=204) if found is None else Response(msgspec.json.encode(found))

    async def _acknowledge(self, request: Request) -> Response:
        if self._noted(request) is not None:
            return Response(self.body, status_code=self.status or 200)
        await self.memory.acknowledge(msgspec.json.decode(await request.body(), type=Acknowledgement))
        return Response(b'{"taken":true}')

    async def _observations(self, request: Request) -> Response:
        if self._noted(request) is not None:
            return Response(self.body, status_code=self.status or 200)
        before = len(self.memory.batches)
        await self.memory.deliver(msgspec.json.decode(await request.body(), type=ObservationBatch))
        return Response(msgspec.json.encode({"taken": len(self.memory.batches) > before}))

    async def _issuer(self, request: Request) -> Response:
        if self._noted(request) is not None:
            return Response(self.body, status_code=self.status or 200)
        found = await self.memory.issuer(request.query_params["response"])
        return Response(status_code=204) if found is None else Response(msgspec.json.encode(found))

    async def _shapes(self, request: Request) -> Response:
        if self._noted(request) is not None:
            return Response(self.body, status_code=self.status or 200)
        await self.memory.tell_shapes(msgspec.json.decode(await request.body(), type=ShapeReport))
        return Response(b'{"taken":true}')

    def _noted(self, request: Request) -> int | None:
        self.authorizations.add(request.headers.get("authorization"))
        return self.status


@contextlib.asynccontextmanager
async def listening(end: ControlEnd, path: Path) -> AsyncGenerator[None]:
    """``end`` on a Unix socket, until the block is left."""
    server = uvicorn.Server(uvicorn.Config(end.app, uds=str(path), log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    started = asyncio.Event()
    startup = server.startup

    async def and_say_so(sockets: list[socket] | None = None) -> None:
        await startup(sockets)
        started.set()

    server.startup = and_say_so
    serving = asyncio.create_task(server.serve())
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield
    finally:
        waiting.cancel()
        server.should_exit = True
        await serving
