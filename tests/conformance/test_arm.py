"""Azure's own management client and identities, unchanged, against the stage: over HTTP as far as they allow it, and over TLS."""

import os
from collections.abc import Iterator
from inspect import signature
from typing import Any, Final

import httpx2
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential, DefaultAzureCredential, ManagedIdentityCredential
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from openai import AzureOpenAI, OpenAI

from tests.integration.azure_sim.stand_in import KEY, Azure, deployment_body, running_azure

GROUP: Final = "rg-genai-sim"
ACCOUNT: Final = "aoai-genai-sim"
ARM_SCOPE: Final = "https://management.azure.com/.default"
DATA_SCOPE: Final = "https://cognitiveservices.azure.com/.default"
CLIENT: Final = "99999999-8888-7777-6666-555555555555"
ENTRA_VARIABLES: Final = ("AZURE_", "IDENTITY_", "IMDS_", "MSI_")
HTTP: Final[dict[str, Any]] = {"enforce_https": False}


class KeyAsToken:
    """The stage's key, which is a token of Resource Manager too."""

    def get_token(self, *scopes: str, **more: Any) -> AccessToken:
        return AccessToken(KEY, 4_000_000_000)


@pytest.fixture(autouse=True)
def no_cloud_around(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the machine knows of Azure plays no part."""
    for name in [name for name in os.environ if name.startswith(ENTRA_VARIABLES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path_factory.mktemp("az")))


@pytest.fixture
def azure(tmp_path: Any) -> Iterator[Azure]:
    with running_azure(tls_folder=tmp_path) as azure:
        yield azure


@pytest.fixture
def client(azure: Azure) -> Iterator[Any]:
    with management(azure, azure.url, KeyAsToken()) as client:
        yield client


def management(azure: Azure, url: str, credential: Any, **more: Any) -> Any:
    """The client; all fields of its answers are optional to the type checker."""
    return CognitiveServicesManagementClient(
        credential, azure.subscription, base_url=url, credential_scopes=[ARM_SCOPE], polling_interval=0, **more
    )


def estimated(client: Any, body: dict[str, Any]) -> Any:
    """The stable client takes the body in parts, newer ones as a whole."""
    if "parameters" in signature(client.calculate_model_capacity).parameters:
        return client.calculate_model_capacity(body, **HTTP)
    return client.calculate_model_capacity(sku_name=body["skuName"], workloads=body["workloads"], **HTTP)


def managed_identity(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{azure.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", KEY)


def test_the_client_finds_accounts_and_what_is_deployed_there(client: Any) -> None:
    (account,) = client.accounts.list(**HTTP)
    assert (account.name, account.location) == (ACCOUNT, "swedencentral")
    assert client.accounts.get(GROUP, ACCOUNT, **HTTP).properties.endpoint.startswith("http://127.0.0.1:")
    assert [each.name for each in client.accounts.list_by_resource_group(GROUP, **HTTP)] == [ACCOUNT]
    found = {each.name: each.properties for each in client.deployments.list(GROUP, ACCOUNT, **HTTP)}
    assert found["gpt4o-prod-v1120"].version_upgrade_option == "NoAutoUpgrade"
    assert found["gpt4o-prod-v1120"].rai_policy_name == "strict-v2"
    assert found["chat"].version_upgrade_option == "OnceNewDefaultVersionAvailable"


def test_the_client_follows_every_page(azure: Azure, client: Any) -> None:
    azure.tell("conduct", {"page_size": 1})
    assert len(list(client.deployments.list(GROUP, ACCOUNT, **HTTP))) == 3
    assert len(list(client.accounts.list_models(GROUP, ACCOUNT, **HTTP))) == len(azure.cloud.calendar.all())


def test_the_client_creates_changes_and_deletes_and_waits_for_each(azure: Azure, client: Any) -> None:
    body: Any = deployment_body(capacity=10, versionUpgradeOption="NoAutoUpgrade")
    made = client.deployments.begin_create_or_update(GROUP, ACCOUNT, "new", body, **HTTP).result()
    assert (made.properties.provisioning_state, made.properties.version_upgrade_option) == ("Succeeded", "NoAutoUpgrade")
    change: Any = {"sku": {"name": "Standard", "capacity": 20}}
    assert client.deployments.begin_update(GROUP, ACCOUNT, "new", change, **HTTP).result().sku.capacity == 20
    client.deployments.begin_delete(GROUP, ACCOUNT, "new", **HTTP).result()
    with pytest.raises(ResourceNotFoundError):
        client.deployments.get(GROUP, ACCOUNT, "new", **HTTP)


def test_the_client_polls_writes_that_take_time(tmp_path: Any) -> None:
    with running_azure(write_s=0.3) as azure, management(azure, azure.url, KeyAsToken(), retry_backoff_factor=0) as client:
        body: Any = deployment_body()
        poller = client.deployments.begin_create_or_update(GROUP, ACCOUNT, "new", body, **HTTP)
        assert poller.status() == "InProgress"
        assert poller.result(20).properties.provisioning_state == "Succeeded"


def test_the_client_reads_refusals_by_code_and_message(client: Any) -> None:
    body: Any = deployment_body(capacity=5000)
    with pytest.raises(HttpResponseError) as refused:
        client.deployments.begin_create_or_update(GROUP, ACCOUNT, "new", body, **HTTP)
    assert refused.value.error is not None
    assert refused.value.error.code == "InsufficientQuota"
    assert "bigger than the current available capacity" in str(refused.value)


def test_the_client_reads_models_quota_capacities_filters_and_estimates(azure: Azure, client: Any) -> None:
    models = {(each.model.name, each.model.version): each.model for each in client.models.list("swedencentral", **HTTP)}
    old = models["gpt-4o", "2024-05-13"]
    assert (old.lifecycle_status, old.replacement_config.target_model_name) == ("Deprecating", "gpt-5.6-sol")
    assert old.deprecation.inference == "2026-12-09T00:00:00Z"
    usages = {each.name.value: (each.current_value, each.limit) for each in client.usages.list("swedencentral", **HTTP)}
    assert usages["OpenAI.Standard.gpt-4o"] == (70, 300)
    capacities = client.location_based_model_capacities.list(
        "swedencentral", model_format="OpenAI", model_name="gpt-4o", model_version="2024-11-20", **HTTP
    )
    assert {each.name: each.properties.available_capacity for each in capacities}["Standard"] == 230
    assert [each.name for each in client.rai_policies.list(GROUP, ACCOUNT, **HTTP)][-1] == "strict-v2"
    assert client.accounts.list_keys(GROUP, ACCOUNT, **HTTP).key1 == KEY
    work: Any = [{"requestPerMinute": 100, "requestParameters": {"avgPromptTokens": 200, "avgGeneratedTokens": 100}}]
    estimate = estimated(client, {"skuName": "ProvisionedManaged", "workloads": work}).estimated_capacity
    assert (estimate.value, estimate.deployable_value) == (24, 25)


def test_a_managed_identity_signs_in_over_http_and_manages_over_tls(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    managed_identity(azure, monkeypatch)
    assert azure.tls_url is not None
    for credential in (ManagedIdentityCredential(), ManagedIdentityCredential(client_id=CLIENT), DefaultAzureCredential()):
        with management(azure, azure.tls_url, credential, connection_verify=str(azure.ca)) as client:
            assert [each.name for each in client.accounts.list()] == [ACCOUNT]
        credential.close()


def test_operations_are_followed_over_tls_when_they_were_begun_there(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    managed_identity(azure, monkeypatch)
    assert azure.tls_url is not None
    with management(azure, azure.tls_url, ManagedIdentityCredential(), connection_verify=str(azure.ca)) as client:
        body: Any = deployment_body()
        made = client.deployments.begin_create_or_update(GROUP, ACCOUNT, "new", body).result(20)
        assert made.properties.provisioning_state == "Succeeded"


def test_a_machine_asks_its_own_identity(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", azure.url)
    token = ManagedIdentityCredential().get_token(DATA_SCOPE).token
    assert azure.chat("chat", authorization=f"Bearer {token}").status_code == 200


def application(azure: Azure, secret: str = KEY) -> ClientSecretCredential:
    assert azure.tls_url is not None
    tenant = azure.cloud.estate.tenant
    return ClientSecretCredential(
        tenant, CLIENT, secret, authority=azure.tls_url, disable_instance_discovery=True, connection_verify=str(azure.ca)
    )


def test_an_application_signs_in_with_its_secret(azure: Azure) -> None:
    token = application(azure).get_token(ARM_SCOPE).token
    assert azure.arm("GET", azure.account_path(), authorization=f"Bearer {token}").status_code == 200
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        application(azure, "wrong").get_token(ARM_SCOPE)


def test_an_application_that_may_only_read_is_refused_to_write(azure: Azure) -> None:
    azure.cloud.callers.roles[CLIENT] = "reader"
    assert azure.tls_url is not None
    with management(azure, azure.tls_url, application(azure), connection_verify=str(azure.ca)) as client:
        assert len(list(client.deployments.list(GROUP, ACCOUNT))) == 3
        with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
            client.deployments.begin_delete(GROUP, ACCOUNT, "chat")


def test_a_token_for_one_service_is_none_for_the_other(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    managed_identity(azure, monkeypatch)
    identity = ManagedIdentityCredential()
    data, arm = (f"Bearer {identity.get_token(scope).token}" for scope in (DATA_SCOPE, ARM_SCOPE))
    assert (azure.chat("chat", authorization=data).status_code, azure.chat("chat", authorization=arm).status_code) == (200, 401)
    assert azure.arm("GET", "/subscriptions", authorization=data).status_code == 401


@pytest.mark.parametrize("tls", [False, True])
def test_model_clients_reach_an_account_at_its_own_address(azure: Azure, tls: bool) -> None:
    base = azure.tls_url if tls else azure.url
    url = f"{base}/accounts/{ACCOUNT}"
    asked: Any = [{"role": "user", "content": "The reader opens a file. It never writes."}]
    with httpx2.Client(trust_env=False, verify=_trusting(azure) if tls else True) as http:
        dated = AzureOpenAI(azure_endpoint=url, api_key=KEY, api_version="2024-10-21", http_client=http)
        plain = OpenAI(base_url=f"{url}/openai/v1", api_key=KEY, http_client=http)
        answers = [each.chat.completions.create(model="chat", messages=asked) for each in (dated, plain)]
    assert {answer.model for answer in answers} == {"gpt-4o-mini-2024-07-18"}


def _trusting(azure: Azure) -> Any:
    import ssl

    return ssl.create_default_context(cafile=str(azure.ca))
