"""What the SDKs are pointed at: the stage and the replaying upstream, direct, and both behind a gateway process."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from tests.conformance.replaying import replaying

KEY: Final = "conformance-key-0123456789"
KEY_ENV: Final = "CONFORMANCE_KEY"
WRITER: Final = "summariser-prod-v0115"
REASONER: Final = "reasoner-prod-v1001"
EMBEDDER: Final = "embedder-prod-v0201"
REPLAYED: Final = "replayed"
API_VERSION: Final = "2024-10-21"
DEADLINE_S: Final = 40.0
_LOOK_S: Final = 0.02

FILE: Final = f"""
version: 1
accounts:
  stage:  {{{{kind: azure-openai, endpoint: "{{stage}}", auth: {{{{env: {KEY_ENV}}}}}}}}}
  replay: {{{{kind: openai-compatible, endpoint: "{{replay}}", auth: {{{{env: {KEY_ENV}}}}}}}}}
deployments:
  {WRITER}: {{{{account: stage, model: summariser, version: "2026-01-15"}}}}
  {REASONER}: {{{{account: stage, model: reasoner, version: "2026-10-01"}}}}
  {EMBEDDER}: {{{{account: stage, model: embedder, version: "2026-02-01"}}}}
  {REPLAYED}: {{{{account: replay, model: recordings, version: "1"}}}}
tasks:
  {WRITER}: {{{{stable: {WRITER}, criteria: {{{{preset: none}}}}}}}}
  {REASONER}: {{{{stable: {REASONER}, criteria: {{{{preset: none}}}}}}}}
  {EMBEDDER}: {{{{stable: {EMBEDDER}, criteria: {{{{preset: none}}}}}}}}
  {REPLAYED}: {{{{stable: {REPLAYED}, criteria: {{{{preset: none}}}}}}}}
"""
"""Every deployment is its own task: an application is pointed at the gateway and changes nothing else."""


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Where to send a call: to the stage and the recordings. ``through`` says which way, for messages."""

    through: str
    stage: str
    replay: str


@dataclass(frozen=True, kw_only=True)
class Rig:
    """The same two upstreams reached twice."""

    direct: Ends
    gateway: Ends

    def stand(self, deployment: str, **standing: object) -> None:
        """Change how a deployment of the stage stands."""
        url = f"{self.direct.stage}/sim/deployments/{deployment}"
        httpx2.put(url, json=standing, headers={"api-key": KEY}, trust_env=False).raise_for_status()


@contextmanager
def running_rig(folder: Path) -> Generator[Rig]:
    with ExitStack() as stack:
        replay = stack.enter_context(replaying())
        stage = stack.enter_context(process(folder, "stage", "changeover.azure_sim", "--key-env", KEY_ENV, "--lifeline"))
        assert stage.stdout is not None
        stage_url = json.loads(stage.stdout.readline())["url"]
        (folder / "changeover.yaml").write_text(FILE.format(stage=stage_url, replay=f"{replay}/v1"))
        server = stack.enter_context(process(folder, "serve", "changeover", "serve", "--port", "0", "--control-port", "0"))
        gateway = announced(folder, server)
        yield Rig(
            direct=Ends(through="direct", stage=stage_url, replay=replay),
            gateway=Ends(through="gateway", stage=gateway, replay=gateway),
        )


def announced(folder: Path, server: subprocess.Popen[bytes]) -> str:
    """The gateway's URL, once the server has said it."""
    record = folder / ".changeover" / "server.json"
    never = threading.Event()
    for _ in range(int(DEADLINE_S / _LOOK_S)):
        with suppress(FileNotFoundError, json.JSONDecodeError):
            return json.loads(record.read_text())["gateway"]
        if server.poll() is not None:
            break
        never.wait(_LOOK_S)
    raise AssertionError(f"the server did not come up: {(folder / 'serve.log').read_text()}")


@contextmanager
def process(folder: Path, name: str, *arguments: str) -> Generator[subprocess.Popen[bytes]]:
    """A process of ours in ``folder``; it and its children are gone afterwards."""
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=folder,
            env={**os.environ, KEY_ENV: KEY},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    with process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
