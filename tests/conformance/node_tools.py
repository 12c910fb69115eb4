"""Is there Node, and are the packages installed? Once per lock file, into this folder only; afterwards nothing is fetched."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

from tests.conformance.recordings import RECORDINGS
from tests.conformance.rig import EMBEDDER, KEY, REASONER, REPLAYED, WRITER, Ends

FOLDER: Final = Path(__file__).parent / "node"
REQUIRED: Final = "node" in os.environ.get("CHANGEOVER_REQUIRE", "").split(",")
NODE_MAJOR_MIN: Final = 20
INSTALL_S: Final = 100.0
RUN_S: Final = 60.0
_STAMP: Final = FOLDER / "node_modules" / ".installed"


def ready_node() -> str:
    """The path of ``node``, its packages installed. Without them the tests are named as not run, or fail where they are required."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        _not_run("there is no node with npm")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").split(".")[0]) < NODE_MAJOR_MIN:
        _not_run(f"node is {version.strip()}, at least {NODE_MAJOR_MIN} is needed")
    with (FOLDER / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(npm)
    return node


def run_cases(node: str, ends: Ends, document: str) -> dict[str, list[Any]]:
    """What every case of ``cases.mjs`` gives at ``ends``."""
    asked = {
        "stage": ends.stage,
        "replay": ends.replay,
        "key": KEY,
        "document": document,
        "models": {"writer": WRITER, "reasoner": REASONER, "embedder": EMBEDDER, "replayed": REPLAYED},
        "recordings": {name: recording.streamed for name, recording in RECORDINGS.items()},
    }
    done = subprocess.run(
        [node, "cases.mjs"],
        cwd=FOLDER,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "AZURE_"))},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _install(npm: str) -> None:
    wanted = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    if _STAMP.exists() and _STAMP.read_text() == wanted:
        return
    with tempfile.TemporaryDirectory(prefix="npm-", dir=FOLDER) as cache:
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", f"--cache={cache}"],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            timeout=INSTALL_S,
            check=False,
        )
    if done.returncode != 0:
        _not_run(f"npm ci failed: {done.stderr.strip()}")
    _STAMP.write_text(wanted)


def _not_run(reason: str) -> NoReturn:
    if REQUIRED:
        pytest.fail(f"CHANGEOVER_REQUIRE names node, but {reason}")
    pytest.skip(f"not run: {reason}")
