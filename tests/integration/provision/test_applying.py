"""A file's deployments made and pinned at Azure, through everything that may go wrong on the way."""

import asyncio
from collections.abc import Iterator

import msgspec
import pytest

from changeover.bootstrap.provisioning import Outcome, Planned, carry_out_all, plan_from
from changeover.ports.cloud import Cloud, CloudError
from changeover.provision.drift import cloud_drifts
from changeover.provision.plan import Step
from changeover.settings.declared import Declared
from changeover.settings.file import parse
from changeover.versions.naming import NamePolicy
from tests.contract.clouds import on_azure
from tests.integration.azure_sim.stand_in import Azure, Declaration, DeclaredAccount, DeclaredDeployment, one_account, running_azure

NOW = 1_795_176_000.0  # noon of 20 November 2026
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
REGIONS = ("swedencentral", "westeurope", "eastus2", "westus3")


def file_text(accounts: dict[str, list[str]]) -> str:
    """A file with these lines of deployments by account; every deployment is a task."""
    lines = ["version: 1", "accounts:"]
    place = f"subscription: {SUBSCRIPTION}, resource_group: rg"
    lines += [f"  {name}: {{kind: azure-openai, endpoint: 'https://{name}.openai.azure.com', {place}}}" for name in accounts]
    lines += ["deployments:"]
    names: list[str] = []
    for account, deployments in accounts.items():
        for each in deployments:
            name, _, rest = each.partition(" ")
            names.append(name)
            lines.append(f"  {name}: {{account: {account}, model: gpt-4o, {rest}}}")
    return "\n".join([*lines, "tasks:", *(f"  {name}: {{stable: {name}}}" for name in names)]) + "\n"


def planned(azure: Azure, declared: Declared, *, now: float = NOW) -> Planned:
    async def work(cloud: Cloud) -> Planned:
        return await plan_from(cloud, declared, policy=NamePolicy(), now=now)

    return on_azure(azure.url, work, key=azure.key)


def applied(azure: Azure, declared: Declared, *, killed_after: int | None = None) -> list[Outcome]:
    steps = planned(azure, declared).plan.steps

    async def work(cloud: Cloud) -> list[Outcome]:
        done: list[Step] = []
        whole = asyncio.current_task()
        assert whole is not None

        def tell(step: Step, line: str) -> None:
            if line == "done":
                done.append(step)
                if len(done) == killed_after:
                    whole.cancel()

        return await carry_out_all(cloud, steps, tell=tell)

    return on_azure(azure.url, work, key=azure.key)


@pytest.fixture
def grown() -> Iterator[Azure]:
    """Plainly named and unpinned, as people make them."""
    gpt, chat = (
        DeclaredDeployment(name="gpt-4o", model="gpt-4o", version="2024-08-06", capacity=50),
        DeclaredDeployment(name="chat", model="gpt-4o", version="2024-08-06", capacity=10, upgrade=None),
    )
    with running_azure(one_account(gpt, chat, name="aoai", group="rg")) as azure:
        yield azure


def version(azure: Azure, name: str) -> str:
    path = f"{azure.account_path('aoai', 'rg')}/deployments/{name}"
    return str(azure.arm("GET", path).raise_for_status().json()["properties"]["model"]["version"])


def test_what_is_pinned_stays_when_the_default_changes_and_what_is_not_moves(grown: Azure) -> None:
    declared = parse(file_text({"aoai": ['gpt-4o version: "2024-08-06"']}))
    (outcome,) = applied(grown, declared)
    assert outcome.after is not None
    assert (outcome.step.act, outcome.after.upgrade) == ("pin", "NoAutoUpgrade")
    grown.tell("defaults", [{"model": "gpt-4o", "version": "2024-11-20", "at": "2026-12-01"}])
    grown.advance(days=40)
    assert (version(grown, "gpt-4o"), version(grown, "chat")) == ("2024-08-06", "2024-08-06"), "a null option waits for retirement"
    grown.advance(days=200)
    assert version(grown, "chat") != "2024-08-06"
    assert version(grown, "gpt-4o") == "2024-08-06"
    chat = parse(file_text({"aoai": ['chat version: "2024-08-06"', 'gpt-4o version: "2024-08-06"']}))
    after = planned(grown, chat)
    assert [step.act for step in after.plan.steps if step.deployment == "chat"] == []
    assert {(each.deployment, each.kind) for each in cloud_drifts(chat.deployments, after.known)} == {
        ("chat", "version"),
        ("chat", "unpinned"),
    }


def test_a_create_beyond_the_quota_is_refused_with_what_is_short_before_anything_is_written(grown: Azure) -> None:
    grown.tell("quota", [{"sku": "Standard", "model": "gpt-4o", "limit": 65}])
    declared = parse(
        file_text({"aoai": ['gpt-4o version: "2024-08-06"', 'gpt4o-prod-v1120 version: "2024-11-20", sku: Standard, capacity: 10']})
    )
    plan = planned(grown, declared).plan
    assert [(step.act, step.deployment) for step in plan.steps] == [("pin", "gpt-4o")]
    assert "5 units short" in plan.refused[0].found
    grown.arm("DELETE", f"{grown.account_path('aoai', 'rg')}/deployments/chat").raise_for_status()
    assert [each.fault for each in applied(grown, declared)] == ["", ""]
    assert planned(grown, declared).plan.steps == ()


def test_a_reader_may_look_and_plan_and_is_refused_every_write(grown: Azure) -> None:
    declared = parse(file_text({"aoai": ['gpt-4o version: "2024-08-06"']}))
    reader = "99999999-8888-7777-6666-555555555555"
    grown.cloud.callers.roles[reader] = "reader"
    asked = {"resource": "https://management.azure.com", "client_id": reader, "api-version": "2019-08-01"}
    given = grown.client.get("/msi/token", params=asked, headers={"x-identity-header": grown.key}).raise_for_status().json()

    async def work(cloud: Cloud) -> list[Outcome]:
        subscriptions = await cloud.subscriptions()
        assert [each.name for each in await cloud.accounts(subscriptions[0].id)] == ["aoai"]
        found = await plan_from(cloud, declared, policy=NamePolicy(), now=NOW)
        return await carry_out_all(cloud, found.plan.steps, tell=lambda step, line: None)

    (outcome,) = on_azure(grown.url, work, key=given["access_token"])
    assert "AuthorizationFailed" in outcome.fault
    assert given["access_token"] not in outcome.fault
    assert {call["method"] for call in grown.shown("requests") if call["status"] < 400} == {"GET"}


def test_an_account_that_is_not_there_is_told_with_those_there_are(grown: Azure) -> None:
    with pytest.raises(CloudError, match="found no resource rg/other; there are rg/aoai"):
        planned(grown, parse(file_text({"other": ['x version: "2024-08-06"']})))


def big() -> Declaration:
    return Declaration(
        accounts=tuple(
            DeclaredAccount(
                name=f"aoai-{region}",
                resource_group="rg",
                location=region,
                deployments=tuple(
                    DeclaredDeployment(name=f"{region}-{index}", model="gpt-4o", version="2024-08-06", capacity=2) for index in range(5)
                ),
            )
            for region in REGIONS
        )
    )


FORTY = {
    f"aoai-{region}": [f'{region}-{index} version: "2024-08-06", sku: Standard, capacity: {2 + index % 2}' for index in range(10)]
    for region in REGIONS
}
TROUBLE = [
    {"method": "PUT", "path": "aoai-swedencentral/deployments", "status": 409, "code": "RequestConflict", "after": 1, "calls": 2},
    {"method": "PUT", "path": "aoai-westeurope/deployments", "status": 429, "code": "TooManyRequests", "retry_after": 1, "calls": 2},
    {"method": "PUT", "path": "aoai-eastus2/deployments", "status": 500, "performed": True, "after": 2, "calls": 1},
    {"method": "PUT", "path": "aoai-westus3/deployments", "status": 503, "calls": 3},
    {"method": "GET", "path": "aoai-westus3/deployments", "status": 500, "after": 4, "calls": 2},
]


def test_forty_deployments_are_made_through_conflicts_limits_faults_and_a_kill() -> None:
    declared = parse(file_text(FORTY))
    with running_azure(big()) as azure:
        azure.tell("faults", TROUBLE)
        with pytest.raises(asyncio.CancelledError):
            applied(azure, declared, killed_after=17)
        outcomes = applied(azure, declared)
        assert [each.fault for each in outcomes if each.fault] == []
        assert 0 < len(outcomes) < 40, "what was done before the kill is not done again"
        after = planned(azure, declared)
        assert after.plan.steps == after.plan.refused == ()
        assert {name: len(some) for name, some in after.known.deployments.items()} == dict.fromkeys(FORTY, 10)
        assert not [call for call in azure.shown("requests") if call["method"] == "DELETE"]
        assert all(each.upgrade == "NoAutoUpgrade" for some in after.known.deployments.values() for each in some)


def test_after_a_fault_that_would_repeat_the_rest_of_an_account_is_not_tried() -> None:
    declared = parse(file_text({"aoai": ['gpt-4o version: "2024-08-06"', 'chat version: "2024-08-06"']}))
    unpinned = [DeclaredDeployment(name=name, model="gpt-4o", version="2024-08-06") for name in ("gpt-4o", "chat")]
    with running_azure(one_account(*unpinned, name="aoai", group="rg")) as azure:
        azure.tell("faults", [{"method": "PUT", "status": 503, "calls": 50}])
        first, second = applied(azure, declared)
    assert "503" in first.fault
    assert second.fault.startswith("not tried after")
    assert msgspec.to_builtins(first.step)["act"] == "pin"
