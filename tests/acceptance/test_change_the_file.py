"""Somebody edits the file of a running server: planned, applied, served at once, and kept over a restart."""

import asyncio
import json
from pathlib import Path

import httpx2
import yaml

from tests.acceptance.rig import TASK, Rig, running_rig

FRESH = "reasoner-prod-v1001"
"""A deployment of the stage that refuses a temperature."""
NEW_TASK = "fresh-summaries"


def test_a_new_deployment_and_task_answer_once_the_file_is_applied_and_after_a_restart(tmp_path: Path) -> None:
    asyncio.run(_edited(tmp_path))


async def _edited(folder: Path) -> None:
    async with running_rig(folder) as rig:
        config = folder / "changeover.yaml"
        assert (await _ask(rig, NEW_TASK)).status_code == 404
        config.write_text(_with_task(config.read_text()))
        plan = json.loads(await rig.run("plan", "-o", "json"))
        assert [(each["path"], each["effect"]) for each in plan["amendments"]] == [
            (f"deployments.{FRESH}", "new"),
            (f"tasks.{NEW_TASK}", "new"),
        ]
        await rig.run("apply", "--yes", "--reason", "a task for summaries")
        await _expect_answers(rig)
        exported = await rig.run("export")
        assert set(yaml.safe_load(exported)["tasks"]) == {TASK, NEW_TASK}
        (folder / "exported.yaml").write_text(exported)
        await rig.run("plan", "-f", "exported.yaml", "--detailed-exitcode")
        await rig.stop()
        await rig.serve()
        await _expect_answers(rig)
        assert "differ" not in rig.log()
        await rig.run("plan", "--detailed-exitcode")


async def _expect_answers(rig: Rig) -> None:
    """The new task is served by the new deployment in the way its request settings say, the old one as before."""
    answer = await _ask(rig, NEW_TASK, temperature=0.5)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-changeover-deployment"] == FRESH
    assert (await _ask(rig, TASK)).status_code == 200


async def _ask(rig: Rig, task: str, **fields: object) -> httpx2.Response:
    body = {"model": task, "messages": [{"role": "user", "content": "A first sentence. A second one, longer."}], **fields}
    async with httpx2.AsyncClient(base_url=rig.gateway, trust_env=False, timeout=10.0) as client:
        return await client.post("/v1/chat/completions", json=body)


def _with_task(text: str) -> str:
    settings = '{model: reasoner, version: "2026-10-01", request: {drop: [temperature]}}'
    task = f"  {NEW_TASK}: {{stable: {FRESH}, criteria: {{preset: none, errors: {{}}}}}}\n"
    return text.replace("tasks:\n", f"  {FRESH}: {settings}\ntasks:\n{task}")
