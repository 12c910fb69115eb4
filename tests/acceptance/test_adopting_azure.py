"""Somebody comes with an Azure resource as it grew: plainly named, unpinned. The file is written, and the application goes on."""

import asyncio
import json
from pathlib import Path

import httpx2
import openai
import pytest
import yaml

from tests.acceptance.rig import KEY, Rig

ACCOUNTS = """
accounts:
  - name: aoai-grown
    resource_group: rg-grown
    content_filters: [strict-v2]
    deployments:
      - {name: gpt-4o, model: gpt-4o, version: "2024-08-06", capacity: 20, content_filter: strict-v2}
      - {name: chat, model: gpt-4o-mini, version: "2024-07-18", capacity: 10, upgrade: null}
      - {name: left-over, model: gpt-4o, version: "2024-11-20", capacity: 30, content_filter: strict-v2}
conduct: {write_s: 0}
"""
DOCUMENT = "The reader opens a file (in text mode), which must exist. It never writes. The file is closed at the end."


class GrownRig(Rig):
    """A stage with the resource; nothing else is there yet."""

    async def stage_up(self) -> str:
        (self.folder / "accounts.yaml").write_text(ACCOUNTS)
        stage = await self._spawn("sim", "changeover.azure_sim", "--accounts", "accounts.yaml", "--key-env", "ACCEPTANCE_KEY", "--lifeline")
        assert stage.stdout is not None
        self.stage = json.loads(await asyncio.wait_for(stage.stdout.readline(), 40.0))["url"]
        return self.stage


def test_an_application_goes_on_through_the_written_file_with_another_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(_adopted(tmp_path, monkeypatch))


async def _adopted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = GrownRig(folder)
    try:
        url = await rig.stage_up()
        said = {
            "CHANGEOVER_ARM_ENDPOINT": url,
            "IDENTITY_ENDPOINT": f"{url}/msi/token",
            "IDENTITY_HEADER": KEY,
            "AZURE_OPENAI_API_KEY": KEY,
        }
        for name, value in said.items():
            monkeypatch.setenv(name, value)
        shown = await rig.run("init", "--azure", "--identity", "managed")
        assert {"2 auto-upgrading", "1 unpinned", "3 misnamed"} <= set(shown.replace("\n", "; ").split("; "))
        config = folder / "changeover.yaml"
        config.write_text(config.read_text().replace("  left-over: {stable: left-over}\n", ""))
        file = yaml.safe_load((folder / "changeover.yaml").read_text())
        assert file["tasks"] == {"gpt-4o": {"stable": "gpt-4o"}, "chat": {"stable": "chat"}}
        assert file["deployments"]["gpt-4o"]["content_filter"] == "strict-v2"
        await rig.run("check")
        await rig.serve()
        await asyncio.to_thread(_ask_as_before, rig.gateway)
        await _pinned(rig)
        await asyncio.to_thread(_ask_as_before, rig.gateway)
        await _removed(rig)
        assert KEY not in (folder / "changeover.yaml").read_text() + rig.log() + shown
    finally:
        await rig.close()


async def _pinned(rig: Rig) -> None:
    """What was pinned stays when the default changes."""
    plan = json.loads(await rig.run("deployment", "plan", "--identity", "managed", "-o", "json"))
    assert {step["deployment"]: step["act"] for step in plan["steps"]} == {"gpt-4o": "pin", "chat": "pin", "left-over": "pin"}
    await rig.run("deployment", "plan", "--identity", "managed", "--out", "azure.plan")
    assert "3 of 3 done and read back" in await rig.run("deployment", "apply", "--plan", "azure.plan", "--identity", "managed")
    assert KEY not in (rig.folder / "azure.plan").read_text()
    assert "no changes" in await rig.run("deployment", "plan", "--identity", "managed", "--detailed-exitcode")
    assert "no drift" in await rig.run("drift", "--identity", "managed", "--detailed-exitcode")
    async with httpx2.AsyncClient(base_url=rig.stage, trust_env=False, headers={"api-key": KEY}) as stage:
        at = {"model": "gpt-4o", "version": "2024-11-20", "at": "2026-12-01"}
        (await stage.put("/sim/defaults", json=[at])).raise_for_status()
        (await stage.put("/sim/clock", json={"now": "2027-01-20T00:00:00Z"})).raise_for_status()


async def _removed(rig: Rig) -> None:
    """What nobody uses may go; what a task names stays."""
    with pytest.raises(AssertionError, match="task gpt-4o names it"):
        await rig.run("deployment", "rm", "gpt-4o", "--yes", "--identity", "managed")
    await rig.run("deployment", "pause", "left-over", "--yes", "--identity", "managed")
    shown = await rig.run("deployment", "rm", "left-over", "--yes", "--identity", "managed")
    assert "frees 30 = 30,000 TPM of Standard gpt-4o" in shown
    assert "20 of" in shown


def _ask_as_before(gateway: str) -> None:
    """What the application does, but for the endpoint."""
    with openai.AzureOpenAI(azure_endpoint=gateway, api_key="the-applications-own", api_version="2024-10-21", max_retries=0) as client:
        for deployment, served in (("gpt-4o", "gpt-4o-2024-08-06"), ("chat", "gpt-4o-mini-2024-07-18")):
            answer = client.chat.completions.create(model=deployment, messages=[{"role": "user", "content": DOCUMENT}])
            assert answer.model == served
            assert answer.choices[0].message.content
