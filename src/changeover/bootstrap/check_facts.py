"""What does a check know besides the file? The day, the shipped list of retirements, and Azure where it is to be asked."""

import asyncio
from importlib.resources import files
from typing import Final

from changeover.adapters.system import SystemClock
from changeover.bootstrap.cloud import CloudWay, open_cloud
from changeover.bootstrap.provisioning import read_known
from changeover.settings.declared import Declared
from changeover.settings.rules.azure_facts import read_backs
from changeover.settings.rules.facts import ReadBack
from changeover.versions.dates import DAY_S
from changeover.versions.retirements import RetirementList, read_list

SHIPPED_LIST: Final = "azure_retirements.json"


def shipped_list() -> RetirementList:
    return read_list(files("changeover.versions").joinpath(SHIPPED_LIST).read_bytes())


def today_at() -> float:
    """The first moment of the present day in UTC: a check says the same all day."""
    return SystemClock().now() // DAY_S * DAY_S


def ask_azure(way: CloudWay, declared: Declared, *, now: float) -> dict[str, ReadBack]:
    """What Azure says of the deployments in accounts that say where they are; it is read and never written.

    Raises:
        CloudError: one of them cannot be read.
        EgressError: the environment names a proxy that is none, or certificates that are none.
    """
    if not any(account.subscription for account in declared.accounts.values()):
        return {}

    async def ask() -> dict[str, ReadBack]:
        async with open_cloud(way) as cloud:
            return read_backs(declared, await read_known(cloud, declared), now=now)

    return asyncio.run(ask())
