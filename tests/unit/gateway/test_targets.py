"""How each deployment is called."""

import msgspec
import pytest

from changeover.gateway.egress import Egress, Proxy
from changeover.gateway.targets import Target, prepare
from changeover.traffic.table import Route, RoutingTable
from changeover.versions import Account, AccountKind, Deployment, ModelVersion, SecretReference
from changeover.wire.surface import Ask, Surface

KEY = "sk-of-the-account"
CHAT = Ask(Surface.CHAT, b"/chat/completions")


def prefix(target: Target) -> bytes:
    return target.prefix(b"POST", b"/v1/chat/completions", CHAT)


def table(
    endpoint: str, *, kind: AccountKind = "azure-openai", name: str = "blue", source: str = "env", task: str = "mail"
) -> RoutingTable:
    auth = SecretReference(source="none") if source == "none" else SecretReference(source="file", name="/run/key")
    return RoutingTable(
        revision=7,
        routes={task: Route(task=task, stable=name)},
        deployments={name: Deployment(name=name, account="a", model=ModelVersion(name="gpt-4o", version="2024-11-20"))},
        accounts={"a": Account(name="a", kind=kind, endpoint=endpoint, auth=auth)},
    )


def test_a_deployment_is_called_at_its_endpoint() -> None:
    target = prepare(table("https://aoai.example"), lambda _: KEY).targets["blue"]
    assert target.address == ("aoai.example", 443, True, None)
    assert prefix(target).startswith(
        b"POST /openai/deployments/blue/chat/completions?api-version=2024-10-21 HTTP/1.1\r\nhost: aoai.example\r\n"
    )
    assert b"\r\napi-key: sk-of-the-account\r\n" in prefix(target)


def test_a_deployment_is_called_by_the_name_that_its_provider_knows() -> None:
    known = table("https://aoai.example")
    called = msgspec.structs.replace(known.deployments["blue"], called="chat")
    target = prepare(msgspec.structs.replace(known, deployments={"blue": called}), lambda _: KEY).targets["blue"]
    assert prefix(target).startswith(b"POST /openai/deployments/chat/chat/completions?")
    assert (target.name, target.model) == ("blue", "chat")


@pytest.mark.parametrize(
    ("endpoint", "address", "host"),
    [
        ("http://127.0.0.1:8000", ("127.0.0.1", 8000, False), b"127.0.0.1:8000"),
        ("http://[::1]:8000", ("::1", 8000, False), b"[::1]:8000"),
        ("http://plain.example", ("plain.example", 80, False), b"plain.example"),
        ("https://user:pw@odd.example:8443", ("odd.example", 8443, True), b"odd.example:8443"),
    ],
)
def test_host_and_port_are_those_of_the_endpoint(endpoint: str, address: tuple[str, int, bool], host: bytes) -> None:
    target = prepare(table(endpoint), lambda _: KEY).targets["blue"]
    assert target.address == (*address, None)
    assert b"\r\nhost: %b\r\n" % host in prefix(target)


def test_a_name_cannot_break_out_of_its_path() -> None:
    target = prepare(table("https://aoai.example", name="a/../b c?\r\nx: y"), lambda _: KEY).targets["a/../b c?\r\nx: y"]
    assert b"/openai/deployments/a%2F..%2Fb%20c%3F%0D%0Ax%3A%20y/chat/completions" in prefix(target)
    assert target.model == "a/../b c?\r\nx: y"


def test_an_account_without_a_secret_sends_none() -> None:
    sent = prefix(prepare(table("http://127.0.0.1:1", kind="openai-compatible", source="none"), lambda _: KEY).targets["blue"])
    assert b"authorization" not in sent
    assert b"api-key" not in sent


@pytest.mark.parametrize("secret", [None, "", "\n", "a\nb", "a\x00b", "\u00fc"])
def test_a_secret_that_no_header_may_carry_is_a_fault_that_names_where_it_should_be(secret: str | None) -> None:
    target = prepare(table("https://aoai.example"), lambda _: secret).targets["blue"]
    assert target.fault is not None
    code, message = target.fault
    assert code == "secret_missing"
    assert "file:/run/key" in message
    assert target.fixed == b""


def test_a_secret_may_end_in_a_line_end_as_files_do() -> None:
    assert b"api-key: k\r\n" in prefix(prepare(table("https://aoai.example"), lambda _: "k\n").targets["blue"])


@pytest.mark.parametrize(
    "endpoint", ["", "aoai.example", "ftp://aoai.example", "ftp://aoai.example:21", "https://", "http://x:99999", "http://x:port"]
)
def test_an_endpoint_that_cannot_be_called_is_a_fault_and_no_crash(endpoint: str) -> None:
    target = prepare(table(endpoint), lambda _: KEY).targets["blue"]
    assert target.fault is not None
    assert target.fault[0] == "endpoint_invalid"


@pytest.mark.parametrize(
    ("endpoint", "path", "model"),
    [
        ("https://api.anthropic.com", b"/v1/messages", "gpt-4o-2024-11-20"),
        ("https://r.services.ai.azure.com/anthropic", b"/anthropic/v1/messages", "blue"),
    ],
)
def test_anthropics_api_is_called_with_its_own_headers(endpoint: str, path: bytes, model: str) -> None:
    target = prepare(table(endpoint, kind="anthropic"), lambda _: KEY).targets["blue"]
    sent = target.prefix(b"POST", b"/v1/messages", Ask(Surface.MESSAGES, b"/messages"))
    assert sent.startswith(b"POST %b HTTP/1.1\r\n" % path)
    assert b"\r\nx-api-key: sk-of-the-account\r\n" in sent
    assert b"authorization" not in sent
    assert target.unless_said == (b"anthropic-version", b"anthropic-version: 2023-06-01\r\n")
    assert target.model == model


def test_a_target_never_shows_its_secret() -> None:
    prepared = prepare(table("https://aoai.example"), lambda _: KEY)
    assert KEY not in repr(prepared)
    assert KEY.encode() in prefix(prepared.targets["blue"])
    assert KEY not in repr(prepared), "also after a request line has been kept"


def test_through_a_proxy_a_plain_request_names_its_host_and_the_proxy_gets_its_own_credential() -> None:
    proxy = Proxy(host="proxy.example", port=3128, authorization="proxy-authorization: Basic eDp5\r\n")
    egress = Egress(http_proxy=proxy, https_proxy=proxy, no_proxy=("inside.example",))
    plain = prepare(table("http://plain.example"), lambda _: KEY, egress).targets["blue"]
    assert plain.proxy == proxy
    assert prefix(plain).startswith(b"POST http://plain.example/openai/deployments/blue/chat/completions?")
    assert b"proxy-authorization: Basic eDp5\r\n" in prefix(plain)
    tunnelled = prepare(table("https://aoai.example"), lambda _: KEY, egress).targets["blue"]
    assert tunnelled.proxy == proxy
    assert prefix(tunnelled).startswith(b"POST /openai/")
    assert b"proxy-authorization" not in prefix(tunnelled), "the provider must not see it"
    assert prepare(table("http://inside.example"), lambda _: KEY, egress).targets["blue"].proxy is None
