"""A server that others may reach: nobody without a key, no secret anywhere, and what is not as approved is taken back."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2

from changeover.traffic.keys import is_secret
from tests.acceptance.rig import CANDIDATE, KEY, STABLE, TASK, Rig, running_rig, until

PROMPT = "A sentence that only its author may read. A second one. And a third."
WRONG = "ck-" + "w" * 43
PINNED = "summariser-2026-01-15"
OTHER_VERSION = "summariser-2025-01-01"


def test_a_server_behind_a_proxy_serves_who_has_a_key_and_keeps_no_secret(tmp_path: Path) -> None:
    asyncio.run(_guarded(tmp_path))


async def _guarded(folder: Path) -> None:
    async with running_rig(folder, "--behind-proxy") as rig:
        said = [await _ask(rig, None), await _ask(rig, WRONG)]
        assert [answer.status_code for answer in said] == [401, 401]
        secret = (await rig.run("key", "create", "mail-service", "--task", TASK)).strip()
        assert is_secret(secret)
        await until(lambda: _serves(rig, secret), what="the new key at the gateway")
        await _trouble(rig)
        said += [await _ask(rig, secret), await _ask(rig, secret, task="nobody"), await _ask(rig, secret, path="/v1/files")]
        outputs = [await rig.run(*words) for words in (("key", "ls"), ("events", "-o", "json"))]
        identity = (await rig.control("GET", "/api/v1/keys"))["keys"][0]["id"]
        outputs.append(await rig.run("key", "revoke", identity))
        await until(lambda: _refuses(rig, secret), what="the end of the revoked key")
        await rig.stop()
        kept = b"".join([*(answer.content for answer in said), *(text.encode() for text in outputs), *_files(folder)])
        token = (folder / ".changeover" / "token").read_bytes()
        for planted in (secret.encode(), WRONG.encode(), KEY.encode(), PROMPT.encode(), token):
            assert planted not in kept
        assert identity.encode() in kept, "the search would have found it"


async def _trouble(rig: Rig) -> None:
    """What is likely to be written down with too many words."""
    await _stand(rig, STABLE, {"condition": "failing"})


async def _serves(rig: Rig, secret: str) -> bool:
    return (await _ask(rig, secret)).status_code == 200


async def _refuses(rig: Rig, secret: str) -> bool:
    return (await _ask(rig, secret)).status_code == 401


def test_a_candidate_that_is_upgraded_overnight_is_rolled_back_on_the_first_answer_that_says_so(tmp_path: Path) -> None:
    asyncio.run(_upgraded(tmp_path))


async def _upgraded(folder: Path) -> None:
    async with running_rig(folder) as rig:
        await rig.run("rollout", "start", TASK, "--to", CANDIDATE)
        await _stand(rig, CANDIDATE, {"served_model": OTHER_VERSION})
        await until(lambda: _rolled_back(rig), what="the rollback")
        status = await rig.control("GET", "/api/v1/status")
        reason = status["tasks"][0]["rollout"]["reason"]
        assert reason == f"{CANDIDATE} answered as {OTHER_VERSION}, pinned is summariser-2026-06-01"
        assert [drift["found"] for drift in status["drifts"]] == [OTHER_VERSION]
        await _stand(rig, STABLE, {"served_model": OTHER_VERSION})
        await until(lambda: _drifted(rig, count=2), what="the alert about the stable")
        events = (await rig.control("GET", "/api/v1/events"))["events"]
        assert [event["change"]["type"] for event in events].count("drift_seen") == 2
        await until(lambda: "it is the stable of" in rig.log(), what="the alert in the log")
        assert (await _ask(rig, None)).status_code == 200, "a stable goes on serving"
        compared = json.loads(await rig.run("compare", TASK, "--by", "served-model", "-o", "json"))
        assert [(one["model"], one["contradicts"]) for one in compared["versions"]] == [(PINNED, False), (OTHER_VERSION, True)]
        assert [drift["found"] for drift in compared["drifts"]] == [OTHER_VERSION]


async def _rolled_back(rig: Rig) -> bool:
    await asyncio.gather(*(_ask(rig, None) for _ in range(10)))
    return (await rig.control("GET", "/api/v1/status"))["tasks"][0]["rollout"]["phase"] == "rolled_back"


async def _drifted(rig: Rig, *, count: int) -> bool:
    await _ask(rig, None)
    return len((await rig.control("GET", "/api/v1/status"))["drifts"]) == count


async def _ask(rig: Rig, secret: str | None, *, task: str = TASK, path: str = "/v1/chat/completions") -> httpx2.Response:
    headers = {} if secret is None else {"authorization": f"Bearer {secret}"}
    body = {"model": task, "messages": [{"role": "user", "content": PROMPT}]}
    async with httpx2.AsyncClient(base_url=rig.gateway, trust_env=False, timeout=10.0) as client:
        return await client.post(path, json=body, headers=headers)


async def _stand(rig: Rig, deployment: str, standing: dict[str, Any]) -> None:
    async with httpx2.AsyncClient(base_url=rig.stage, trust_env=False, headers={"api-key": KEY}) as client:
        answer = await client.put(f"/sim/deployments/{deployment}", json=standing)
        assert answer.is_success, answer.text


def _files(folder: Path) -> list[bytes]:
    """All that the product wrote: the state directory but for the token's own file, and its logs."""
    state = [path for path in (folder / ".changeover").rglob("*") if path.is_file() and path.name != "token"]
    return [path.read_bytes() for path in [*state, *folder.glob("serve-*.log")]]
