"""How are a file's deployments planned and made in Azure? Reads what the plan needs, carries steps out account by account."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from changeover.adapters.system import SystemClock
from changeover.bootstrap.cloud import CloudWay, open_cloud
from changeover.ports.cloud import Cloud, CloudError, CloudReader
from changeover.provision.actual import AccountKey, ActualAccount, ActualDeployment
from changeover.provision.known import Known, Region
from changeover.provision.plan import ProvisionPlan, Step
from changeover.provision.planning import found_under, plan_deployments
from changeover.settings.declared import Declared
from changeover.versions import Account
from changeover.versions.naming import NamePolicy

STOPPING: Final = frozenset({"no-token", "forbidden", "busy", "unreachable"})
"""After one of these the rest of an account is not tried: it would go the same way."""


class Planned(NamedTuple):
    plan: ProvisionPlan
    known: Known


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a step. ``fault`` is empty where it was done; ``after`` is what was read back."""

    step: Step
    fault: str = ""
    after: ActualDeployment | None = None


Progress = Callable[[Step, str], None]


async def read_known(cloud: CloudReader, declared: Declared) -> Known:
    """What is there of the accounts of which the file says where they are.

    Raises:
        CloudError: one of them cannot be read, or is not there: a plan over half of it would be none.
    """
    placed = {name: each for name, each in declared.accounts.items() if each.subscription}
    subscriptions = tuple(dict.fromkeys(each.subscription for each in placed.values()))
    listed = await asyncio.gather(*map(cloud.accounts, subscriptions))
    actual = {name: _found(each, [one for some in listed for one in some]) for name, each in placed.items()}
    places = tuple(dict.fromkeys((each.subscription, each.region) for each in actual.values()))
    read = await asyncio.gather(*(_region(cloud, *place) for place in places))
    deployments = await asyncio.gather(*(cloud.deployments(each.key) for each in actual.values()))
    return Known(
        accounts=actual,
        deployments=dict(zip(actual, deployments, strict=True)),
        regions={place: each for place, each in zip(places, read, strict=True) if isinstance(each, Region)},
        unread=tuple(str(each) for each in read if isinstance(each, CloudError)),
        stables={each.candidate: declared.tasks[each.task].stable for each in declared.rollouts.values() if each.task in declared.tasks},
    )


async def plan_from(cloud: CloudReader, declared: Declared, *, policy: NamePolicy, now: float) -> Planned:
    """See ``plan_deployments``."""
    known = await read_known(cloud, declared)
    return Planned(plan_deployments(declared.deployments, known, policy=policy, now=now), known)


async def carry_out_all(cloud: Cloud, steps: Sequence[Step], *, tell: Progress) -> list[Outcome]:
    """Accounts beside each other, the steps of one after another. It may be repeated: what is done is not done twice."""
    by_account: dict[AccountKey, list[Step]] = {}
    for step in steps:
        by_account.setdefault(step.account, []).append(step)
    done = await asyncio.gather(*(_carry_out(cloud, each, tell) for each in by_account.values()))
    return [outcome for some in done for outcome in some]


def plan_azure(way: CloudWay, declared: Declared, *, policy: NamePolicy) -> Planned:
    """The plan as of now, nothing written. Raises ``CloudError``, ``EgressError``."""

    async def work() -> Planned:
        async with open_cloud(way) as cloud:
            return await plan_from(cloud, declared, policy=policy, now=SystemClock().now())

    return asyncio.run(work())


def read_azure(way: CloudWay, declared: Declared) -> Known:
    """What is there. Raises ``CloudError``, ``EgressError``."""

    async def work() -> Known:
        async with open_cloud(way) as cloud:
            return await read_known(cloud, declared)

    return asyncio.run(work())


def seen_in_azure(way: CloudWay, steps: Sequence[Step]) -> tuple[ActualDeployment | None, ...]:
    """What stands now where each step is to write. Raises ``CloudError``, ``EgressError``."""

    async def work() -> tuple[ActualDeployment | None, ...]:
        async with open_cloud(way) as cloud:
            accounts = tuple(dict.fromkeys(step.account for step in steps))
            listed = dict(zip(accounts, await asyncio.gather(*map(cloud.deployments, accounts)), strict=True))
            return tuple(found_under(listed[step.account], step.deployment) for step in steps)

    return asyncio.run(work())


def change_azure(way: CloudWay, steps: Sequence[Step], *, tell: Progress) -> list[Outcome]:
    """Raises ``CloudError`` where Azure cannot be asked at all, ``EgressError``."""

    async def work() -> list[Outcome]:
        async with open_cloud(way) as cloud:
            return await carry_out_all(cloud, steps, tell=tell)

    return asyncio.run(work())


async def _carry_out(cloud: Cloud, steps: Sequence[Step], tell: Progress) -> list[Outcome]:
    outcomes: list[Outcome] = []
    stopped = ""
    for step in steps:
        if stopped:
            outcomes.append(Outcome(step=step, fault=f"not tried after: {stopped}"))
            continue
        tell(step, "begins")
        try:
            after = await cloud.carry_out(step, tell=_told(step, tell))
        except CloudError as error:
            outcomes.append(Outcome(step=step, fault=str(error)))
            tell(step, f"failed: {error}")
            stopped = str(error) if error.fault in STOPPING else ""
        else:
            outcomes.append(Outcome(step=step, after=after))
            tell(step, "done")
    return outcomes


async def _region(cloud: CloudReader, subscription: str, region: str) -> Region | CloudError:
    """Who may read a resource may not always read its subscription; its deployments can be pinned all the same."""
    try:
        return await cloud.region(subscription, region)
    except CloudError as error:
        if error.fault != "forbidden":
            raise
        return error


def _told(step: Step, tell: Progress) -> Callable[[str], None]:
    return lambda line: tell(step, line)


def _found(account: Account, listed: Sequence[ActualAccount]) -> ActualAccount:
    wanted = (account.subscription.casefold(), account.resource_group.casefold(), account.name.casefold())
    for each in listed:
        if (each.subscription.casefold(), each.resource_group.casefold(), each.name.casefold()) == wanted:
            return each
    names = ", ".join(sorted(f"{each.resource_group}/{each.name}" for each in listed)) or "none"
    raise CloudError("missing", f"found no resource {account.resource_group}/{account.name}; there are {names}")
