"""A response is continued by who made it, also when nobody of those who saw it made lives any more."""

import asyncio
from pathlib import Path

import httpx2

from changeover.exchange.issuer import hash_response
from tests.acceptance.rig import CANDIDATE, STABLE, TASK, Rig, running_rig, until


async def ask(rig: Rig, **fields: str) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=rig.gateway, trust_env=False, timeout=10.0) as client:
        answer = await client.post("/v1/responses", json={"model": TASK, "input": "A first sentence. A second one.", **fields})
        assert answer.status_code == 200, answer.text
        return answer


def test_after_the_whole_server_was_killed_a_continuation_still_reaches_the_issuer(tmp_path: Path) -> None:
    asyncio.run(_continue_after_a_kill(tmp_path))


async def _continue_after_a_kill(folder: Path) -> None:
    async with running_rig(folder) as rig:
        await rig.control("POST", f"/api/v1/tasks/{TASK}/split", {"weights": {STABLE: 50, CANDIDATE: 50}})
        made: dict[str, str] = {}

        async def both_have_made_one() -> bool:
            answer = await ask(rig)
            made[answer.headers["x-changeover-deployment"]] = answer.json()["id"]
            return len(made) == 2

        await until(both_have_made_one, what="a response of either side")
        for response_id in made.values():
            await until(lambda response_id=response_id: is_kept(rig, response_id), what="the issuer in the control plane")
        await rig.kill(group=True)
        await rig.serve()
        for deployment, response_id in made.items():
            continued = await ask(rig, previous_response_id=response_id)
            assert continued.headers["x-changeover-deployment"] == deployment


async def is_kept(rig: Rig, response_id: str) -> bool:
    transport = httpx2.AsyncHTTPTransport(uds=rig.socket)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", trust_env=False) as client:
        found = await client.get("/dp/issuer", params={"response": hash_response(response_id)})
        return found.status_code == 200
