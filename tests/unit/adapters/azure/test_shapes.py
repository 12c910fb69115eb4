"""What Azure's documented answers are read as."""

import datetime as dt

from changeover.adapters.azure.shapes import accounts_of, deployment_of, offers_of, quotas_of
from changeover.provision.offers import offer_of
from changeover.versions import ModelVersion

LISTED: dict[str, object] = {
    "id": "/subscriptions/a/resourceGroups/az-test/providers/Microsoft.CognitiveServices/accounts/aoai/deployments/gpt-35-turbo",
    "type": "Microsoft.CognitiveServices/accounts/deployments",
    "name": "gpt-35-turbo",
    "sku": {"name": "Standard", "capacity": 80},
    "properties": {
        "model": {"format": "OpenAI", "name": "gpt-35-turbo", "version": "0301"},
        "versionUpgradeOption": "OnceNewDefaultVersionAvailable",
        "capabilities": {"completion": "true", "chatCompletion": "true"},
        "raiPolicyName": "Microsoft.Default",
        "provisioningState": "Succeeded",
        "rateLimits": [{"key": "request", "renewalPeriod": 10, "count": 80}, {"key": "token", "renewalPeriod": 60, "count": 80000}],
    },
    "etag": '"x"',
}
MODEL: dict[str, object] = {
    "kind": "OpenAI",
    "skuName": "S0",
    "model": {
        "format": "OpenAI",
        "name": "gpt-35-turbo",
        "version": "0301",
        "isDefaultVersion": False,
        "skus": [
            {
                "name": "Standard",
                "usageName": "OpenAI.Standard.gpt-35-turbo",
                "capacity": {"maximum": 1000000, "default": 120},
                "deprecationDate": "2025-02-13T00:00:00Z",
            },
            {"name": "Provisioned", "usageName": "P", "capacity": {"minimum": 300, "maximum": 30000, "step": 100, "default": 300}},
            {"name": "GlobalStandard", "deprecationDate": "2099-12-31T00:00:00Z"},
        ],
        "deprecation": {"inference": "2025-04-30T00:00:00Z", "deprecationStatus": "Planned"},
        "replacementConfig": {
            "targetModelName": "gpt-4o-mini",
            "targetModelVersion": "2024-07-18",
            "autoUpgradeStartDate": "2025-04-23T00:00:00Z",
        },
        "lifecycleStatus": "Deprecated",
    },
}


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()


def test_a_deployment_is_read_with_what_matters() -> None:
    found = deployment_of(LISTED)
    assert (found.name, str(found.model), found.sku, found.capacity) == ("gpt-35-turbo", "gpt-35-turbo 0301", "Standard", 80)
    assert (found.upgrade, found.content_filter, found.state, found.paused) == (
        "OnceNewDefaultVersionAvailable",
        "Microsoft.Default",
        "Succeeded",
        False,
    )


def test_what_is_not_said_stays_unsaid() -> None:
    found = deployment_of({"name": "d", "properties": {"model": {"name": "ada", "version": "1"}, "versionUpgradeOption": None}})
    assert (found.upgrade, found.content_filter, found.capacity) == (None, None, None)


def test_numbers_may_come_as_text_and_the_old_form_has_a_capacity_too() -> None:
    assert deployment_of({"name": "d", "sku": {"name": "Standard", "capacity": "50"}}).capacity == 50
    assert deployment_of({"name": "d", "properties": {"scaleSettings": {"scaleType": "Manual", "capacity": 1}}}).capacity == 1


def test_a_model_is_read_with_the_earliest_date_that_applies_to_a_sku() -> None:
    (offer,) = offers_of([MODEL])
    assert offer.retirement_of("Standard") == at("2025-02-13")
    assert offer.retirement_of("Provisioned") == offer.retirement_of("GlobalStandard") == at("2025-04-30")
    assert offer.replacement == ModelVersion(name="gpt-4o-mini", version="2024-07-18")
    assert offer.upgrade_starts_at == at("2025-04-23")
    sold = offer.sku("provisioned")
    assert sold is not None
    assert (sold.minimum, sold.step, sold.quota) == (300, 100, "P")
    assert offer.is_retired("Standard", now=at("2025-01-01")), "the status alone says so"


def test_a_version_listed_once_a_kind_is_one_and_a_resources_own_list_leaves_out_a_level() -> None:
    offers = offers_of([MODEL, {**MODEL, "kind": "AIServices"}, {"name": "ada", "version": "1", "format": "OpenAI"}])
    found = offer_of(offers, ModelVersion(name="gpt-35-turbo", version="0301"))
    assert found is not None
    assert len(found.skus) == 3
    assert offers[2].model == ModelVersion(name="ada", version="1")


def test_resources_of_other_kinds_are_left_out_and_the_endpoint_is_the_models_own() -> None:
    where = "/subscriptions/s-1/resourceGroups/rg-1/providers/Microsoft.CognitiveServices/accounts/a"
    endpoints = {"Token": "https://x/", "OpenAI Language Model Instance API": "https://a.openai.azure.com/"}
    found = accounts_of(
        [
            {
                "id": where,
                "name": "a",
                "kind": "AIServices",
                "location": "Sweden Central",
                "properties": {"endpoint": "https://a.cog/", "endpoints": endpoints},
            },
            {"id": where, "name": "b", "kind": "OpenAI", "properties": {"endpoint": "https://b.openai.azure.com/"}},
            {"id": where, "name": "c", "kind": "SpeechServices"},
        ]
    )
    assert [(each.name, each.endpoint) for each in found] == [("a", "https://a.openai.azure.com"), ("b", "https://b.openai.azure.com")]
    assert (found[0].subscription, found[0].resource_group, found[0].region) == ("s-1", "rg-1", "Sweden Central")


def test_usage_is_read_by_its_name() -> None:
    (quota,) = quotas_of(
        [{"name": {"value": "OpenAI.Standard.gpt-4o", "localizedValue": "x"}, "currentValue": 3.0, "limit": 200.0, "unit": "Count"}],
        subscription="s",
        region="WestUS",
    )
    assert (quota.name, quota.used, quota.limit, quota.region) == ("OpenAI.Standard.gpt-4o", 3, 200, "WestUS")
