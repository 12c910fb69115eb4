"""What every cloud does, in memory and at Azure's Resource Manager."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import msgspec
import pytest

from changeover.ports.cloud import Cloud, CloudError
from changeover.provision.actual import ActualDeployment
from changeover.provision.plan import Act, Order, Step
from tests.contract.clouds import ACCOUNT, NEW, OLD, ON_STAGE, SUBSCRIPTION, in_memory, memory_cloud, on_azure, running_stage

Run = Callable[[Callable[[Cloud], Awaitable[Any]]], Any]
PINNED = "NoAutoUpgrade"
ORDER = Order(name="new", model=NEW, sku="Standard", capacity=3, upgrade=PINNED, content_filter="strict-v2")


@pytest.fixture(scope="session")
def stage_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_stage(tmp_path_factory.mktemp("stage")) as url:
        yield url


@pytest.fixture(params=["memory", "azure"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    if request.param == "memory":
        yield partial(in_memory, memory_cloud())
        return
    ran = partial(on_azure, request.getfixturevalue("stage_url"))
    yield ran
    ran(_as_at_first)


async def _as_at_first(cloud: Cloud) -> None:
    for each in await cloud.deployments(ACCOUNT):
        await cloud.carry_out(Step(act="delete", account=ACCOUNT, deployment=each.name), tell=_nobody)
    order = Order(name="chat", model=OLD, sku="Standard", capacity=5, upgrade="OnceNewDefaultVersionAvailable", content_filter="strict-v2")
    await cloud.carry_out(Step(act="create", account=ACCOUNT, deployment="chat", order=order), tell=_nobody)


def _nobody(line: str) -> None:
    """Nobody listens."""


def step(act: Act, name: str = "chat", order: Order | None = None) -> Step:
    return Step(act=act, account=ACCOUNT, deployment=name, order=order)


def carried_out(run: Run, *steps: Step) -> list[ActualDeployment | None]:
    async def work(cloud: Cloud) -> list[ActualDeployment | None]:
        return [await cloud.carry_out(each, tell=_nobody) for each in steps]

    return run(work)


def present(run: Run) -> dict[str, ActualDeployment]:
    async def work(cloud: Cloud) -> dict[str, ActualDeployment]:
        return {each.name: each for each in await cloud.deployments(ACCOUNT)}

    return run(work)


def refused(run: Run, wanted: Step) -> CloudError:
    with pytest.raises(CloudError) as caught:
        carried_out(run, wanted)
    return caught.value


def test_resources_are_found_by_subscription_with_their_deployments_and_policies(run: Run) -> None:
    async def work(cloud: Cloud) -> tuple[Any, ...]:
        (subscription,) = await cloud.subscriptions()
        (account,) = await cloud.accounts(subscription.id)
        return subscription.id, account.key, account.region, bool(account.endpoint), await cloud.filters(account.key)

    identifier, key, region, has_endpoint, filters = run(work)
    assert (identifier, key, region, has_endpoint) == (SUBSCRIPTION, ACCOUNT, "swedencentral", True)
    assert "strict-v2" in {each.name for each in filters}
    assert present(run) == {"chat": ON_STAGE}


def test_a_deployment_is_made_as_ordered_and_not_made_twice(run: Run) -> None:
    first, again = carried_out(run, step("create", "new", ORDER), step("create", "new", ORDER))
    wanted = ActualDeployment(name="new", model=NEW, sku="Standard", capacity=3, upgrade=PINNED, content_filter="strict-v2")
    assert first == again == wanted
    assert present(run) == {"chat": ON_STAGE, "new": wanted}


def test_more_than_a_page_of_deployments_are_all_listed(run: Run) -> None:
    names = [f"new-{index}" for index in range(4)]
    carried_out(run, *(step("create", name, msgspec.structs.replace(ORDER, name=name, capacity=1)) for name in names))
    assert set(present(run)) == {"chat", *names}


def test_a_pin_changes_the_upgrade_option_alone_and_is_proven(run: Run) -> None:
    order = Order(name="chat", model=OLD, sku="Standard", capacity=5, upgrade=PINNED)
    (pinned,) = carried_out(run, step("pin", "chat", order))
    assert pinned == msgspec.structs.replace(ON_STAGE, upgrade=PINNED)
    assert present(run) == {"chat": pinned}


def test_capacity_is_changed_in_place(run: Run) -> None:
    order = Order(name="chat", model=OLD, sku="Standard", capacity=9, upgrade=PINNED)
    (grown,) = carried_out(run, step("update", "chat", order))
    assert grown is not None
    assert (grown.capacity, grown.content_filter) == (9, "strict-v2")


def test_a_deployment_is_paused_and_goes_on(run: Run) -> None:
    paused, still, resumed = carried_out(run, step("pause"), step("pause"), step("resume"))
    assert paused is not None
    assert still is not None
    assert resumed is not None
    assert (paused.paused, still.paused, resumed.paused) == (True, True, False)


def test_what_is_deleted_is_gone_and_deleting_it_again_is_no_fault(run: Run) -> None:
    assert carried_out(run, step("delete"), step("delete")) == [None, None]
    assert present(run) == {}


@pytest.mark.parametrize("act", ["create", "replace", "pin", "update"])
def test_a_version_never_changes_under_a_name(run: Run, act: Act) -> None:
    error = refused(run, step(act, "chat", msgspec.structs.replace(ORDER, name="chat")))
    assert error.fault == "changed"
    assert "chat has gpt-4o 2024-08-06 by now, the plan says gpt-4o 2024-11-20" in str(error)
    assert present(run) == {"chat": ON_STAGE}


@pytest.mark.parametrize("act", ["pin", "update"])
def test_what_is_gone_by_now_is_not_made_anew_by_a_change(run: Run, act: Act) -> None:
    assert refused(run, step(act, "new", ORDER)).fault == "changed"
    assert refused(run, step("pause", "new")).fault == "missing"


def test_a_resource_that_is_not_there_is_told(run: Run) -> None:
    async def work(cloud: Cloud) -> None:
        await cloud.deployments(msgspec.structs.replace(ACCOUNT, name="other"))

    with pytest.raises(CloudError) as caught:
        run(work)
    assert caught.value.fault == "missing"


def test_what_a_region_offers_comes_with_dates_skus_and_quota(stage_url: str) -> None:
    async def work(cloud: Cloud) -> Any:
        return await cloud.region(SUBSCRIPTION, "swedencentral")

    region = on_azure(stage_url, work)
    (offer,) = [each for each in region.offers if each.model == NEW][:1]
    sold = offer.sku("Standard")
    assert sold is not None
    assert offer.retirement_of("Standard") is not None
    quota = next(each for each in region.quotas if each.name == sold.quota)
    assert (quota.subscription, quota.region) == (SUBSCRIPTION, "swedencentral")
    assert 0 <= quota.used <= quota.limit


def test_a_wish_beyond_the_quota_is_refused_in_azures_own_words(stage_url: str) -> None:
    error = refused(partial(on_azure, stage_url), step("create", "huge", msgspec.structs.replace(ORDER, name="huge", capacity=999_999)))
    assert (error.fault, error.code) == ("refused", "InsufficientQuota")
    assert "bigger than the current available capacity" in str(error)
