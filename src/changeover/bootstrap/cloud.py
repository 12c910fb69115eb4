"""How is Azure reached from here, and what is found there? Joins the cloud's port to Resource Manager."""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Final, Literal

import msgspec

from changeover.adapters.azure import CLOUDS, ArmHttp, AzureCloud
from changeover.adapters.credentials import EntraTokens
from changeover.adapters.system import SystemClock
from changeover.gateway.egress import CA_BUNDLE_VARIABLE, egress_from
from changeover.ports.clock import Clock
from changeover.ports.cloud import Cloud, CloudError, CloudReader
from changeover.provision.actual import ActualAccount
from changeover.provision.estate import Estate, FoundAccount
from changeover.provision.known import Region
from changeover.provision.survey import survey
from changeover.settings.endpoints import ENDPOINT_EXPECTED, endpoint_fault
from changeover.versions import EntraMethod
from changeover.versions.naming import NamePolicy

ENDPOINT_VARIABLE: Final = "CHANGEOVER_ARM_ENDPOINT"
"""Another address of Resource Manager: a private one, or the stage of a rehearsal."""
AT_ONCE_MAX: Final = 8
CloudName = Literal["public", "usgov", "china"]


class CloudWay(msgspec.Struct, frozen=True, kw_only=True):
    """Which cloud, and who asks. ``endpoint`` takes the place of the cloud's own."""

    cloud: CloudName = "public"
    method: EntraMethod = "default"
    client_id: str = ""
    endpoint: str = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to look at; empty means everything the identity can see."""

    resource: str = ""
    subscription: str = ""


@asynccontextmanager
async def open_cloud(way: CloudWay) -> AsyncGenerator[Cloud]:
    """Azure, to be closed.

    Raises:
        CloudError: the endpoint cannot be used.
    """
    cloud = CLOUDS[way.cloud]
    endpoint = (way.endpoint or os.environ.get(ENDPOINT_VARIABLE, "")).rstrip("/")
    if endpoint:
        fault = endpoint_fault(endpoint)
        if fault is not None:
            raise CloudError("refused", f"{ENDPOINT_VARIABLE}: found {fault}; expected {ENDPOINT_EXPECTED}")
        cloud = msgspec.structs.replace(cloud, endpoint=endpoint)
    ca_file = os.environ.get(CA_BUNDLE_VARIABLE)
    tls = egress_from(os.environ, ca_file=ca_file).tls_context()
    identity = cloud.identity(way.method, client_id=way.client_id)
    async with ArmHttp(cloud, identity, EntraTokens(ca_file=ca_file), SystemClock(), tls=tls) as http:
        yield AzureCloud(http)


def look_at_azure(way: CloudWay, wanted: Wanted, *, policy: NamePolicy) -> Estate:
    """Read what ``wanted`` names; nothing is written to Azure.

    Raises:
        CloudError: nothing could be read at all.
        EgressError: the environment names a proxy that is none, or certificates that are none.
    """

    async def look() -> Estate:
        async with open_cloud(way) as cloud:
            return await read_estate(cloud, wanted, policy=policy, clock=SystemClock())

    return asyncio.run(look())


async def read_estate(cloud: CloudReader, wanted: Wanted, *, policy: NamePolicy, clock: Clock) -> Estate:
    """Every resource with its deployments. What may not be seen is said, and holds up nothing else."""
    subscriptions = (wanted.subscription,) if wanted.subscription else tuple(each.id for each in await cloud.subscriptions())
    unseen: list[str] = []
    names: list[str] = []
    accounts: list[ActualAccount] = []
    for listed in await asyncio.gather(*(_accounts(cloud, each) for each in subscriptions)):
        if isinstance(listed, CloudError):
            unseen.append(str(listed))
        else:
            names += [each.name for each in listed]
            accounts += [each for each in listed if wanted.resource.casefold() in ("", each.name.casefold())]
    found = await _read_all(cloud, accounts, policy=policy, now=clock.now())
    unseen += [str(each) for each in found if isinstance(each, CloudError)]
    seen = tuple(each for each in found if isinstance(each, FoundAccount))
    return Estate(accounts=seen, names=tuple(names), unseen=tuple(unseen))


async def _accounts(cloud: CloudReader, subscription: str) -> tuple[ActualAccount, ...] | CloudError:
    try:
        return await cloud.accounts(subscription)
    except CloudError as error:
        if error.fault == "no-token":
            raise
        return error


async def _read_all(
    cloud: CloudReader, accounts: Iterable[ActualAccount], *, policy: NamePolicy, now: float
) -> list[FoundAccount | CloudError]:
    turns = asyncio.Semaphore(AT_ONCE_MAX)
    listed = list(accounts)
    places = dict.fromkeys((each.subscription, each.region) for each in listed)

    async def offered(place: tuple[str, str]) -> Region | CloudError:
        async with turns:
            try:
                return await cloud.region(*place)
            except CloudError as error:
                return error

    async def read(account: ActualAccount) -> FoundAccount | CloudError:
        async with turns:
            try:
                deployments = await cloud.deployments(account.key)
            except CloudError as error:
                return error
        region = regions[account.subscription, account.region]
        offers = () if isinstance(region, CloudError) else region.offers
        return FoundAccount(account=account, deployments=survey(account, deployments, offers, policy=policy, now=now))

    regions = dict(zip(places, await asyncio.gather(*map(offered, places)), strict=True))
    faults = [each for each in regions.values() if isinstance(each, CloudError)]
    return [*await asyncio.gather(*map(read, listed)), *faults]
