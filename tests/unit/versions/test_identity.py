"""A served name contradicts a pin only where it surely says something else."""

import pytest

from changeover.versions import Account, AccountKind, Deployment, ModelVersion, SecretReference
from changeover.versions.identity import Contradiction, Served, contradiction


def ask(
    served: str | None, model: str, version: str, *, kind: AccountKind = "azure-openai", by: str | None = None, name: str = "prod"
) -> Contradiction | None:
    account = Account(name="a", kind=kind, endpoint="https://a.example", auth=SecretReference(source="none"))
    deployment = Deployment(name=name, account="a", model=ModelVersion(name=model, version=version))
    return contradiction(Served(served, by), deployment=deployment, account=account)


@pytest.mark.parametrize(
    ("served", "model", "version"),
    [
        ("gpt-4o-2024-11-20", "gpt-4o", "2024-11-20"),
        ("GPT-4o-2024-11-20", "gpt-4o", "2024-11-20"),
        ("gpt-4-turbo-2024-04-09", "gpt-4", "turbo-2024-04-09"),
        ("gpt-4-turbo-2024-04-09", "gpt-4-turbo", "2024-04-09"),
        ("gpt-4-1106-preview", "gpt-4", "1106-Preview"),
        ("gpt-3.5-turbo-0125", "gpt-35-turbo", "0125"),
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini", "2025-04-14"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5", "20250929"),
        ("summariser-7", "summariser", "7"),
    ],
)
def test_the_pinned_version_is_recognised_under_every_spelling(served: str, model: str, version: str) -> None:
    for kind in ("azure-openai", "openai", "anthropic", "openai-compatible"):
        assert ask(served, model, version, kind=kind) is None


@pytest.mark.parametrize(
    ("served", "model", "version"),
    [
        (None, "gpt-4o", "2024-11-20"),
        ("", "gpt-4o", "2024-11-20"),
        ("gpt-4o", "gpt-4o", "2024-11-20"),
        ("prod", "gpt-4o", "2024-11-20"),
        ("gpt-35-turbo", "gpt-35-turbo", "0125"),
        ("ada", "text-embedding-ada-002", "2"),
        ("text-embedding-ada-002", "text-embedding-ada-002", "2"),
        ("text-embedding-ada-002-v2", "text-embedding-ada-002", "2"),
        ("gpt-4-turbo", "gpt-4", "turbo-2024-04-09"),
        ("gpt-5.6-sol", "gpt-4o", "2024-05-13"),
        ("DeepSeek-R1", "DeepSeek-R1", "1"),
        ("gpt-4o-2024-08-06.ft-0a1b", "gpt-4o", "2024-08-06"),
    ],
)
def test_a_name_without_a_version_says_nothing(served: str | None, model: str, version: str) -> None:
    assert ask(served, model, version) is None


@pytest.mark.parametrize(
    ("served", "model", "version"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o", "2024-11-20"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o", "2024-11-20"),
        ("gpt-5.1-2025-11-13", "gpt-4o", "2024-05-13"),
        ("gpt-4-0125-preview", "gpt-4", "1106-preview"),
        ("gpt-4-0613", "gpt-4", "turbo-2024-04-09"),
        ("gpt-35-turbo-1106", "gpt-35-turbo", "0125"),
        ("claude-sonnet-4-5-20260101", "claude-sonnet-4-5", "20250929"),
        ("summariser-8", "summariser", "7"),
    ],
)
def test_another_version_is_a_contradiction(served: str, model: str, version: str) -> None:
    assert ask(served, model, version) == Contradiction("model", served, f"{model}-{version}")


def test_a_compatible_server_contradicts_only_with_another_version_of_the_same_model() -> None:
    kind: AccountKind = "openai-compatible"
    assert ask("some-finetune-2026-01-01", "llama-3.1-70b", "2", kind=kind) is None
    assert ask("meta-llama/Llama-3.1-70B-Instruct", "llama-3.1-70b", "2", kind=kind) is None
    assert ask("llama-3.1-70b-3", "llama-3.1-70b", "2", kind=kind) == Contradiction("model", "llama-3.1-70b-3", "llama-3.1-70b-2")


def test_an_answer_of_another_azure_deployment_is_a_spillover_even_of_the_same_version() -> None:
    served = "gpt-4o-2024-11-20"
    assert ask(served, "gpt-4o", "2024-11-20", by="spill") == Contradiction("deployment", "spill", "prod")
    assert ask(served, "gpt-4o", "2024-11-20", by="PROD") is None
    assert ask(served, "gpt-4o", "2024-11-20", by="spill", kind="openai") is None


def test_the_answering_deployment_is_compared_by_the_name_that_its_provider_knows() -> None:
    account = Account(name="a", kind="azure-openai", endpoint="https://a.example", auth=SecretReference(source="none"))
    deployment = Deployment(name="a.chat", called="chat", account="a", model=ModelVersion(name="gpt-4o", version="2024-11-20"))
    assert contradiction(Served("gpt-4o-2024-11-20", "Chat"), deployment=deployment, account=account) is None
    other = contradiction(Served("gpt-4o-2024-11-20", "a.chat"), deployment=deployment, account=account)
    assert other == Contradiction("deployment", "a.chat", "chat")
