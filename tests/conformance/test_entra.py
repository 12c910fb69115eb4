"""Tokens from the real `azure-identity`, and the real gateway that sends them on; the cloud is a server beside the test."""

import os
import ssl
import stat
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
import trustme

from changeover.adapters.credentials import EntraTokens
from changeover.ports.credentials import TokenError
from changeover.versions import EntraIdentity
from tests.conformance.entra_cloud import IDENTITY_HEADER, TENANT, TOKEN_MARK, Cloud, running_cloud
from tests.conformance.rig import announced, process

CLIENT_ID: Final = "99999999-8888-7777-6666-555555555555"
SCOPE: Final = "https://cognitiveservices.azure.com/.default"
MANAGED: Final = EntraIdentity(method="managed", scope=SCOPE, client_id=CLIENT_ID)
FILE: Final = """
version: 1
accounts:
  aoai: {{kind: azure-openai, endpoint: "{cloud}"{auth}}}
deployments:
  blue: {{model: gpt-4o, version: "2024-11-20"}}
tasks:
  mail: {{stable: blue, criteria: {{preset: none}}}}
"""
ENTRA_VARIABLES: Final = ("AZURE_", "IDENTITY_", "IMDS_", "MSI_")


@pytest.fixture(autouse=True)
def no_cloud_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the machine knows of Azure plays no part."""
    for name in [name for name in os.environ if name.startswith(ENTRA_VARIABLES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path))


@pytest.fixture
def identity_endpoint(monkeypatch: pytest.MonkeyPatch) -> Generator[Cloud]:
    with running_cloud() as cloud:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{cloud.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)
        yield cloud


def test_a_managed_identity_gives_a_token_for_the_scope(identity_endpoint: Cloud) -> None:
    token = EntraTokens().fetch(MANAGED)
    assert token.value == identity_endpoint.issued[0]
    (asked,) = identity_endpoint.asked
    assert (asked["resource"], asked["client_id"]) == (["https://cognitiveservices.azure.com"], [CLIENT_ID])


def test_the_default_identity_finds_the_managed_one(identity_endpoint: Cloud) -> None:
    assert EntraTokens().fetch(EntraIdentity(scope=SCOPE)).value == identity_endpoint.issued[0]


def test_every_call_asks_anew_so_that_a_renewal_is_one(identity_endpoint: Cloud) -> None:
    tokens = EntraTokens()
    assert [tokens.fetch(MANAGED).value, tokens.fetch(MANAGED).value] == identity_endpoint.issued


def test_a_token_shows_itself_in_no_words(identity_endpoint: Cloud) -> None:
    token = EntraTokens().fetch(MANAGED)
    assert TOKEN_MARK not in f"{token!r} {token}"
    assert len(identity_endpoint.issued) == 1


def test_what_a_broken_endpoint_says_is_repeated_without_secrets(identity_endpoint: Cloud) -> None:
    identity_endpoint.refusing = True
    with pytest.raises(TokenError) as refused:
        EntraTokens().fetch(MANAGED)
    assert TOKEN_MARK not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_workload_exchanges_its_own_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusted, federated = tmp_path / "ca.pem", tmp_path / "token"
    authority.cert_pem.write_to_path(trusted)
    federated.write_text("the-token-of-the-pod")
    with running_cloud(tls=context) as cloud:
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", cloud.url)
        monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
        monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(federated))
        identity = EntraIdentity(method="workload", scope=SCOPE, client_id=CLIENT_ID, authority="login.microsoftonline.com")
        tokens = EntraTokens(ca_file=str(trusted))
        assert tokens.fetch(identity).value == cloud.issued[0]
        (asked,) = cloud.asked
        assert (asked["client_assertion"], asked["scope"], asked["client_id"]) == (["the-token-of-the-pod"], [SCOPE], [CLIENT_ID])
        cloud.refusing = True
        with pytest.raises(TokenError, match="AADSTS700016") as refused:
            tokens.fetch(identity)
        assert TOKEN_MARK not in str(refused.value)


def test_the_command_line_tool_gives_its_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "az"
    tool.write_text(f"""#!{sys.executable}
import sys
assert "https://cognitiveservices.azure.com" in sys.argv, sys.argv
print('{{"accessToken": "{TOKEN_MARK}.cli", "expires_on": 4102444800}}')
""")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    token = EntraTokens().fetch(EntraIdentity(method="cli", scope=SCOPE))
    assert (token.value, token.expires_at) == (f"{TOKEN_MARK}.cli", 4102444800.0)


@pytest.mark.parametrize("method", ["cli", "workload"])
def test_without_such_an_identity_it_is_said_what_is_missing(method: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TokenError, match=r"no such identity is to be had here: .*(Azure CLI not found|tenant_id)"):
        EntraTokens().fetch(EntraIdentity(method=method, scope=SCOPE))


def test_without_the_extra_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name == "azure" or name.startswith("azure.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "azure", None)
    with pytest.raises(TokenError, match=r"pip install 'changeover\[azure\]'"):
        EntraTokens().fetch(MANAGED)


# The whole server


@contextmanager
def served(folder: Path, cloud: Cloud, *, auth: str) -> Generator[tuple[str, Path]]:
    """The gateway's URL once it has its table, and the log of the server and its gateway."""
    (folder / "changeover.yaml").write_text(FILE.format(cloud=cloud.url, auth=auth))
    with ExitStack() as stack:
        server = stack.enter_context(process(folder, "serve", "changeover", "serve", "--port", "0", "--control-port", "0"))
        gateway = announced(folder, server)
        while httpx2.get(f"{gateway}/readyz", trust_env=False).status_code != 200:
            continue
        yield gateway, folder / "serve.log"


def ask(gateway: str) -> httpx2.Response:
    body = {"model": "mail", "messages": [{"role": "user", "content": "Is it so?"}]}
    return httpx2.post(f"{gateway}/v1/chat/completions", json=body, trust_env=False, timeout=30.0)


def holding(folder: Path, text: str) -> list[Path]:
    """Every file below ``folder`` with ``text`` in it."""
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_tokens_are_renewed_before_they_end_and_are_found_nowhere_but_at_the_provider(identity_endpoint: Cloud, tmp_path: Path) -> None:
    identity_endpoint.life_s = 5
    with served(tmp_path, identity_endpoint, auth="") as (gateway, log):
        answers = [ask(gateway)]  # the first may have to wait for the first token
        assert identity_endpoint.bearers[0].removeprefix("Bearer ") in identity_endpoint.issued
        identity_endpoint.wait_for("issued")
        answers.append(ask(gateway))
        identity_endpoint.refusing = True
        identity_endpoint.wait_for("refused")
        answers.append(ask(gateway))
        assert [answer.status_code for answer in answers] == [200, 200, 200], "a token serves until it has ended"
        assert len(set(identity_endpoint.bearers)) >= 2
    said = log.read_text()
    assert said.count("found no new token") == 1
    assert TOKEN_MARK not in said + "".join(answer.text + str(answer.headers) for answer in answers)
    assert holding(tmp_path, TOKEN_MARK) == []


def test_a_key_in_the_environment_beats_entra_id(identity_endpoint: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "a-key-of-the-account")
    with served(tmp_path, identity_endpoint, auth="") as (gateway, _):
        assert ask(gateway).status_code == 200
    assert identity_endpoint.issued == []
