"""Accounts that get tokens in place of keys."""

import pytest

from changeover.settings.file import parse
from changeover.versions import SecretReference
from tests.unit.settings.files import faults_of, with_account

CLIENT = "00000000-1111-2222-3333-444444444444"
PUBLIC = "https://cognitiveservices.azure.com/.default"


def auth_of(account: str) -> SecretReference:
    return parse(with_account(account)).accounts["aoai"].auth


def test_an_azure_account_that_says_nothing_has_a_key_in_the_environment_or_else_a_token() -> None:
    auth = auth_of("{kind: azure-openai, endpoint: https://a.openai.azure.com}")
    assert (auth.source, auth.name) == ("env", "AZURE_OPENAI_API_KEY")
    assert auth.entra is not None
    assert (auth.entra.method, auth.entra.scope, auth.entra.authority) == ("default", PUBLIC, "login.microsoftonline.com")


@pytest.mark.parametrize(
    "account",
    [
        "{kind: azure-openai, endpoint: https://a.openai.azure.com, auth: {env: MINE}}",
        "{kind: azure-openai, endpoint: https://a.openai.azure.com, auth: {file: /run/key}}",
        "{kind: openai}",
        "{kind: openai-compatible, endpoint: http://127.0.0.1:9}",
    ],
)
def test_whoever_names_a_place_and_whoever_is_not_azure_has_no_token(account: str) -> None:
    assert auth_of(account).entra is None


@pytest.mark.parametrize("method", ["default", "managed", "workload", "cli"])
def test_an_identity_is_named_by_its_method(method: str) -> None:
    auth = auth_of(f"{{kind: azure-openai, endpoint: https://a.openai.azure.com, auth: {{entra: {method}}}}}")
    assert (auth.source, str(auth)) == ("entra", f"entra:{method}")


def test_a_user_assigned_identity_has_its_client_id() -> None:
    auth = auth_of(f"{{kind: azure-openai, endpoint: https://a.openai.azure.com, auth: {{entra: managed, client_id: {CLIENT}}}}}")
    assert auth.entra is not None
    assert auth.entra.client_id == CLIENT


@pytest.mark.parametrize(
    ("endpoint", "more", "scope", "authority"),
    [
        ("https://a.openai.azure.com", "", PUBLIC, "login.microsoftonline.com"),
        ("https://a.services.ai.azure.com", "", "https://ai.azure.com/.default", "login.microsoftonline.com"),
        ("https://A.OpenAI.Azure.US", "", "https://cognitiveservices.azure.us/.default", "login.microsoftonline.us"),
        ("https://a.services.ai.azure.us", "", "https://ai.azure.us/.default", "login.microsoftonline.us"),
        ("https://a.openai.azure.cn", "", "https://cognitiveservices.azure.cn/.default", "login.chinacloudapi.cn"),
        ("https://apim.example", "", PUBLIC, "login.microsoftonline.com"),
        ("https://azure.us.example", "", PUBLIC, "login.microsoftonline.com"),
        ("https://apim.example", ", cloud: usgov", "https://cognitiveservices.azure.us/.default", "login.microsoftonline.us"),
        ("https://a.openai.azure.com", ", cloud: china", "https://cognitiveservices.azure.cn/.default", "login.chinacloudapi.cn"),
        ("https://apim.example", ", scope: 'api://mine/.default'", "api://mine/.default", "login.microsoftonline.com"),
    ],
)
def test_the_service_and_its_cloud_follow_from_the_endpoint_unless_said(endpoint: str, more: str, scope: str, authority: str) -> None:
    identity = auth_of(f"{{kind: azure-openai, endpoint: {endpoint}, auth: {{entra: default{more}}}}}").entra
    assert identity is not None
    assert (identity.scope, identity.authority) == (scope, authority)


@pytest.mark.parametrize(
    ("auth", "path", "expected"),
    [
        ("{entra: magic}", "entra", "default, managed, workload or cli"),
        ("{entra: default, env: KEY}", "", "exactly one of"),
        ("{env: KEY, file: k, entra: cli}", "", "exactly one of"),
        ("{env: KEY, cloud: china}", "", "with entra only"),
        ("{file: k, scope: 'api://x/.default'}", "", "with entra only"),
        (f"{{entra: cli, client_id: {CLIENT}}}", "", "no client_id with entra: cli"),
        ("{entra: managed, client_id: my-identity}", "client_id", "the client id of an identity"),
        ("{entra: default, scope: 'https://x.example'}", "scope", "ends in /.default"),
        ("{entra: default, scope: 'https://x y/.default'}", "scope", "ends in /.default"),
        ("{entra: default, cloud: mars}", "cloud", "public, usgov or china"),
        ("{keyvault: a/b}", "keyvault", "not in this version"),
    ],
)
def test_what_an_identity_cannot_be_is_refused_where_it_stands(auth: str, path: str, expected: str) -> None:
    faults = faults_of(with_account(f"{{kind: azure-openai, endpoint: https://a.b, auth: {auth}}}"))
    where = "accounts.aoai.auth" + (f".{path}" if path else "")
    assert expected in faults[where].expected


def test_openai_gives_no_tokens_for_identities() -> None:
    faults = faults_of(with_account("{kind: openai, auth: {entra: default}}"))
    assert faults["accounts.aoai.auth.entra"].expected == "a key, {env: NAME} or {file: PATH}"
