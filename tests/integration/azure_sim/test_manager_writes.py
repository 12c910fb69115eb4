"""What Resource Manager does when it is told: creating, changing, deleting, one at a time, within quota and on offer."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from changeover.azure_sim.arm.declaration import SUBSCRIPTION, Declaration, DeclaredAccount, DeclaredDeployment, DeclaredSubscription
from tests.integration.azure_sim.stand_in import Azure, deployment_body, one_account, running_azure


@pytest.fixture
def azure() -> Iterator[Azure]:
    with running_azure(one_account()) as azure:
        yield azure


@pytest.fixture
def slow() -> Iterator[Azure]:
    """Writes take ten seconds of the movable clock."""
    with running_azure(one_account(), write_s=10.0) as azure:
        yield azure


def said(reply: Any) -> tuple[int, str, str]:
    error = reply.json()["error"]
    return reply.status_code, error["code"], error["message"]


def follow(azure: Azure, address: str) -> Any:
    """One look at an address that an earlier answer gave."""
    assert address.startswith(azure.url)
    return azure.arm("GET", address.removeprefix(azure.url), api=None)


def test_a_new_deployment_is_accepted_created_and_then_there(slow: Azure) -> None:
    reply = slow.put("new")
    assert (reply.status_code, reply.json()["properties"]["provisioningState"]) == (201, "Accepted")
    assert reply.headers["retry-after"] == "1"
    operation = reply.headers["azure-asyncoperation"]
    assert "api-version=2025-09-01" in operation
    assert follow(slow, operation).json()["status"] == "InProgress"
    slow.advance(seconds=5)
    assert slow.deployment("new")["properties"]["provisioningState"] == "Creating"
    assert slow.chat("new").status_code == 404
    slow.advance(seconds=5)
    assert follow(slow, operation).json()["status"] == "Succeeded"
    assert slow.deployment("new")["properties"]["provisioningState"] == "Succeeded"
    assert slow.chat("new").json()["model"] == "gpt-4o-2024-11-20"


def test_a_second_put_of_one_name_answers_200_and_another_etag(azure: Azure) -> None:
    first, second = azure.put("same"), azure.put("same", capacity=20)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["etag"] != second.json()["etag"]
    assert second.json()["systemData"]["createdAt"] == first.json()["systemData"]["createdAt"]


def test_the_usual_creation_does_not_pin(azure: Azure) -> None:
    assert azure.put("usual").json()["properties"]["versionUpgradeOption"] == "OnceNewDefaultVersionAvailable"


def test_a_put_without_a_word_about_upgrades_takes_the_pin_away(azure: Azure) -> None:
    assert azure.put("pinned", versionUpgradeOption="NoAutoUpgrade").json()["properties"]["versionUpgradeOption"] == "NoAutoUpgrade"
    assert azure.put("pinned").json()["properties"]["versionUpgradeOption"] == "OnceNewDefaultVersionAvailable"


def test_a_stored_null_is_shown_as_nothing(azure: Azure) -> None:
    assert "versionUpgradeOption" not in azure.put("null", versionUpgradeOption=None).json()["properties"]


def test_what_the_service_does_not_know_comes_back_as_it_was_sent(azure: Azure) -> None:
    body = deployment_body(spilloverDeploymentName="other", anything={"new": [1, 2]}) | {"tags": {"team": "mail"}, "future": True}
    azure.arm("PUT", f"{azure.account_path()}/deployments/kept", body)
    shown = azure.deployment("kept")
    assert shown["properties"]["spilloverDeploymentName"] == "other"
    assert shown["properties"]["anything"] == {"new": [1, 2]}
    assert (shown["tags"], shown["future"]) == ({"team": "mail"}, True)


def test_a_capacity_may_come_as_text(azure: Azure) -> None:
    assert azure.put("text", capacity="50").json()["sku"] == {"name": "Standard", "capacity": 50}


def test_a_missing_version_is_the_default_one(azure: Azure) -> None:
    assert azure.put("default", version=None).json()["properties"]["model"]["version"] == "2024-08-06"


def test_a_patch_changes_sku_and_tags_and_nothing_else(azure: Azure) -> None:
    azure.put("patched", versionUpgradeOption="NoAutoUpgrade")
    path = f"{azure.account_path()}/deployments/patched"
    reply = azure.arm("PATCH", path, {"sku": {"name": "Standard", "capacity": 25}, "tags": {"a": "b"}})
    assert (reply.status_code, reply.json()["sku"]["capacity"], reply.json()["tags"]) == (200, 25, {"a": "b"})
    assert reply.json()["properties"]["versionUpgradeOption"] == "NoAutoUpgrade"
    assert said(azure.arm("PATCH", path, {"properties": {"versionUpgradeOption": "NoAutoUpgrade"}}))[:2] == (400, "InvalidRequestContent")


def test_a_slow_patch_is_followed_to_the_changed_resource(slow: Azure) -> None:
    slow.put("patched")
    slow.advance(seconds=10)
    reply = slow.arm("PATCH", f"{slow.account_path()}/deployments/patched", {"sku": {"name": "Standard", "capacity": 25}})
    assert reply.status_code == 202
    assert follow(slow, reply.headers["location"]).status_code == 202
    slow.advance(seconds=10)
    assert follow(slow, reply.headers["location"]).json()["sku"]["capacity"] == 25


def test_a_deletion_takes_its_time_and_frees_the_quota_at_its_end(slow: Azure) -> None:
    slow.put("gone", capacity=300)
    slow.advance(seconds=10)
    path = f"{slow.account_path()}/deployments/gone"
    reply = slow.arm("DELETE", path)
    assert reply.status_code == 202
    assert slow.deployment("gone")["properties"]["provisioningState"] == "Deleting"
    assert slow.chat("gone").status_code == 404
    slow.advance(seconds=10)
    assert slow.arm("GET", path).status_code == 404
    assert follow(slow, reply.headers["location"]).status_code == 204
    assert slow.put("next", capacity=300).status_code == 201


def test_deleting_what_is_not_there_is_no_error(azure: Azure) -> None:
    assert azure.arm("DELETE", f"{azure.account_path()}/deployments/never").status_code == 204


@pytest.mark.parametrize(("method", "body"), [("PUT", deployment_body()), ("PATCH", {"tags": {}}), ("DELETE", None)])
def test_another_write_to_the_account_is_refused_while_one_runs(slow: Azure, method: str, body: Any) -> None:
    slow.put("first")
    path = f"{slow.account_path()}/deployments/first"
    assert said(slow.arm(method, path, body)) == (
        409,
        "RequestConflict",
        f"Another operation is being performed on the parent resource '{slow.account_path()}'. Please try again later.",
    )
    slow.advance(seconds=10)
    assert slow.arm(method, path, body).status_code in {200, 202}


def test_two_accounts_are_written_at_the_same_time() -> None:
    accounts = tuple(DeclaredAccount(name=name, resource_group="rg") for name in ("one", "two"))
    with running_azure(Declaration(accounts=accounts), write_s=10.0) as azure:
        for name in ("one", "two"):
            path = f"{azure.account_path(name, 'rg')}/deployments/new"
            assert azure.arm("PUT", path, deployment_body()).status_code == 201


def test_quota_says_what_was_asked_and_what_is_left(azure: Azure) -> None:
    azure.tell("quota", [{"sku": "Standard", "model": "gpt-4o", "limit": 60}])
    azure.put("stable", capacity=50)
    label = "Tokens Per Minute (thousands) - gpt-4o"
    words = (
        f"This operation require 20 new capacity in quota {label}, which is bigger than the current available capacity 10. "
        f"The current quota usage is 50 and the quota limit is 60 for quota {label}."
    )
    assert said(azure.put("candidate", version="2024-08-06", capacity=20)) == (400, "InsufficientQuota", words)
    assert azure.put("candidate", version="2024-08-06").status_code == 201
    path = f"{azure.account_path()}/deployments/candidate"
    assert said(azure.arm("PATCH", path, {"sku": {"name": "Standard", "capacity": 11}}))[1] == "InsufficientQuota"


def test_quota_is_counted_by_model_region_and_sku(azure: Azure) -> None:
    azure.tell("quota", [{"sku": "Standard", "model": "gpt-4o", "limit": 0}])
    assert said(azure.put("none"))[1] == "InsufficientQuota"
    assert azure.put("other-sku", sku="GlobalStandard").status_code == 201
    assert azure.put("other-model", model="gpt-4o-mini", version="2024-07-18").status_code == 201
    usages = {each["name"]["value"]: each for each in azure.listed(azure.region_path("usages"))}
    held = {name: (each["currentValue"], each["limit"]) for name, each in usages.items() if each["currentValue"] and "." in name}
    assert held == {"OpenAI.GlobalStandard.gpt-4o": (10, 1000), "OpenAI.Standard.gpt-4o-mini": (10, 300)}


def test_a_deployment_may_shrink_though_the_quota_is_exceeded(azure: Azure) -> None:
    azure.put("large", capacity=100)
    azure.tell("quota", [{"sku": "Standard", "model": "gpt-4o", "limit": 60}])
    reply = azure.arm("PATCH", f"{azure.account_path()}/deployments/large", {"sku": {"name": "Standard", "capacity": 80}})
    assert reply.json()["sku"]["capacity"] == 80


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (
            deployment_body(version="2025-05-13"),
            "DeploymentModelNotSupported",
            "Format: OpenAI, Name: gpt-4o, Version: 2025-05-13, Source: , SourceAccount: ' of account deployment is not supported.",
        ),
        (deployment_body("gpt-5.1-chat", "2025-11-13", sku="GlobalStandard"), "ServiceModelDeprecated", "since 06/29/2026 00:00:00."),
        (deployment_body("o1", "2024-12-17"), "ServiceModelDeprecated", "has been deprecated since 11/19/2026 00:00:00."),
        (
            deployment_body("gpt-5.1", "2025-11-13"),
            "InvalidResourceProperties",
            "The specified SKU 'Standard' of account deployment is not supported by the model 'gpt-5.1' version: '2025-11-13'.",
        ),
        (deployment_body(sku="S0"), "InvalidResourceProperties", "The deployment sku name 'S0' is invalid."),
        (deployment_body(capacity=0), "InvalidResourceProperties", "between 1 and"),
        (deployment_body(capacity="many"), "InvalidRequestContent", "'many' is not a number"),
        (deployment_body(raiPolicyName="unknown"), "InvalidResourceProperties", "unknown"),
        (deployment_body(versionUpgradeOption="Never"), "InvalidResourceProperties", "Never"),
        (deployment_body(scaleSettings={"scaleType": "Manual"}), "InvalidResourceProperties", "please use 'sku' instead"),
        ({"properties": {"model": {"name": "gpt-4o"}}}, "InvalidResourceProperties", "The sku of model deployment is not provided."),
        ({"sku": {"name": "Standard"}}, "InvalidResourceProperties", "model"),
        ([], "InvalidRequestContent", "not a JSON object"),
    ],
)
def test_what_is_not_on_offer_is_refused_in_the_words_of_the_service(azure: Azure, body: Any, code: str, words: str) -> None:
    status, found, message = said(azure.arm("PUT", f"{azure.account_path()}/deployments/x", body))
    assert (status, found) == (400, code)
    assert words in message
    assert azure.arm("GET", f"{azure.account_path()}/deployments").json()["value"] == []


def test_a_version_closed_to_new_customers_stays_open_to_old_ones() -> None:
    deployed = DeclaredDeployment(name="old", model="gpt-4o-mini", version="2024-07-18")
    account = DeclaredAccount(name="aoai-genai-sim", resource_group="rg-genai-sim", deployments=(deployed,))
    fresh = DeclaredSubscription(id=SUBSCRIPTION, established=False)
    with running_azure(Declaration(subscriptions=(fresh,), accounts=(account,))) as azure:
        azure.arm("DELETE", f"{azure.account_path()}/deployments/old")
        assert azure.put("again", model="gpt-4o-mini", version="2024-07-18").status_code == 201
        status, code, message = said(azure.put("new", version="2024-08-06"))
        assert (status, code) == (400, "DeploymentModelNotSupported")
        assert message.startswith("Creating account deployment is not supported by the model 'gpt-4o'.")


def test_a_deployment_that_changed_meanwhile_is_not_overwritten(azure: Azure) -> None:
    seen = azure.put("watched").json()["etag"]
    azure.put("watched", capacity=20)
    path = f"{azure.account_path()}/deployments/watched"
    assert said(azure.arm("PUT", path, deployment_body(), if_match=seen))[:2] == (412, "PreconditionFailed")
    assert azure.arm("PUT", path, deployment_body(), if_match=azure.deployment("watched")["etag"]).status_code == 200


def test_a_paused_deployment_answers_423_until_it_is_resumed(azure: Azure) -> None:
    azure.put("chat")
    path = f"{azure.account_path()}/deployments/chat"
    assert azure.chat("chat").status_code == 200
    assert azure.arm("POST", f"{path}/pause", api="2026-05-01").json()["properties"]["deploymentState"] == "Paused"
    assert azure.chat("chat").status_code == 423
    azure.arm("POST", f"{path}/resume", api="2026-05-01")
    assert azure.chat("chat").status_code == 200
    assert said(azure.arm("POST", f"{path}/pause", api="2025-09-01"))[0] == 405


def test_provisioned_deployments_cannot_be_paused_and_show_no_limits(azure: Azure) -> None:
    azure.put("units", sku="ProvisionedManaged", capacity=50)
    path = f"{azure.account_path()}/deployments/units"
    assert said(azure.arm("POST", f"{path}/pause", api="2026-09-01"))[1] == "InvalidResourceProperties"
    assert [limit["key"] for limit in azure.deployment("units")["properties"]["rateLimits"]] == ["request"]
    assert not [name for name in azure.chat("units").headers if name.startswith("x-ratelimit")]


def test_a_provisioned_deployment_changes_its_model_in_place_and_serves_on(azure: Azure) -> None:
    azure.put("units", sku="ProvisionedManaged", capacity=50)
    reply = azure.put("units", model="gpt-4o-mini", version="2024-07-18", sku="ProvisionedManaged", capacity=50)
    assert (reply.status_code, reply.json()["properties"]["provisioningState"]) == (200, "Updating")
    assert azure.chat("units").status_code == 200
    azure.advance(seconds=1500)
    assert azure.deployment("units")["properties"]["provisioningState"] == "Succeeded"


def test_a_provisioned_deployment_spills_over_where_it_says_so(azure: Azure) -> None:
    azure.put("standard")
    azure.put("units", sku="ProvisionedManaged", capacity=50, spilloverDeploymentName="standard")
    azure.client.put("/sim/deployments/units", json={"condition": "limited"}, headers={"api-key": azure.key})
    reply = azure.chat("units")
    assert (reply.status_code, reply.headers["x-ms-deployment-name"]) == (200, "standard")
    assert reply.headers["x-ms-spillover-from-deployment"] == "units"


def test_a_rate_limit_follows_the_capacity_and_says_when_it_is_full_again(azure: Azure) -> None:
    azure.put("small", capacity=1)
    replies = [azure.chat("small") for _ in range(8)]
    assert [reply.status_code for reply in replies] == [200] * 6 + [429] * 2
    assert replies[0].headers["x-ratelimit-limit-requests"] == "6"
    assert int(replies[5].headers["x-ratelimit-reset-requests"]) in {59, 60}
    assert int(replies[6].headers["retry-after-ms"]) <= 10_000
    azure.arm("PATCH", f"{azure.account_path()}/deployments/small", {"sku": {"name": "Standard", "capacity": 2}})
    assert azure.chat("small").headers["x-ratelimit-limit-requests"] == "12"


def test_a_new_deployment_may_be_unknown_to_the_data_plane_for_a_while(azure: Azure) -> None:
    azure.tell("conduct", {"propagation_s": 60})
    azure.put("new")
    assert azure.deployment("new")["properties"]["provisioningState"] == "Succeeded"
    assert azure.chat("new").status_code == 404
    azure.advance(seconds=60)
    assert azure.chat("new").status_code == 200


def test_a_deployment_keeps_its_content_filter_and_the_filter_its_users(azure: Azure) -> None:
    path = f"{azure.account_path()}/raiPolicies/strict"
    assert azure.arm("PUT", path, {"properties": {"basePolicyName": "Microsoft.Default"}}).status_code == 201
    assert azure.put("guarded", raiPolicyName="strict").json()["properties"]["raiPolicyName"] == "strict"
    assert said(azure.arm("DELETE", path))[:2] == (409, "RaiPolicyInUse")
    azure.put("guarded")
    assert azure.arm("DELETE", path).status_code == 200
    assert azure.arm("GET", path).status_code == 404


def test_an_account_comes_goes_and_is_not_deleted_with_what_is_in_it(azure: Azure) -> None:
    path = azure.account_path("aoai-new")
    body = {"location": "Sweden Central", "kind": "OpenAI", "sku": {"name": "S0"}}
    made = azure.arm("PUT", path, body)
    assert made.status_code == 201
    assert made.json()["properties"]["endpoint"] == f"{azure.url}/accounts/aoai-new/"
    azure.arm("PUT", f"{path}/deployments/chat", deployment_body())
    assert azure.chat("chat", "aoai-new").status_code == 200
    assert said(azure.arm("DELETE", path))[:2] == (409, "CannotDeleteResource")
    azure.arm("DELETE", f"{path}/deployments/chat")
    assert azure.arm("DELETE", path).status_code == 200
    assert azure.chat("chat", "aoai-new").status_code == 404


def test_no_key_stands_anywhere_but_in_the_list_of_keys(azure: Azure) -> None:
    azure.put("chat")
    shown = [azure.arm("GET", path).text for path in (azure.account_path(), f"{azure.account_path()}/deployments")]
    told = json.dumps([azure.shown("state"), azure.shown("requests"), azure.shown("log"), *shown])
    assert azure.key not in told
    assert azure.arm("POST", f"{azure.account_path()}/listKeys").json()["key1"] == azure.key
