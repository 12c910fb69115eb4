"""A server on a real Unix socket in a thread, and the command line that talks to it."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from click.testing import CliRunner, Result

from changeover.api.serve import ControlServer, listen_tcp, listen_unix
from changeover.console.main import changeover
from changeover.ports.planes import Acknowledgement, ObservationBatch
from changeover.ports.serving import SERVER_FILE_NAME, STATE_NAME, ServerRecord
from tests.unit.api.bench import CONFIG, GATEWAY, TOKEN, Bench, requests

JOIN_S = 20.0


@dataclass
class Live:
    """A running server whose file is ``config``. Store and clock may be used from here: both are safe across threads."""

    bench: Bench
    config: Path
    url: str

    def call(self, *arguments: str, stdin: str | bytes | None = None, env: dict[str, str] | None = None) -> Result:
        """Run the command as a user would, with this server's file."""
        return call(*arguments, "-c", str(self.config), stdin=stdin, env=env)

    def acknowledge(self) -> None:
        sent = Acknowledgement(plane="p0", boot="b1", revision=self.bench.world.table_revision)
        self.bench.store.acknowledge(sent, at=self.bench.clock.now())

    def serve(self, count: int, *, sequence: int, worse: bool = False) -> None:
        task = self.bench.world.tasks["email"]
        permille = self.bench.world.rollouts[str(task.rollout)].progress.permille
        sent = requests(count, attempt=task.attempts, permille=permille, at=self.bench.clock.now(), worse=worse)
        now = self.bench.clock.advance(10)
        self.bench.store.take(
            ObservationBatch(plane="p0", boot="b1", sequence=sequence, watermark_at=now, observations=tuple(sent)), at=now
        )


def call(*arguments: str, stdin: str | bytes | None = None, env: dict[str, str] | None = None) -> Result:
    clean = {
        "CHANGEOVER_STATE": None,
        "CHANGEOVER_URL": None,
        "CHANGEOVER_TOKEN": None,
        "CHANGEOVER_DATABASE": None,
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }
    return CliRunner().invoke(changeover, arguments, input=stdin, env={**clean, **(env or {})}, prog_name="changeover")


@contextmanager
def live_server(folder: Path) -> Generator[Live]:
    config = folder / "changeover.yaml"
    config.write_text(CONFIG)
    state = folder / STATE_NAME
    state.mkdir()
    up, running = threading.Event(), _Running()
    thread = threading.Thread(target=_run, args=(state, running, up), name="live server")
    thread.start()
    assert up.wait(JOIN_S)
    try:
        yield Live(bench=running.bench, config=config, url=running.url)
    finally:
        running.loop.call_soon_threadsafe(running.stop.set)
        thread.join(JOIN_S)
        assert not thread.is_alive()


class _Running:
    bench: Bench
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    url: str


def _run(state: Path, running: _Running, up: threading.Event) -> None:
    with Bench() as bench:
        running.bench = bench
        bench.run(_serve(state, running, up))


async def _serve(state: Path, running: _Running, up: threading.Event) -> None:
    running.loop, running.stop = asyncio.get_running_loop(), asyncio.Event()
    local = ControlServer(running.bench.app, listen_unix(state / "s"))
    control = ControlServer(running.bench.build(token=TOKEN), listen_tcp("127.0.0.1", 0))
    await local.start()
    await control.start()
    running.url = control.url
    record = ServerRecord(pid=1, gateway=GATEWAY, control=control.url, socket=local.url, started_at=0)
    (state / SERVER_FILE_NAME).write_bytes(msgspec.json.encode(record))
    up.set()
    await running.stop.wait()
    await asyncio.gather(local.stop(), control.stop())
