"""Accounts of Anthropic's kind in the file, and what must not be mixed with them."""

import pytest

from changeover.settings.file import parse
from changeover.versions import SecretReference
from tests.unit.settings.files import faults_of

FILE = """\
version: 1
accounts:
  aoai: {kind: azure-openai, endpoint: https://aoai.openai.azure.com}
  claude: {kind: anthropic}
deployments:
  gpt: {account: aoai, model: gpt-4o, version: "2024-11-20"}
  sonnet: {account: claude, model: claude-sonnet-4-5, version: "20250929"}
  opus: {account: claude, model: claude-opus-5, version: 1}
tasks:
  email: TASK
"""


def with_task(task: str, more: str = "") -> str:
    return FILE.replace("TASK", task) + more


def test_an_account_needs_no_more_than_its_kind() -> None:
    declared = parse(with_task("{stable: sonnet, failover: [opus]}"))
    account = declared.accounts["claude"]
    assert (account.kind, account.endpoint) == ("anthropic", "https://api.anthropic.com")
    assert account.auth == SecretReference(source="env", name="ANTHROPIC_API_KEY")
    assert declared.deployments["opus"].model.is_numbered
    assert not declared.deployments["sonnet"].model.is_numbered


@pytest.mark.parametrize(
    ("task", "path"),
    [
        ("{stable: sonnet, failover: [opus, gpt]}", "tasks.email.failover[1]"),
        ("{stable: gpt, failover: [sonnet]}", "tasks.email.failover[0]"),
    ],
)
def test_who_stands_in_must_speak_the_same_api(task: str, path: str) -> None:
    (fault,) = faults_of(with_task(task)).values()
    assert fault.path == path
    assert "Anthropic's API" in fault.found
    assert "OpenAI's API" in fault.found
    assert "never translated" in fault.expected


@pytest.mark.parametrize(("stable", "candidate"), [("sonnet", "gpt"), ("gpt", "sonnet")])
def test_a_candidate_must_speak_the_stables_api(stable: str, candidate: str) -> None:
    rollout = f"rollouts:\n  up: {{task: email, candidate: {candidate}}}\n"
    assert list(faults_of(with_task(f"{{stable: {stable}, criteria: {{preset: none, errors: {{}}}}}}", rollout))) == [
        "rollouts.up.candidate"
    ]


def test_a_pool_must_speak_one_api() -> None:
    text = with_task("{stable: [gpt, twin]}").replace(
        "  sonnet:", '  twin: {account: claude, model: gpt-4o, version: "2024-11-20"}\n  sonnet:'
    )
    assert list(faults_of(text)) == ["tasks.email.stable[1]"]


@pytest.mark.parametrize(
    ("endpoint", "good"),
    [
        ("https://r.services.ai.azure.com/anthropic", True),
        ("https://r.services.ai.azure.com/anthropic/v1", True),
        ("https://r.services.ai.azure.com", False),
        ("https://r.openai.azure.com/openai/v1", False),
        ("https://proxy.example.com", True),
        ("http://127.0.0.1:8000", True),
    ],
)
def test_an_azure_resource_serves_it_below_a_path_of_its_own(endpoint: str, good: bool) -> None:
    text = with_task("{stable: sonnet}").replace("{kind: anthropic}", f'{{kind: anthropic, endpoint: "{endpoint}"}}')
    assert list(faults_of(text)) == ([] if good else ["accounts.claude.endpoint"])


@pytest.mark.parametrize(("endpoint", "good"), [("", False), (', endpoint: "https://r.services.ai.azure.com/anthropic"', True)])
def test_entra_gives_tokens_for_azures_resources_only(endpoint: str, good: bool) -> None:
    text = with_task("{stable: sonnet}").replace("{kind: anthropic}", f"{{kind: anthropic{endpoint}, auth: {{entra: default}}}}")
    assert list(faults_of(text)) == ([] if good else ["accounts.claude.auth.entra"])


def test_the_system_prompt_is_no_parameter() -> None:
    text = with_task("{stable: sonnet}").replace('"20250929"}', '"20250929", request: {set: {system: x}, drop: [system]}}')
    assert "deployments.sonnet.request.set.system" in faults_of(text)
