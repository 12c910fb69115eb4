"""`changeover azure-sim` as a process: what it prints, an Azure of one's own, and one that outlives it."""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2

from tests.integration.azure_sim.stand_in import KEY, deployment_body

KEY_ENV: Final = "AZURE_SIM_TEST_KEY"
WAIT_S: Final = 20
ACCOUNTS: Final = """
accounts:
  - {name: aoai-mine, resource_group: rg-mine, deployments: [{name: chat, model: gpt-4o-mini, version: "2024-07-18"}]}
conduct: {write_s: 0}
"""
DEPLOYMENTS: Final = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-mine/providers/Microsoft.CognitiveServices/accounts/aoai-mine/"
    "deployments"
)


@contextmanager
def azure_sim(folder: Path, *arguments: str) -> Generator[dict[str, Any]]:
    """What the process says when it is there; it has gone, on its own, afterwards."""
    with subprocess.Popen(
        [sys.executable, "-m", "changeover", "azure-sim", "--key-env", KEY_ENV, "--lifeline", *arguments],
        cwd=folder,
        env={**os.environ, KEY_ENV: KEY},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            assert process.wait(WAIT_S) == 0


def refused(*arguments: str) -> str:
    command = [sys.executable, "-m", "changeover", "azure-sim", "--key-env", KEY_ENV, *arguments]
    done = subprocess.run(command, env={**os.environ, KEY_ENV: KEY}, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def names(base: str) -> list[str]:
    listed = call(base, "GET", DEPLOYMENTS).json()["value"]
    return [each["name"] for each in listed]


def call(base: str, method: str, path: str, body: Any = None) -> httpx2.Response:
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx2.Client(base_url=base, trust_env=False) as client:
        return client.request(method, f"{path}?api-version=2025-09-01", json=body, headers=headers).raise_for_status()


def test_an_azure_of_ones_own_outlives_its_process(tmp_path: Path) -> None:
    (tmp_path / "azure.yaml").write_text(ACCOUNTS)
    arguments = ("--accounts", "azure.yaml", "--state", "azure.json")
    with azure_sim(tmp_path, *arguments) as ready:
        assert ready["accounts"] == {"aoai-mine": f"{ready['url']}/"}
        assert (ready["account"], ready["deployments"]) == ("aoai-mine", ["chat"])
        call(ready["url"], "PUT", f"{DEPLOYMENTS}/new", deployment_body())
    with azure_sim(tmp_path, *arguments, "--tls-dir", "tls") as ready:
        assert names(ready["url"]) == ["chat", "new"]
        assert (tmp_path / "tls" / "ca.pem").exists()
        assert ready["tls_url"].startswith("https://127.0.0.1:")


def test_a_faulty_file_ends_it_with_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "azure.yaml").write_text("accounts: [{name: a, location: atlantis}]")
    assert "atlantis" in refused("--accounts", str(tmp_path / "azure.yaml"))
    (tmp_path / "azure.json").write_text("[]")
    assert "expected the state of an earlier run" in refused("--state", str(tmp_path / "azure.json"))
