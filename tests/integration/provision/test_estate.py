"""Everything that an identity may see is read; what it may not see holds up nothing."""

import asyncio

import pytest

from changeover.adapters.memory_cloud import MemoryCloud
from changeover.bootstrap.cloud import Wanted, read_estate
from changeover.bootstrap.provisioning import plan_from
from changeover.ports.cloud import CloudError, Subscription
from changeover.provision.actual import ActualAccount
from changeover.provision.estate import Estate
from changeover.provision.known import Region
from changeover.settings.file import parse
from changeover.versions.naming import NamePolicy
from tests.unit.provision.clouds import NOW, OFFERS, there


class Clock:
    def now(self) -> float:
        return NOW


def account(name: str, subscription: str) -> ActualAccount:
    return ActualAccount(
        name=name, subscription=subscription, resource_group="rg", region="swedencentral", kind="OpenAI", endpoint=f"https://{name}"
    )


def cloud() -> MemoryCloud:
    made = MemoryCloud(account("one", "s"), account("two", "s"), account("far", "t"))
    made.hold(account("one", "s").key, there("chat"))
    made.hold(account("far", "t").key, there("gpt4o-prod-v0513", upgrade="NoAutoUpgrade"))
    made.regions["s", "swedencentral"] = Region(offers=OFFERS)
    return made


def read(found: MemoryCloud, **wanted: str) -> Estate:
    return asyncio.run(read_estate(found, Wanted(**wanted), policy=NamePolicy(), clock=Clock()))


def test_every_resource_of_every_subscription_is_read() -> None:
    estate = read(cloud())
    assert {each.account.name: len(each.deployments) for each in estate.accounts} == {"one": 1, "two": 0, "far": 1}
    (chat,) = estate.accounts[0].deployments
    assert {each.trouble for each in chat.troubles} == {"unpinned", "retiring", "misnamed"}
    assert estate.unseen == ()


@pytest.mark.parametrize(
    ("wanted", "names"), [({"resource": "TWO"}, {"two"}), ({"subscription": "t"}, {"far"}), ({"resource": "x"}, set())]
)
def test_one_resource_or_subscription_can_be_asked_for(wanted: dict[str, str], names: set[str]) -> None:
    estate = read(cloud(), **wanted)
    assert {each.account.name for each in estate.accounts} == names
    assert names <= set(estate.names)


def test_what_may_not_be_seen_is_said_and_the_rest_is_read() -> None:
    found = cloud()
    found.failing.add("t")
    estate = read(found)
    assert {each.account.name for each in estate.accounts} == {"one", "two"}
    assert estate.unseen == ("subscription t may not be looked at",)


class NoToken(MemoryCloud):
    async def subscriptions(self) -> tuple[Subscription, ...]:
        raise CloudError("no-token", "nobody is signed in")


def test_without_an_identity_nothing_is_read() -> None:
    with pytest.raises(CloudError, match="nobody is signed in"):
        read(NoToken())


class NoRegion(MemoryCloud):
    async def region(self, subscription: str, region: str) -> Region:
        raise CloudError("forbidden", "you may not read the subscription")


FILE = """\
version: 1
accounts:
  one: {kind: azure-openai, endpoint: https://one, subscription: 00000000-0000-0000-0000-000000000001, resource_group: rg}
deployments:
  chat: {model: gpt-4o, version: "2024-05-13"}
tasks:
  chat: {stable: chat}
"""


def test_who_may_read_a_resource_alone_can_still_pin_its_deployments() -> None:
    place = account("one", "00000000-0000-0000-0000-000000000001")
    found = NoRegion(place)
    found.hold(place.key, there("chat"))
    planned = asyncio.run(plan_from(found, parse(FILE), policy=NamePolicy(), now=NOW))
    assert [step.act for step in planned.plan.steps] == ["pin"]
    assert planned.known.unread == ("you may not read the subscription",)
