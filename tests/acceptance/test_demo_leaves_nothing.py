"""The demonstration in mid-story: whatever ends it, no process and no file of it stays."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROC = Path("/proc")
WAIT_S = 40.0
LOOK_S = 0.05
PROCESSES_MIN = 3
"""The stage, the server and its gateway."""

pytestmark = pytest.mark.skipif(not PROC.is_dir(), reason="processes are found through /proc")


def processes_in(folder: Path) -> set[int]:
    """Processes whose working directory is, or was, in ``folder``."""
    found: set[int] = set()
    for entry in PROC.iterdir():
        try:
            if entry.name.isdigit() and str((entry / "cwd").readlink()).startswith(str(folder)):
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def wait_until(condition: Callable[[], bool]) -> bool:
    """Whether it came true within ``WAIT_S`` seconds."""
    never = threading.Event()
    for _ in range(int(WAIT_S / LOOK_S)):
        if condition():
            return True
        never.wait(LOOK_S)
    return False


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A demonstration whose application is at work, in ``tmp_path``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "changeover", "demo", "--json"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "answers, all from" in line:
            break
    else:
        pytest.fail(f"the demonstration ended before its application was at work: {said}")
    yield process
    process.kill()
    process.communicate()
    for pid in processes_in(tmp_path):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_takes_everything_down_in_order(demo: subprocess.Popen[str], tmp_path: Path, number: signal.Signals) -> None:
    assert len(processes_in(tmp_path)) >= PROCESSES_MIN
    demo.send_signal(number)
    output, said = demo.communicate(timeout=WAIT_S)
    assert demo.returncode == 128 + number
    assert output == ""
    assert "stopped by" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
    assert processes_in(tmp_path) == set()


def test_processes_go_even_when_the_demonstration_is_killed(demo: subprocess.Popen[str], tmp_path: Path) -> None:
    assert len(processes_in(tmp_path)) >= PROCESSES_MIN
    demo.kill()
    demo.communicate(timeout=WAIT_S)
    assert wait_until(lambda: processes_in(tmp_path) == set())
