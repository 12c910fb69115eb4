"""Where an account is in Azure, and how its deployments are sold: read, refused, and written again."""

import pytest

from changeover.settings.file import parse
from changeover.settings.written_file import file_text
from tests.unit.settings.files import SMALLEST, faults_of, with_account

PLACE = "subscription: 00000000-0000-0000-0000-000000000001, resource_group: rg-genai-prod"
AZURE = "kind: azure-openai, endpoint: https://aoai.openai.azure.com"


def with_deployment(keys: str) -> str:
    return SMALLEST.replace('version: "2024-11-20"}', f'version: "2024-11-20", {keys}}}')


def test_everything_that_is_said_is_read_and_written_again() -> None:
    keys = "sku: Standard, capacity: 50, upgrade: OnceCurrentVersionExpired, called: chat, observed: true, content_filter: strict-v2"
    text = with_deployment(keys).replace(AZURE, f"{AZURE}, {PLACE}")
    declared = parse(text)
    account, new, old = declared.accounts["aoai"], declared.deployments["new"], declared.deployments["old"]
    assert (account.subscription, account.resource_group) == ("00000000-0000-0000-0000-000000000001", "rg-genai-prod")
    assert (new.capacity, new.upgrade, new.called, new.provider_name, new.observed) == (
        50,
        "OnceCurrentVersionExpired",
        "chat",
        "chat",
        True,
    )
    assert (old.capacity, old.upgrade, old.provider_name, old.observed) == (None, "NoAutoUpgrade", "old", False)
    again = parse(file_text(declared))
    assert (again.accounts, again.deployments) == (declared.accounts, declared.deployments)


@pytest.mark.parametrize(
    ("account", "path", "found"),
    [
        (f"{{{AZURE}, subscription: 00000000-0000-0000-0000-000000000001}}", "accounts.aoai", "subscription alone"),
        (f"{{{AZURE}, resource_group: rg}}", "accounts.aoai", "resource_group alone"),
        (f"{{{AZURE}, subscription: mine, resource_group: rg}}", "accounts.aoai.subscription", '"mine"'),
        (f"{{{AZURE}, {PLACE.replace('prod', 'a/b')}}}", "accounts.aoai.resource_group", '"rg-genai-a/b"'),
        (f"{{kind: openai, {PLACE}}}", "accounts.aoai.subscription", "an account of kind openai"),
    ],
)
def test_a_place_that_is_none_is_refused(account: str, path: str, found: str) -> None:
    assert faults_of(with_account(account))[path].found == found


@pytest.mark.parametrize(
    "key", ["capacity: 0", "capacity: 1.5", "capacity: many", "upgrade: Never", "observed: 1", 'called: ""', "called: -a"]
)
def test_what_no_deployment_can_be_is_refused(key: str) -> None:
    assert f"deployments.new.{key.partition(':')[0]}" in faults_of(with_deployment(key))
