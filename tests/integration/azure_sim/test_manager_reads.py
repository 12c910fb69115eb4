"""What Resource Manager shows: who may look, what is listed in pages, and what is not there."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.azure_sim.stand_in import API, Azure, deployment_body, running_azure

ARM_SCOPE = "https://management.azure.com"


@pytest.fixture(scope="module")
def azure() -> Iterator[Azure]:
    with running_azure() as azure:
        yield azure


def error(reply: Any) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]["code"]


def test_the_identity_sees_its_subscriptions_and_their_groups(azure: Azure) -> None:
    (subscription,) = azure.arm("GET", "/subscriptions", api="2022-12-01").json()["value"]
    assert subscription["subscriptionId"] == azure.subscription
    groups = azure.arm("GET", f"/subscriptions/{azure.subscription}/resourcegroups", api="2021-04-01").json()["value"]
    assert [group["name"] for group in groups] == ["rg-genai-sim"]


def test_an_account_says_where_its_data_plane_is(azure: Azure) -> None:
    (account,) = azure.arm("GET", f"/subscriptions/{azure.subscription}/providers/Microsoft.CognitiveServices/accounts").json()["value"]
    assert account["name"] == "aoai-genai-sim"
    assert account["properties"]["endpoint"] == f"{azure.url}/"
    assert azure.arm("GET", azure.account_path()).json() == account


def test_the_first_account_has_one_pinned_one_moving_and_one_plainly_named_deployment(azure: Azure) -> None:
    listed = azure.arm("GET", f"{azure.account_path()}/deployments").json()["value"]
    assert [(each["name"], each["properties"]["versionUpgradeOption"]) for each in listed] == [
        ("gpt4o-prod-v1120", "NoAutoUpgrade"),
        ("gpt4o-prod-v0806", "OnceNewDefaultVersionAvailable"),
        ("chat", "OnceNewDefaultVersionAvailable"),
    ]


def test_a_deployment_has_the_shape_of_the_documentation(azure: Azure) -> None:
    shown = azure.deployment("gpt4o-prod-v1120")
    assert set(shown) == {"id", "type", "name", "sku", "properties", "systemData", "etag"}
    assert shown["id"] == f"{azure.account_path()}/deployments/gpt4o-prod-v1120"
    assert shown["properties"]["provisioningState"] == "Succeeded"
    assert shown["properties"]["raiPolicyName"] == "strict-v2"
    assert shown["properties"]["rateLimits"] == [
        {"key": "request", "renewalPeriod": 10, "count": 50},
        {"key": "token", "renewalPeriod": 60, "count": 50000},
    ]


def test_the_case_of_a_path_does_not_matter(azure: Azure) -> None:
    assert azure.arm("GET", azure.account_path().upper()).json()["name"] == "aoai-genai-sim"


def test_lists_come_in_pages_that_name_the_next_one(azure: Azure) -> None:
    azure.tell("conduct", {"page_size": 2})
    try:
        first = azure.arm("GET", f"{azure.account_path()}/deployments").json()
        assert len(first["value"]) == 2
        second = azure.arm("GET", first["nextLink"].removeprefix(azure.url), api=None).json()
        assert [each["name"] for each in second["value"]] == ["chat"]
        assert "nextLink" not in second
    finally:
        azure.tell("conduct", {"page_size": 50})


@pytest.mark.parametrize(
    ("path", "api", "said"),
    [
        ("/subscriptions/none", "2022-12-01", (404, "SubscriptionNotFound")),
        ("{subscription}/resourceGroups/none", "2021-04-01", (404, "ResourceGroupNotFound")),
        ("{subscription}/resourceGroups/rg-genai-sim/providers/Microsoft.CognitiveServices/accounts/none", API, (404, "ResourceNotFound")),
        ("{account}/deployments/none", API, (404, "ResourceNotFound")),
        ("{account}/deployments", None, (400, "MissingApiVersionParameter")),
        ("{account}/deployments", "2019-01-01", (400, "NoRegisteredProviderFound")),
        ("{account}/wings", API, (404, "InvalidResourceType")),
    ],
)
def test_what_is_not_there_is_refused_as_azure_does(azure: Azure, path: str, api: str | None, said: tuple[int, str]) -> None:
    where = path.format(subscription=f"/subscriptions/{azure.subscription}", account=azure.account_path())
    assert error(azure.arm("GET", where, api=api)) == said


def test_who_shows_no_token_is_told_where_to_get_one(azure: Azure) -> None:
    reply = azure.client.get("/subscriptions?api-version=2022-12-01")
    assert error(reply) == (401, "AuthenticationFailed")
    assert reply.headers["www-authenticate"].startswith("Bearer authorization_uri=")


@pytest.mark.parametrize(
    ("audience", "life_s", "code"),
    [
        ("https://cognitiveservices.azure.com", 60, "InvalidAuthenticationTokenAudience"),
        (ARM_SCOPE, -1, "ExpiredAuthenticationToken"),
    ],
)
def test_a_token_for_another_service_or_of_yesterday_is_refused(azure: Azure, audience: str, life_s: float, code: str) -> None:
    token, _ = azure.cloud.callers.token(audience=audience, client_id="somebody", life_s=life_s)
    assert error(azure.arm("GET", "/subscriptions", authorization=f"Bearer {token}")) == (401, code)


@pytest.mark.parametrize("token", ["forged", "e30.e30.e30", "a.b"])
def test_a_token_of_somebody_else_is_refused(azure: Azure, token: str) -> None:
    assert error(azure.arm("GET", "/subscriptions", authorization=f"Bearer {token}")) == (401, "InvalidAuthenticationToken")


def test_a_reader_reads_and_writes_nothing(azure: Azure) -> None:
    azure.cloud.callers.roles["auditor"] = "reader"
    token, _ = azure.cloud.callers.token(audience=ARM_SCOPE, client_id="auditor", life_s=60)
    bearer = {"authorization": f"Bearer {token}"}
    assert azure.arm("GET", azure.account_path(), **bearer).status_code == 200
    refused = azure.arm("PUT", f"{azure.account_path()}/deployments/new", deployment_body(), **bearer)
    assert error(refused) == (403, "AuthorizationFailed")
    assert "'Microsoft.CognitiveServices/accounts/deployments/write'" in refused.json()["error"]["message"]
    assert error(azure.arm("POST", f"{azure.account_path()}/listKeys", **bearer)) == (403, "AuthorizationFailed")


def test_every_answer_can_be_named_to_support(azure: Azure) -> None:
    headers = azure.arm("GET", "/subscriptions", x_ms_correlation_request_id="mine").headers
    assert headers["x-ms-request-id"]
    assert headers["x-ms-correlation-request-id"] == "mine"


def test_the_calendar_stands_in_the_list_of_models(azure: Azure) -> None:
    models = azure.arm("GET", f"{azure.account_path()}/models").json()["value"]
    found = {(each["name"], each["version"]): each for each in models}
    oldest = found["gpt-4o", "2024-05-13"]
    assert oldest["lifecycleStatus"] == "Deprecating"
    assert oldest["deprecation"] == {"inference": "2026-12-09T00:00:00Z", "deprecationStatus": "Planned"}
    assert oldest["replacementConfig"] == {
        "targetModelName": "gpt-5.6-sol",
        "targetModelVersion": "2026-07-09",
        "autoUpgradeStartDate": "2026-12-02T00:00:00Z",
        "upgradeOnExpiryLeadTimeDays": 7,
    }
    assert [version for (name, version), each in found.items() if name == "gpt-4o" and each["isDefaultVersion"]] == ["2024-08-06"]
    statuses = {each["lifecycleStatus"] for each in found.values()}
    assert statuses == {"Stable", "Preview", "GenerallyAvailable", "Legacy", "Deprecating", "Deprecated"}


def test_a_region_offers_what_the_others_may_not(azure: Azure) -> None:
    def names(region: str) -> set[str]:
        found = azure.listed(azure.region_path("models", region))
        return {each["model"]["name"] for each in found}

    assert names("swedencentral") - names("westeurope") == {"gpt-5.6-sol", "gpt-5.6-luna", "gpt-5.6-terra"}


def test_a_provisioned_estimate_is_rounded_up_to_what_can_be_deployed(azure: Azure) -> None:
    asked = {
        "model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"},
        "skuName": "ProvisionedManaged",
        "workloads": [{"requestPerMinute": 100, "requestParameters": {"avgPromptTokens": 200, "avgGeneratedTokens": 100}}],
    }
    path = f"/subscriptions/{azure.subscription}/providers/Microsoft.CognitiveServices/calculateModelCapacity"
    assert azure.arm("POST", path, asked).json()["estimatedCapacity"] == {"value": 24, "deployableValue": 25}
