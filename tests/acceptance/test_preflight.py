"""A rollout to a version that refuses parameters: stopped at its start with what mends it, passed with that, and safe without."""

import asyncio
import json
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2

from tests.acceptance.rig import DEADLINE_S, KEY, STABLE, TASK, Rig, until

REASONER = "reasoner-prod-v1001"
SETTINGS = "{rename: {max_tokens: max_completion_tokens}, drop: [temperature, top_p]}"
FILE = """
version: 1
accounts:
  aoai: {{kind: azure-openai, endpoint: "{endpoint}", auth: {{env: ACCEPTANCE_KEY}}}}
deployments:
  summariser-prod-v0115: {{model: summariser, version: "2026-01-15"}}
  gone-prod-v0101: {{model: summariser, version: "2025-01-01"}}
  reasoner-prod-v1001: {{model: reasoner, version: "2026-10-01"{request}}}
tasks:
  docstring-summaries:
    stable: summariser-prod-v0115
    criteria: {{preset: none, errors: {{max_ratio: 1.5, margin_pp: 2}}}}
evidence: {{block: 1s, min_blocks: 3}}
"""
TEXT = "A sentence that only its author may read. A second one. And a third."
BODY = {"max_tokens": 200, "temperature": 0.2, "top_p": 0.9, "stream": False, "user": "somebody@example.com"}


class Ended:
    """How a command ended."""

    def __init__(self, code: int | None, output: bytes, errors: bytes) -> None:
        self.code, self.output, self.errors = code, output.decode(), errors.decode()


class ReasonerRig(Rig):
    """The stage with a server that knows its reasoner, with ``request`` settings or without."""

    async def begin(self, request: str = "") -> None:
        stage = await self._spawn("sim", "changeover.azure_sim", "--port", "0", "--key-env", "ACCEPTANCE_KEY", "--lifeline")
        assert stage.stdout is not None
        self.stage = json.loads(await asyncio.wait_for(stage.stdout.readline(), DEADLINE_S))["url"]
        text = FILE.format(endpoint=self.stage, request=f", request: {request}" if request else "")
        (self.folder / "changeover.yaml").write_text(text)
        await self.serve()
        await until(self._has_table, what="the gateway's first table")

    async def _has_table(self) -> bool:
        async with httpx2.AsyncClient(base_url=self.gateway, trust_env=False, timeout=10.0) as client:
            return (await client.get("/readyz")).is_success

    async def ask(self, **more: object) -> httpx2.Response:
        body = {"model": TASK, "messages": [{"role": "user", "content": TEXT}], **more}
        async with httpx2.AsyncClient(base_url=self.gateway, trust_env=False, timeout=10.0) as client:
            return await client.post("/v1/chat/completions", json=body)

    async def start_rollout(self, *words: str, to: str = REASONER) -> Ended:
        arguments = ("-m", "changeover", "rollout", "start", TASK, "--to", to, *words)
        process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=self.folder, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
        output, errors = await process.communicate()
        return Ended(process.returncode, output, errors)

    async def knows(self, shapes: int) -> bool:
        """Whether the control plane has heard of that many shapes of the task's requests: asked of its own file."""
        return len(self.kept()) == shapes

    def kept(self) -> list[str]:
        connection = sqlite3.connect(f"file:{self.folder / '.changeover' / 'changeover.db'}?mode=ro", uri=True)
        try:
            return [body for (body,) in connection.execute("SELECT body FROM request_shapes")]
        finally:
            connection.close()

    async def events(self) -> list[Any]:
        return (await self.control("GET", "/api/v1/events"))["events"]

    async def started(self) -> Any:
        """The event of the start: others may have followed."""
        return next(event for event in await self.events() if event["change"]["type"] == "rollout_started")


def run(story: Callable[[ReasonerRig], Awaitable[None]], folder: Path) -> None:
    async def whole() -> None:
        rig = ReasonerRig(folder)
        try:
            await story(rig)
        finally:
            await rig.close()

    asyncio.run(whole())


def test_a_start_is_refused_with_every_unsupported_parameter_and_the_settings_that_mend_them(tmp_path: Path) -> None:
    async def story(rig: ReasonerRig) -> None:
        await rig.begin()
        assert (await rig.ask(**BODY)).status_code == 200
        await until(lambda: rig.knows(1), what="the shape of the request")
        assert TEXT not in rig.kept()[0]
        assert "somebody" not in rig.kept()[0]
        ended = await rig.start_rollout()
        assert ended.code == 3, ended.errors
        assert f"{REASONER} refuses what {TASK} is asked with: max_tokens, temperature, top_p" in ended.errors
        assert "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead." in ended.errors
        assert "'temperature' does not support 0.2 with this model" in ended.errors
        assert f"    request: {SETTINGS}" in ended.errors
        assert f"trying {REASONER} with" in ended.errors
        assert "rollout_started" not in [event["change"]["type"] for event in await rig.events()]
        assert KEY not in ended.errors

    run(story, tmp_path)


def test_the_same_rollout_starts_with_those_settings_and_serves_everybody(tmp_path: Path) -> None:
    async def story(rig: ReasonerRig) -> None:
        await rig.begin(SETTINGS)
        await rig.ask(**BODY)
        await rig.ask(**BODY, seed=7)
        await until(lambda: rig.knows(2), what="the shapes of the requests")
        ended = await rig.start_rollout()
        assert ended.code == 0, ended.errors
        started = (await rig.started())["change"]
        assert started["preflight"]["shapes"] == started["preflight"]["known"] == 3, "two shapes, one also with its largest limit"
        answers = await asyncio.gather(*(rig.ask(**BODY) for _ in range(60)))
        assert {answer.status_code for answer in answers} == {200}
        assert REASONER in {answer.headers["x-changeover-deployment"] for answer in answers}

    run(story, tmp_path)


def test_bad_lines_of_a_file_are_named_what_cannot_be_tried_does_not_start_and_skipping_the_trial_is_recorded(tmp_path: Path) -> None:
    async def story(rig: ReasonerRig) -> None:
        await rig.begin()
        body = {"messages": [{"role": "user", "content": TEXT}], "presence_penalty": 0.5}
        file = rig.folder / "requests.jsonl"
        file.write_text(json.dumps(body) + "\n{no json\n\n[1]\n")
        ended = await rig.start_rollout("--requests", str(file))
        assert ended.code == 2, ended.errors
        assert "  line 2: " in ended.errors
        assert "  line 4: " in ended.errors
        file.write_text(json.dumps(body) + "\n")
        ended = await rig.start_rollout("--requests", str(file))
        assert ended.code == 3, ended.errors
        assert "request: {drop: [presence_penalty]}" in ended.errors
        ended = await rig.start_rollout(to="gone-prod-v0101")
        assert ended.code == 5, ended.errors
        assert "gone-prod-v0101: there is no such deployment" in ended.errors
        ended = await rig.start_rollout("--skip-preflight", "--reason", "it is being made", to="gone-prod-v0101")
        assert ended.code == 0, ended.errors
        started = await rig.started()
        assert (started["change"]["preflight"], started["reason"]) == ({"skipped": True}, "it is being made")

    run(story, tmp_path)


def test_a_parameter_that_only_the_candidate_refuses_is_answered_by_the_stable_and_trips_the_errors_guardrail(tmp_path: Path) -> None:
    async def story(rig: ReasonerRig) -> None:
        await rig.begin()
        ended = await rig.start_rollout()
        assert ended.code == 0, ended.errors
        assert f"no request of {TASK} has been seen yet: one plain request shows whether {REASONER} answers" in ended.errors
        assert (await rig.started())["change"]["preflight"] == {"sent": 1}
        failed: list[int] = []

        async def rolled_back() -> bool:
            answers = await asyncio.gather(*(rig.ask(**BODY) for _ in range(25)))
            failed.extend(answer.status_code for answer in answers if answer.status_code != 200)
            assert {answer.headers["x-changeover-deployment"] for answer in answers} == {STABLE}
            return (await rig.control("GET", "/api/v1/status"))["tasks"][0]["rollout"]["phase"] == "rolled_back"

        await until(rolled_back, what="the rollback")
        assert not failed
        reason = (await rig.control("GET", "/api/v1/status"))["tasks"][0]["rollout"]["reason"]
        assert "errors" in reason

    run(story, tmp_path)
