"""No body that is JSON breaks Resource Manager: it is taken or refused, and what stands there can still be listed."""

from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from changeover.azure_sim.arm.arm_request import ArmRequest
from changeover.azure_sim.arm.cloud import Cloud
from changeover.azure_sim.arm.declaration import SUBSCRIPTION, built_in_declaration
from changeover.azure_sim.arm.moments import moment

KEY = "a-key-of-this-test"
PROVIDER = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices"
ACCOUNT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-genai-sim/providers/Microsoft.CognitiveServices/accounts/aoai-genai-sim"
WRITES = (
    ("PUT", f"{ACCOUNT}/deployments/new"),
    ("PATCH", f"{ACCOUNT}/deployments/chat"),
    ("PUT", ACCOUNT),
    ("PATCH", ACCOUNT),
    ("PUT", f"{ACCOUNT}/raiPolicies/own"),
    ("PUT", f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-new"),
    ("POST", f"{PROVIDER}/calculateModelCapacity"),
)
LISTS = (f"{PROVIDER}/accounts", f"{ACCOUNT}/deployments", f"{ACCOUNT}/raiPolicies", f"/subscriptions/{SUBSCRIPTION}/resourcegroups")
NAMES = st.sampled_from(
    ("sku", "name", "capacity", "properties", "model", "version", "format", "versionUpgradeOption", "raiPolicyName", "tags", "location",
     "kind", "workloads", "requestParameters", "avgPromptTokens", "requestPerMinute", "gpt-4o", "2024-11-20", "Standard", "OpenAI")
)  # fmt: skip
BODIES = st.dictionaries(
    NAMES,
    st.recursive(
        st.none() | st.booleans() | st.integers(-10, 100) | NAMES,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=8,
    ),
    max_size=5,
)


def sent(cloud: Cloud, method: str, path: str, body: Any = None) -> Any:
    request = ArmRequest(
        method=method,
        base="http://sim",
        path=path,
        query={"api-version": "2025-09-01"},
        headers={"authorization": f"Bearer {KEY}"},
        body=b"" if body is None else msgspec.json.encode(body),
        now=moment("2026-11-20"),
    )
    return cloud.manager.answer(request)


@example(write=WRITES[4], body={"properties": True})
@example(write=WRITES[3], body={"properties": 3})
@example(write=WRITES[6], body={"workloads": [1]})
@given(write=st.sampled_from(WRITES), body=BODIES)
def test_every_body_is_taken_or_refused_and_all_can_be_listed_afterwards(write: tuple[str, str], body: Any) -> None:
    cloud = Cloud(built_in_declaration(), key=KEY)
    assert sent(cloud, *write, body).status in {200, 201, 202, 400, 409}
    cloud.settle()
    for path in LISTS:
        assert msgspec.json.encode(sent(cloud, "GET", path).body)
    assert msgspec.json.decode(msgspec.json.encode(cloud.estate), type=type(cloud.estate)) == cloud.estate
