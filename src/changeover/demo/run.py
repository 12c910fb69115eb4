"""How is the demonstration run? In a fresh folder that is removed whatever happens, with every process that was started."""

import asyncio
import importlib.util
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SEED_DEFAULT: Final = 20260601
"""Fixes the texts and their order, which answers are streamed, and the stage's latencies."""
REQUESTS_MAX_DEFAULT: Final = 6000
"""How many requests one weight of a rollout may take before the story ends without a verdict."""
EXIT_FAILED: Final = 1
_EXIT_BY_SIGNAL: Final = 128
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """``keep`` leaves the folder; ``open`` leaves server and traffic running at the end, to look around, until a signal comes."""

    seed: int | None = None
    json: bool = False
    keep: bool = False
    requests_max: int = REQUESTS_MAX_DEFAULT
    open: bool = False


def run_demo(options: DemoOptions) -> int:
    """The exit code: 0 when both expected outcomes were observed and no request failed, 5 when no verdict came, 1 for anything else."""
    if importlib.util.find_spec("openai") is None:
        sys.stderr.write("changeover demo: the demonstration's application uses the openai package; pip install 'changeover[demo]'\n")
        return EXIT_FAILED
    with _fresh_folder(keep=options.keep) as folder, asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(_until_signal(options, folder))


async def _until_signal(options: DemoOptions, folder: Path) -> int:
    """A signal cancels the story, and what it put up is taken down on the way out. Further signals change nothing."""
    from changeover.demo.performance import perform

    loop = asyncio.get_running_loop()
    story = asyncio.ensure_future(perform(options, folder))
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        received.append(number)
        if len(received) == 1:
            story.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        return await story
    except asyncio.CancelledError:
        if not received:
            raise
        sys.stderr.write(f"\nchangeover demo: stopped by {received[0].name}; every process it started has ended\n")
        return _EXIT_BY_SIGNAL + received[0]
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


@contextmanager
def _fresh_folder(*, keep: bool) -> Generator[Path]:
    """A private folder under ``TMPDIR``, removed at the end unless it is to be kept."""
    folder = Path(tempfile.mkdtemp(prefix="changeover-demo-"))
    try:
        yield folder
    finally:
        if keep:
            sys.stderr.write(f"changeover demo: kept {folder}\n")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _new_loop() -> asyncio.AbstractEventLoop:
    """The fast loop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
