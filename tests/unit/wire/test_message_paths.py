"""Anthropic's paths find their surface in every form, and lead to the provider's own."""

import pytest

from changeover.gateway.paths import Kind
from changeover.gateway.paths import read_path as read_endpoint
from changeover.versions import Account, Deployment, ModelVersion, SecretReference
from changeover.versions.dialect import Dialect
from changeover.wire.address import upstream_model, upstream_path
from changeover.wire.surface import Surface, asked_dialect, read_path

OPERATIONS = [
    (b"/messages", Surface.MESSAGES),
    (b"/messages/count_tokens", Surface.TOKEN_COUNT),
    (b"/messages/batches", Surface.MESSAGE_BATCHES),
    (b"/messages/batches/msgbatch_1/results", Surface.MESSAGE_BATCHES),
]
DIRECT = "https://api.anthropic.com"
FOUNDRY = "https://r.services.ai.azure.com/anthropic"


def account(endpoint: str) -> Account:
    return Account(name="a", kind="anthropic", endpoint=endpoint, auth=SecretReference(source="none"))


@pytest.mark.parametrize("prefix", [b"", b"/t/mail"])
@pytest.mark.parametrize("root", [b"", b"/v1", b"/anthropic/v1"])
@pytest.mark.parametrize(("operation", "surface"), OPERATIONS)
def test_a_path_finds_its_surface_and_its_task(operation: bytes, surface: Surface, root: bytes, prefix: bytes) -> None:
    ask = read_path(prefix + root + operation + b"?beta=true")
    assert ask is not None
    assert (ask.surface, ask.operation, ask.query, ask.task) == (surface, operation, b"beta=true", "mail" if prefix else None)
    assert asked_dialect(surface) is Dialect.ANTHROPIC


@pytest.mark.parametrize("operation", [b"/chat/completions", b"/responses", b"/embeddings", b"/images/generations", b"/responses/r1"])
def test_below_anthropic_there_is_no_other_api(operation: bytes) -> None:
    assert read_path(b"/anthropic/v1" + operation) is None
    assert read_path(b"/anthropic" + operation) is None


@pytest.mark.parametrize("operation", [b"/models", b"/files", b"/skills"])
def test_what_both_have_is_found_below_either(operation: bytes) -> None:
    ask = read_path(b"/anthropic/v1" + operation)
    assert ask is not None
    assert asked_dialect(ask.surface) is None


@pytest.mark.parametrize(
    "path", [b"/v1/Messages", b"/v1/messages/", b"/v1/anthropic/v1/messages", b"/v1/mess%61ges", b"/anthropic/v1/../x"]
)
def test_a_disguised_path_is_nothing(path: bytes) -> None:
    assert read_path(path) is None


@pytest.mark.parametrize(("operation", "surface"), OPERATIONS)
def test_only_messages_are_answers_and_only_batches_are_kept(operation: bytes, surface: Surface) -> None:
    endpoint = read_endpoint(b"/v1" + operation)
    assert endpoint is not None
    assert (endpoint.kind, endpoint.dialect) == (Kind.API, Dialect.ANTHROPIC)
    assert endpoint.first_class == (surface is Surface.MESSAGES)
    assert endpoint.aside != endpoint.first_class
    assert endpoint.repeatable == (surface is not Surface.MESSAGE_BATCHES)
    assert (b"GET" in endpoint.methods) == (surface is Surface.MESSAGE_BATCHES)


@pytest.mark.parametrize(
    "url", [b"/v1/messages?beta=true", b"/anthropic/v1/messages?beta=true&api-version=2024-10-21", b"/t/m/v1/messages?beta=true"]
)
def test_the_provider_is_asked_in_its_own_form(url: bytes) -> None:
    ask = read_path(url)
    assert ask is not None
    assert upstream_path(ask, account=account(DIRECT), deployment="d") == b"/v1/messages?beta=true"
    assert upstream_path(ask, account=account(FOUNDRY), deployment="d") == b"/anthropic/v1/messages?beta=true"
    assert upstream_path(ask, account=account(f"{FOUNDRY}/v1"), deployment="d") == b"/anthropic/v1/messages?beta=true"


@pytest.mark.parametrize(
    ("endpoint", "model", "version", "sent"),
    [
        (DIRECT, "claude-sonnet-4-5", "20250929", "claude-sonnet-4-5-20250929"),
        (DIRECT, "claude-opus-5", "1", "claude-opus-5"),
        (FOUNDRY, "claude-opus-5", "2", "opus-prod"),
        (f"{FOUNDRY}/v1", "claude-sonnet-4-5", "20250929", "opus-prod"),
        ("http://127.0.0.1:8000", "qwen", "1", "qwen"),
    ],
)
def test_a_version_goes_by_the_name_that_the_provider_knows(endpoint: str, model: str, version: str, sent: str) -> None:
    deployment = Deployment(name="opus-prod", account="a", model=ModelVersion(name=model, version=version))
    assert upstream_model(account(endpoint), deployment) == sent
