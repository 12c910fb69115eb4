"""Calls to a resource's data plane without a socket."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx2

from changeover.azure_sim.data_plane import DataPlane
from changeover.azure_sim.resource import Resource
from changeover.azure_sim.stage import Latency, Method, Stage, StagedDeployment

KEY = "a-key-of-this-test"
V1 = "/openai/v1/chat/completions"
DOCUMENT = "The reader opens a file (in text mode), which must exist. It never writes. The file is closed at the end."
AT_ONCE = Latency(first_token_ms=0.0, per_token_ms=0.0)


def dated(deployment: str, query: str = "?api-version=2024-10-21") -> str:
    return f"/openai/deployments/{deployment}/chat/completions{query}"


def a_stage(*, capacity: int = 1000) -> Stage:
    methods: tuple[tuple[str, str, Method], ...] = (
        ("prod-v0115", "2026-01-15", "first-sentence"),
        ("prod-v0901", "2026-09-01", "last-sentence"),
    )
    return Stage(
        account="aoai-test",
        region="Test Region",
        deployments=tuple(
            StagedDeployment(name=name, version=version, method=method, latency=AT_ONCE, capacity=capacity)
            for name, version, method in methods
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request. ``key`` and ``bearer`` are sent where given."""

    path: str = dated("prod-v0115")
    method: str = "POST"
    json: Any = None
    body: bytes | None = None
    key: str | None = KEY
    bearer: str | None = None
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


def chat(document: str = DOCUMENT, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "system", "content": "Summarise."}, {"role": "user", "content": document}], **more}


def ask(resource: Resource, *calls: Call) -> list[httpx2.Response]:
    """The replies to ``calls``, made one after the other."""

    async def all_of_them() -> list[httpx2.Response]:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(DataPlane(resource)), base_url="http://sim") as client:
            return [await _send(client, call) for call in calls]

    return asyncio.run(all_of_them())


def ask_one(resource: Resource, call: Call) -> httpx2.Response:
    return ask(resource, call)[0]


async def _send(client: httpx2.AsyncClient, call: Call) -> httpx2.Response:
    headers = {"api-key": call.key} if call.key is not None else {}
    if call.bearer is not None:
        headers["authorization"] = f"Bearer {call.bearer}"
    if call.content_type is not None:
        headers["content-type"] = call.content_type
    headers |= dict(call.headers)
    return await client.request(call.method, call.path, json=call.json, content=call.body, headers=headers)
