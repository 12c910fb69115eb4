"""Every cloud that ships, each holding the same resource: Azure's Resource Manager as the stage plays it, and the one in memory."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from changeover.adapters.azure import CLOUDS, ArmHttp, AzureCloud
from changeover.adapters.credentials import MemoryTokens
from changeover.adapters.memory_cloud import MemoryCloud
from changeover.adapters.system import SystemClock
from changeover.ports.cloud import Cloud
from changeover.ports.credentials import Token
from changeover.provision.actual import AccountKey, ActualAccount, ActualDeployment, FilterPolicy
from changeover.versions import ModelVersion

T = TypeVar("T")
KEY = "the-key-of-the-stage-0123"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
ACCOUNT = AccountKey(subscription=SUBSCRIPTION, resource_group="rg", name="aoai")
OLD, NEW = ModelVersion(name="gpt-4o", version="2024-08-06"), ModelVersion(name="gpt-4o", version="2024-11-20")
STAGE = """
accounts:
  - name: aoai
    resource_group: rg
    content_filters: [strict-v2]
    deployments:
      - {name: chat, model: gpt-4o, version: "2024-08-06", capacity: 5, content_filter: strict-v2}
conduct: {write_s: 0, page_size: 2}
"""
ON_STAGE = ActualDeployment(
    name="chat", model=OLD, sku="Standard", capacity=5, upgrade="OnceNewDefaultVersionAvailable", content_filter="strict-v2"
)


def memory_cloud() -> MemoryCloud:
    account = ActualAccount(
        name="aoai", subscription=SUBSCRIPTION, resource_group="rg", region="swedencentral", kind="OpenAI", endpoint="https://aoai"
    )
    cloud = MemoryCloud(account)
    cloud.hold(ACCOUNT, ON_STAGE)
    cloud.policies[ACCOUNT] = (FilterPolicy(name="strict-v2"),)
    return cloud


@contextmanager
def running_stage(folder: Path, stage: str = STAGE) -> Generator[str]:
    """The address of a local Azure that goes when this ends."""
    (folder / "accounts.yaml").write_text(stage)
    command = [
        sys.executable,
        "-m",
        "changeover.azure_sim",
        "--accounts",
        str(folder / "accounts.yaml"),
        "--key-env",
        "STAGE_KEY",
        "--lifeline",
    ]
    with subprocess.Popen(
        command, env={**os.environ, "STAGE_KEY": KEY}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder
    ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()


def on_azure(url: str, work: Callable[[Cloud], Awaitable[T]], *, key: str = KEY) -> T:
    """``work`` done with the client of Resource Manager at ``url``; it waits no longer than it must."""

    async def briefly(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))

    async def done() -> T:
        cloud = CLOUDS["public"]
        tokens = MemoryTokens(Token(value=key, expires_at=9e9))
        here = type(cloud)(endpoint=url, scope=cloud.scope, authority=cloud.authority)
        async with ArmHttp(here, here.identity("default"), tokens, SystemClock(), sleep=briefly) as http:
            return await work(AzureCloud(http))

    return asyncio.run(done())


def in_memory(cloud: MemoryCloud, work: Callable[[Cloud], Awaitable[T]]) -> T:
    async def done() -> T:
        return await work(cloud)

    return asyncio.run(done())
