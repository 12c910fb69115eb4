"""One app on one real socket."""

import asyncio
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from changeover.api.serve import ControlServer, ListenError, listen_tcp, listen_unix
from changeover.traffic.table import RoutingTable
from tests.unit.api.bench import Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


async def _ask(*, url: str = "http://localhost", uds: Path | None = None, path: str = "/healthz") -> int:
    transport = httpx2.AsyncHTTPTransport(uds=str(uds)) if uds else httpx2.AsyncHTTPTransport()
    async with httpx2.AsyncClient(transport=transport, base_url=url) as client:
        return (await client.get(path, timeout=10)).status_code


async def _serving(app: Starlette, listener: socket.socket, then: Any) -> Any:
    server = ControlServer(app, listener)
    await server.start()
    try:
        return await then(server)
    finally:
        await server.stop()


def test_port_zero_is_any_free_port_and_is_reported(bench: Bench) -> None:
    async def then(server: ControlServer) -> tuple[int, int]:
        assert server.url == f"http://127.0.0.1:{server.port}"
        return server.port, await _ask(url=server.url)

    port, status = bench.run(_serving(bench.app, listen_tcp("127.0.0.1", 0), then))
    assert port > 0
    assert status == 200


def test_a_stopped_server_leaves_its_port_and_its_socket_file_behind_for_nobody(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "control.sock"

    async def then(server: ControlServer) -> int:
        assert server.url == str(path)
        return await _ask(uds=path, path="/api/v1/status")

    assert bench.run(_serving(bench.app, listen_unix(path), then)) == 200
    assert not path.exists()
    listener = listen_tcp("127.0.0.1", 0)
    port = listener.getsockname()[1]

    async def nothing(server: ControlServer) -> None: ...

    bench.run(_serving(bench.app, listener, nothing))
    listen_tcp("127.0.0.1", port).close()


def test_only_this_user_may_use_the_socket(tmp_path: Path) -> None:
    with listen_unix(tmp_path / "s") as listener:
        assert stat.S_IMODE(Path(listener.getsockname()).stat().st_mode) == 0o600


def test_the_socket_of_a_server_that_died_is_replaced(tmp_path: Path) -> None:
    listen_unix(tmp_path / "s").close()
    assert (tmp_path / "s").exists()
    listen_unix(tmp_path / "s").close()


def test_a_live_server_and_a_plain_file_are_not_replaced(tmp_path: Path) -> None:
    with listen_unix(tmp_path / "s"), pytest.raises(ListenError, match="another server listens there"):
        listen_unix(tmp_path / "s")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ListenError, match="no socket"):
        listen_unix(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_path_too_long_for_a_socket_and_a_taken_port_say_so(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match="cannot listen on"):
        listen_unix(tmp_path / ("x" * 120))
    with listen_tcp("127.0.0.1", 0) as taken, pytest.raises(ListenError, match="choose another port"):
        listen_tcp("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(ListenError, match="cannot listen on"):
        listen_tcp("203.0.113.1", 0)


def test_a_waiting_data_plane_does_not_hold_up_the_end(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s"
    asked = asyncio.Event()
    table_after = bench.office.table_after

    async def seen(revision: int, *, wait_s: float) -> RoutingTable | None:
        asked.set()
        return await table_after(revision, wait_s=wait_s)

    monkeypatch.setattr(bench.office, "table_after", seen)

    async def scenario() -> int:
        server = ControlServer(bench.app, listen_unix(path))
        await server.start()
        poll = asyncio.create_task(_ask(uds=path, path="/dp/table?after=1&wait=30"))
        await asked.wait()
        await asyncio.wait_for(server.stop(), 10)
        return await poll

    assert bench.run(scenario()) == 204


def test_signals_stay_with_the_program(bench: Bench) -> None:
    async def then(server: ControlServer) -> tuple[Any, Any]:
        return signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    def ours(*_: object) -> None: ...

    before = signal.signal(signal.SIGTERM, ours)
    try:
        seen, interrupt = bench.run(_serving(bench.app, listen_tcp("127.0.0.1", 0), then))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen is ours
    assert "uvicorn" not in str(interrupt)


def test_a_server_that_never_started_can_be_stopped(bench: Bench) -> None:
    listener = listen_tcp("127.0.0.1", 0)

    async def scenario() -> None:
        await ControlServer(bench.app, listener).stop()

    bench.run(scenario())
    assert listener.fileno() == -1
