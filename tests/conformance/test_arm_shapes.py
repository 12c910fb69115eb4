"""Every published example of Azure's control plane, sent to the stage: what is asked is understood, what is answered has that shape."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.azure_sim.stand_in import Azure, one_account, running_azure

FOLDER: Final = Path(__file__).parent / "arm_shapes"
MADE_ELSEWHERE: Final = frozenset({"INDEX.json", "dataplane_errors.json", "az_2.91.0_create_request_body.json"})
NOT_SHOWN: Final = frozenset({"allowedValues"})
"""Of what a SKU may be set to, the stage shows the range alone."""
OPEN: Final = frozenset({"capabilities", "finetuneCapabilities"})
"""Which names they have differs from model to model; their values are strings."""
READ_ONLY: Final = frozenset({"provisioningState", "capabilities", "rateLimits", "currentCapacity", "deploymentState"})
MODEL: Final = {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
ERRORS: Final = json.loads((FOLDER / "dataplane_errors.json").read_text())


def example(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def missing(wanted: Any, found: Any, path: str = "") -> list[str]:
    """What of the example's shape an answer lacks. Of a list, any item may have a field."""
    if path.rpartition(".")[2] in OPEN:
        return [] if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()) else [path]
    if isinstance(wanted, dict):
        if not isinstance(found, dict):
            return [f"{path}: {type(found).__name__}"]
        lacking = [f"{path}.{name}" for name in wanted if name not in found and name not in NOT_SHOWN]
        return lacking + [line for name in wanted if name in found for line in missing(wanted[name], found[name], f"{path}.{name}")]
    if isinstance(wanted, list):
        if not isinstance(found, list):
            return [f"{path}: {type(found).__name__}"]
        return [line for item in wanted for line in missing(item, _merged(found), f"{path}[]")] if isinstance(_merged(found), dict) else []
    number = isinstance(wanted, int | float) and isinstance(found, int | float)
    return [] if number or type(wanted) is type(found) else [f"{path}: {type(found).__name__}"]


def _merged(items: list[Any]) -> Any:
    """All fields that any item has, lists in them joined."""
    if not items or not isinstance(items[0], dict):
        return items
    merged: dict[str, Any] = {}
    for item in items:
        for name, value in item.items():
            merged[name] = _joined(merged.get(name), value)
    return merged


def _joined(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: _joined(one.get(name), other.get(name)) for name in one | other}
    if isinstance(one, list) and isinstance(other, list):
        return one + other
    return one if other is None else other


@pytest.fixture
def azure() -> Iterator[Azure]:
    with running_azure(one_account()) as azure:
        azure.put("deploymentName", capacity=1)
        azure.tell("retirements", [{"model": "gpt-4o", "version": "2024-05-13", "sku": "Standard", "at": "2026-12-08"}])
        yield azure


def asked(azure: Azure, name: str, parameters: dict[str, Any]) -> tuple[str, str, Any]:
    """Method, path and body of an example, among the names that the stage has."""
    here, subscription = f"{azure.account_path()}/deployments/deploymentName", f"/subscriptions/{azure.subscription}"
    provider = f"{subscription}/providers/Microsoft.CognitiveServices"
    capacities = azure.region_path("modelCapacities?modelFormat=OpenAI&modelName=gpt-4o&modelVersion=2024-11-20")
    return {
        "GetDeployment": ("GET", here, None),
        "PutDeployment": ("PUT", here, parameters.get("deployment")),
        "UpdateDeployment": ("PATCH", here, parameters.get("deployment")),
        "DeleteDeployment": ("DELETE", here, None),
        "ListDeploymentSkus": ("GET", f"{here}/skus", None),
        "ListUsages": ("GET", azure.region_path("usages"), None),
        "ListUsagesGlobalScope": ("GET", azure.region_path("usages"), None),
        "ListLocationModels": ("GET", azure.region_path("models"), None),
        "ListLocationBasedModelCapacities": ("GET", capacities, None),
        "CalculateModelCapacity": ("POST", f"{provider}/calculateModelCapacity", parameters.get("parameters")),
    }[name]


EXAMPLES: Final = sorted(
    path.stem for path in FOLDER.glob("*.json") if path.name not in MADE_ELSEWHERE and not path.name.startswith("doc_")
)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "PutDeployment"])
def test_an_example_is_understood_and_answered_in_its_shape(azure: Azure, name: str) -> None:
    shown = example(name)
    method, path, body = asked(azure, name, shown["parameters"])
    reply = azure.arm(method, path, body, api=shown["parameters"]["api-version"])
    assert str(reply.status_code) in shown["responses"], reply.text
    wanted = shown["responses"]["200"].get("body")
    if wanted is not None:
        found = {"value": azure.listed(path)} if "value" in wanted and "modelFormat" not in path else reply.json()
        assert missing(wanted, found) == []


def test_the_old_form_of_a_put_is_refused_in_the_words_of_the_service(azure: Azure) -> None:
    method, path, body = asked(azure, "PutDeployment", example("PutDeployment")["parameters"])
    reply = azure.arm(method, path, body)
    assert reply.status_code == 400
    assert "please use 'sku' instead" in reply.json()["error"]["message"]


def test_what_az_sends_is_taken_though_its_capacity_is_text(azure: Azure) -> None:
    body = {name: value for name, value in example("az_2.91.0_create_request_body").items() if name != "_note"}
    reply = azure.arm("PUT", f"{azure.account_path()}/deployments/az", body, api="2026-05-15-preview")
    assert reply.status_code == 201
    assert reply.json()["sku"] == {"name": "Standard", "capacity": 50}
    assert reply.json()["properties"]["versionUpgradeOption"] != "NoAutoUpgrade"


def test_a_documented_list_can_be_written_back_and_read_again(azure: Azure) -> None:
    (documented,) = example("doc_ListDeployments_response")["value"]
    documented["properties"]["model"] = MODEL
    path = f"{azure.account_path()}/deployments/{documented['name']}"
    azure.arm("PUT", path, documented).raise_for_status()
    read = azure.arm("GET", path).json()
    assert missing(documented | {"systemData": read["systemData"]}, read) == []
    kept = {name: value for name, value in documented["properties"].items() if name not in READ_ONLY}
    assert {name: read["properties"][name] for name in kept} == kept
    assert read["properties"]["rateLimits"] == documented["properties"]["rateLimits"]
    assert azure.arm("PUT", path, read).status_code == 200
    assert azure.arm("GET", path).json()["properties"] == read["properties"]


def test_a_provisioned_deployment_is_changed_in_place_as_documented(azure: Azure) -> None:
    documented = example("doc_PutProvisionedInPlace")
    path = f"{azure.account_path()}/deployments/gpt-4o-ptu-deployment"
    azure.arm("PUT", path, documented["request"] | {"properties": {"model": MODEL}}).raise_for_status()
    answer = azure.arm("PUT", path, documented["request"]).json()
    assert answer["properties"]["provisioningState"] == documented["response"]["properties"]["provisioningState"] == "Updating"
    del documented["response"]["properties"]["capabilities"]
    assert missing(documented["response"], answer) == []


def test_a_retired_deployment_says_what_was_observed(azure: Azure) -> None:
    azure.tell("clock", {"now": "2027-05-01T00:00:00Z"})
    azure.put("pinned", model="gpt-5.6-sol", version="2026-07-09", sku="GlobalStandard", versionUpgradeOption="NoAutoUpgrade")
    azure.tell("clock", {"now": "2028-02-01T00:00:00Z"})
    reply = azure.chat("pinned")
    assert (reply.status_code, reply.json()) == (ERRORS["retired_410"]["status"], ERRORS["retired_410"]["body"])


def test_the_older_form_of_a_retirement_begins_as_observed(azure: Azure) -> None:
    azure.client.put("/sim/deployments/deploymentName", json={"condition": "retired-400"}, headers={"api-key": azure.key})
    wanted = ERRORS["retired_variant_400"]
    reply = azure.chat("deploymentName")
    assert reply.status_code == wanted["status"]
    assert reply.json()["error"]["message"].startswith(wanted["message_prefix"].replace("gpt-35-turbo", "gpt-4o"))


def test_a_filtered_prompt_is_refused_in_the_observed_shape(azure: Azure) -> None:
    path = "/openai/deployments/deploymentName/chat/completions?api-version=2024-10-21"
    body = {"messages": [{"role": "user", "content": "[sim:block-prompt] Text. More."}]}
    reply = azure.client.post(path, json=body, headers={"api-key": azure.key})
    assert reply.status_code == ERRORS["content_filter_400"]["status"]
    assert missing(ERRORS["content_filter_400"]["body"], reply.json()) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("arm_insufficient_quota", {"sku": {"name": "Standard", "capacity": 9999}, "properties": {"model": MODEL}}),
        ("arm_model_not_supported", {"sku": {"name": "Standard"}, "properties": {"model": MODEL | {"version": "none"}}}),
        (
            "arm_model_deprecated",
            {"sku": {"name": "GlobalStandard"}, "properties": {"model": MODEL | {"name": "o3", "version": "2025-04-16"}}},
        ),
    ],
)
def test_a_refusal_of_the_control_plane_has_the_observed_words(azure: Azure, kind: str, body: dict[str, Any]) -> None:
    wanted = ERRORS[kind]
    error = azure.arm("PUT", f"{azure.account_path()}/deployments/x", body).json()["error"]
    assert error["code"] == wanted["code"]
    assert any(words(error["message"]) == words(text) for text in wanted.get("messages", [wanted.get("message")]))


def test_a_conflict_has_the_observed_words() -> None:
    with running_azure(one_account(), write_s=10.0) as azure:
        azure.put("one")
        error = azure.put("two").json()["error"]
    assert error["code"] == ERRORS["arm_conflict"]["code"]
    assert error["message"] == ERRORS["arm_conflict"]["message"].replace("<account id>", azure.account_path())


def words(text: str) -> str:
    """A message without what differs from case to case: numbers, names and the quota's own name."""
    text = re.sub(r"Tokens Per Minute \(thousands\) - [^,.]+", "<quota>", text)
    return re.sub(r"Name: [^,]*, Version: [^,]*|\d[\d/:]*", "<x>", text)
