"""A single request is addressed as traffic would be: path, credential, way out."""

import asyncio

import pytest

from changeover.adapters.credentials import MemoryTokens
from changeover.gateway.egress import Egress, egress_from
from changeover.gateway.probe_head import probe_head
from changeover.ports.credentials import Token, TokenError
from changeover.ports.probing import ProbeCall, ProbeFailedError, ProbeHead
from changeover.versions import Account, AccountKind, Deployment, EntraIdentity, ModelVersion, SecretReference
from changeover.wire.surface import Ask, Surface

KEY = SecretReference(source="env", name="KEY")
SECRET = "a-secret-of-the-account"


def head(
    kind: AccountKind = "azure-openai",
    *,
    endpoint: str = "https://aoai.example",
    auth: SecretReference = KEY,
    query: bytes = b"",
    egress: Egress | None = None,
    tokens: MemoryTokens | None = None,
) -> ProbeHead:
    account = Account(name="aoai", kind=kind, endpoint=endpoint, auth=auth)
    deployment = Deployment(name="new one", account="aoai", model=ModelVersion(name="gpt-4o", version="2024-11-20"))
    ask = Ask(Surface.MESSAGES, b"/messages") if kind == "anthropic" else Ask(Surface.CHAT, b"/chat/completions", query=query)
    call = ProbeCall(deployment=deployment, account=account, ask=ask, body=b"{}")
    return asyncio.run(probe_head(call, resolve=lambda _: SECRET, egress=egress or Egress(), tokens=tokens or MemoryTokens()))


def test_azure_is_called_by_its_dated_path_with_the_key_in_its_own_header() -> None:
    found = head(query=b"api-version=2024-06-01")
    assert found.url == "https://aoai.example:443/openai/deployments/new%20one/chat/completions?api-version=2024-06-01"
    assert dict(found.headers) == {"api-key": SECRET, "accept-encoding": "identity", "content-type": "application/json"}
    assert head().url.endswith("?api-version=2024-10-21")


def test_other_kinds_get_their_own_paths_and_headers() -> None:
    assert dict(head("openai").headers)["authorization"] == f"Bearer {SECRET}"
    assert head("openai-compatible", endpoint="http://[::1]:8000/v1").url == "http://[::1]:8000/v1/chat/completions"
    headers = dict(head("anthropic").headers)
    assert (headers["x-api-key"], "anthropic-version" in headers) == (SECRET, True)


def test_a_token_stands_in_for_a_key() -> None:
    identity = EntraIdentity(scope="https://ai.azure.com/.default")
    found = head(auth=SecretReference(source="entra", entra=identity), tokens=MemoryTokens(Token(value="t0ken", expires_at=1e12)))
    assert dict(found.headers)["authorization"] == "Bearer t0ken"
    with pytest.raises(ProbeFailedError, match="signed in nowhere"):
        head(auth=SecretReference(source="entra", entra=identity), tokens=MemoryTokens(TokenError("signed in nowhere")))


def test_what_cannot_be_called_says_why_without_its_secret() -> None:
    with pytest.raises(ProbeFailedError, match="its endpoint is not a URL") as caught:
        head(endpoint="nowhere")
    assert caught.value.kind == "unusable"
    assert SECRET not in str(caught.value)


def test_the_way_out_is_that_of_the_environment() -> None:
    egress = egress_from({"HTTPS_PROXY": "http://u:p@proxy.example:3128", "HTTP_PROXY": "http://proxy.example", "NO_PROXY": "localhost"})
    found = head(egress=egress)
    assert (found.proxy, [name for name, _ in found.proxy_headers]) == ("http://proxy.example:3128", ["proxy-authorization"])
    assert head(endpoint="https://localhost", egress=egress).proxy is None
    plain = head("openai-compatible", endpoint="http://away.example", egress=egress)
    assert (plain.proxy, plain.url) == ("http://proxy.example:80", "http://away.example:80/v1/chat/completions")


def test_a_head_does_not_show_its_credential() -> None:
    assert SECRET not in repr(head())
