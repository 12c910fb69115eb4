"""Tokens are given to whoever asks as clients of Azure ask, and refused in Entra ID's words."""

from collections.abc import Iterator
from typing import Any

import pytest

from changeover.azure_sim.arm.callers import Roles
from changeover.azure_sim.arm.declaration import Declaration, DeclaredAccount, DeclaredSubscription
from tests.integration.azure_sim.stand_in import KEY, Azure, running_azure

CLIENT = "99999999-8888-7777-6666-555555555555"
FORM = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": KEY, "scope": "https://ai.azure.com/.default"}


@pytest.fixture(scope="module")
def azure() -> Iterator[Azure]:
    with running_azure() as azure:
        yield azure


def post(azure: Azure, form: dict[str, str], *, tenant: str | None = None) -> Any:
    return azure.client.post(f"/{tenant or azure.cloud.estate.tenant}/oauth2/v2.0/token", data=form)


def test_a_secret_and_an_assertion_are_worth_the_same(azure: Azure) -> None:
    assertion = {name: value for name, value in FORM.items() if name != "client_secret"} | {"client_assertion": "e30.e30.e30"}
    for form in (FORM, assertion):
        given = post(azure, form).json()
        assert (given["token_type"], given["expires_in"]) == ("Bearer", 3600)
        assert azure.chat("chat", authorization=f"Bearer {given['access_token']}").status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "error", "words"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", "AADSTS7000215"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", "'password'"),
        ({"client_id": ""}, 400, "invalid_request", "client_id"),
    ],
)
def test_who_asks_wrongly_is_told_so(azure: Azure, change: dict[str, str], status: int, error: str, words: str) -> None:
    reply = post(azure, FORM | change)
    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert words in reply.json()["error_description"]
    assert KEY not in reply.text


def test_another_tenant_is_not_here(azure: Azure) -> None:
    assert "AADSTS90002" in post(azure, FORM, tenant="elsewhere").json()["error_description"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/msi/token?resource=https://ai.azure.com", {"x-identity-header": "wrong"}, 401),
        ("/msi/token?resource=https://ai.azure.com", {}, 401),
        ("/msi/token", {"x-identity-header": KEY}, 400),
        ("/metadata/identity/oauth2/token?resource=https://ai.azure.com", {}, 400),
        ("/metadata/identity/oauth2/token?resource=https://ai.azure.com", {"metadata": "true"}, 200),
    ],
)
def test_a_machines_identity_wants_its_own_header(azure: Azure, path: str, headers: dict[str, str], status: int) -> None:
    assert azure.client.get(path, headers=headers).status_code == status


def test_a_token_ends_when_it_says(azure: Azure) -> None:
    azure.tell("conduct", {"token_life_s": 60})
    given = azure.client.get("/msi/token?resource=https://management.azure.com", headers={"x-identity-header": KEY}).json()
    azure.tell("conduct", {"token_life_s": 3600})
    assert (given["expires_in"], given["resource"]) == ("60", "https://management.azure.com")
    assert azure.arm("GET", "/subscriptions", authorization=f"Bearer {given['access_token']}").status_code == 200


def test_an_identity_without_a_role_sees_neither_plane(azure: Azure) -> None:
    azure.cloud.callers.roles["stranger"] = "none"
    data, _ = azure.cloud.callers.token(audience="https://ai.azure.com", client_id="stranger", life_s=60)
    arm, _ = azure.cloud.callers.token(audience="https://management.azure.com", client_id="stranger", life_s=60)
    assert azure.chat("chat", authorization=f"Bearer {data}").status_code == 401
    assert azure.arm("GET", azure.account_path(), authorization=f"Bearer {arm}").status_code == 403


def test_an_identity_sees_the_subscriptions_it_has_a_role_in() -> None:
    subscriptions = tuple(DeclaredSubscription(id=f"00000000-0000-0000-0000-00000000000{letter}") for letter in "ABC")
    accounts = tuple(DeclaredAccount(name=f"aoai-{each.id[-1]}", subscription=each.id) for each in subscriptions)
    roles: dict[str, Roles] = {"auditor": {subscriptions[0].id.lower(): "reader", subscriptions[1].id.lower(): "contributor"}}
    with running_azure(Declaration(subscriptions=subscriptions, accounts=accounts, identities=roles)) as azure:
        token, _ = azure.cloud.callers.token(audience="https://management.azure.com", client_id="auditor", life_s=60)
        bearer = {"authorization": f"Bearer {token}"}
        seen = [each["subscriptionId"][-1] for each in azure.arm("GET", "/subscriptions", **bearer).json()["value"]]
        assert seen == ["A", "B"]
        listed = {
            each.id[-1]: azure.arm("GET", f"/subscriptions/{each.id}/providers/Microsoft.CognitiveServices/accounts", **bearer).status_code
            for each in subscriptions
        }
        assert listed == {"A": 200, "B": 200, "C": 403}
        written = [
            azure.arm("PUT", f"/subscriptions/{each.id}/resourcegroups/new", {"location": "eastus2"}, **bearer).status_code
            for each in subscriptions[:2]
        ]
        assert written == [403, 201]


def test_a_client_that_is_given_the_address_finds_everything_else(azure: Azure) -> None:
    endpoints = azure.client.get("/metadata/endpoints?api-version=2022-09-01").json()
    assert endpoints["resourceManager"] == endpoints["authentication"]["loginEndpoint"] == azure.url
    assert endpoints["suffixes"]
    tenant = azure.cloud.estate.tenant
    directions = azure.client.get(f"/{tenant}/v2.0/.well-known/openid-configuration").json()
    assert directions["token_endpoint"] == f"{azure.url}/{tenant}/oauth2/v2.0/token"


def test_a_path_of_nobody_is_not_found(azure: Azure) -> None:
    assert azure.client.get("/anything").status_code == 404
    assert azure.client.post("/accounts/none/openai/v1/chat/completions", json={}).status_code == 404
