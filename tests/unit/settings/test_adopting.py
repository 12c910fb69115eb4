"""What is in Azure, written as a file."""

import msgspec
import pytest

from changeover.provision.actual import ActualAccount, ActualDeployment
from changeover.provision.estate import Estate, FoundAccount
from changeover.provision.survey import Noticed, Surveyed
from changeover.settings.adopted_file import NotInBlockFormError, added_to, new_file
from changeover.settings.adopting import Adoption, adopt
from changeover.settings.declared import Declared
from changeover.settings.file import parse
from changeover.versions import ModelVersion

SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a"
MINE = """\
version: 1   # the team's own
accounts:
    aoai:
        kind: azure-openai
        endpoint: https://aoai.openai.azure.com   # by hand
deployments:
    # the first one
    chat: {model: gpt-4o, version: "2024-05-13"}
    spare:
        # in its own lines
        model: gpt-4o
        version: "2024-08-06"

# what we serve
tasks:
    email:
        stable: chat
        sticky_by:
            - user
    # that is all
"""


def there(name: str, version: str = "gpt-4o 2024-05-13", **more: object) -> ActualDeployment:
    model, _, number = version.partition(" ")
    found = {"name": name, "model": {"name": model, "version": number}, "sku": "Standard", "capacity": 50, "content_filter": "strict-v2"}
    return msgspec.convert(found | more, ActualDeployment)


def account(name: str, *deployments: ActualDeployment, endpoint: str | None = None, troubles: tuple[Noticed, ...] = ()) -> FoundAccount:
    actual = ActualAccount(
        name=name,
        subscription=SUBSCRIPTION,
        resource_group="rg-1",
        region="Sweden Central",
        kind="OpenAI",
        endpoint=f"https://{name}.openai.azure.com" if endpoint is None else endpoint,
    )
    surveyed = (Surveyed(account=name, region=actual.region, deployment=each, troubles=troubles) for each in deployments)
    return FoundAccount(account=actual, deployments=tuple(surveyed))


def found(*accounts: FoundAccount) -> Estate:
    return Estate(accounts=accounts)


def written(*accounts: FoundAccount, observed: bool = False) -> tuple[Declared, Adoption]:
    adoption = adopt(found(*accounts), observed=observed)
    return parse(new_file(adoption)), adoption


def test_every_deployment_is_a_task_of_its_own_name_that_it_serves_alone() -> None:
    declared, adoption = written(account("aoai", there("gpt-4o"), there("chat", "gpt-4o-mini 2024-07-18", capacity=7)))
    assert {name: task.stable for name, task in declared.tasks.items()} == {"gpt-4o": "gpt-4o", "chat": "chat"}
    chat = declared.deployments["chat"]
    assert chat.model == ModelVersion(name="gpt-4o-mini", version="2024-07-18")
    assert (chat.sku, chat.capacity, chat.region, chat.content_filter, chat.upgrade, chat.observed) == (
        "Standard",
        7,
        "swedencentral",
        "strict-v2",
        "NoAutoUpgrade",
        False,
    )
    place = declared.accounts["aoai"]
    assert (place.endpoint, place.subscription, place.resource_group) == ("https://aoai.openai.azure.com", SUBSCRIPTION, "rg-1")
    assert (place.auth.source, place.auth.name) == ("env", "AZURE_OPENAI_API_KEY")
    assert adoption.notes == ()


def test_what_would_bite_stands_beside_its_deployment() -> None:
    trouble = Noticed(trouble="unpinned", found="no upgrade option: it changes by itself", remedy="pin it")
    text = new_file(adopt(found(account("aoai", there("chat"), troubles=(trouble,)))))
    assert "  # no upgrade option: it changes by itself\n  chat: {" in text


def test_several_accounts_are_called_with_tokens_for_they_share_no_key() -> None:
    declared, _ = written(account("one", there("a")), account("two", there("b")))
    assert {each.auth.source for each in declared.accounts.values()} == {"entra"}
    assert declared.deployments["b"].account == "two"


def test_a_name_that_two_accounts_have_gets_its_accounts_before_it_and_goes_by_its_own_in_azure() -> None:
    declared, adoption = written(account("one", there("chat"), there("a")), account("two", there("Chat")))
    assert set(declared.deployments) == set(declared.tasks) == {"one.chat", "two.Chat", "a"}
    assert [declared.deployments[name].provider_name for name in ("one.chat", "two.Chat", "a")] == ["chat", "Chat", "a"]
    assert any("callers ask for one.chat" in note for note in adoption.notes)


@pytest.mark.parametrize(
    ("left_out", "note"),
    [
        (account("aoai", there("claude", "claude-opus-5 1", format="Anthropic")), "speaks another API"),
        (account("aoai", there("odd", "gpt-4o ")), "cannot be written"),
        (account("bare", there("x"), endpoint=""), "no endpoint"),
    ],
)
def test_what_cannot_be_declared_is_left_out_and_told(left_out: FoundAccount, note: str) -> None:
    declared, adoption = written(account("other", there("chat")), left_out)
    assert set(declared.deployments) == {"chat"}
    assert note in adoption.notes[0]


def test_a_batch_deployment_is_declared_without_a_task() -> None:
    declared, _ = written(account("aoai", there("chat"), there("nightly", sku="GlobalBatch")))
    assert set(declared.tasks) == {"chat"}
    assert "nightly" in declared.deployments


def test_what_somebody_else_keeps_is_declared_as_observed() -> None:
    declared, _ = written(account("aoai", there("chat")), observed=True)
    assert declared.deployments["chat"].observed


def added(text: str, *accounts: FoundAccount) -> tuple[str, Declared]:
    declared = parse(text)
    adoption = adopt(found(*accounts), present=declared.deployments.values(), accounts=declared.accounts.values())
    after = added_to(text, adoption)
    return after, parse(after)


def test_a_file_keeps_every_word_of_its_own() -> None:
    after, declared = added(MINE, account("aoai", there("chat"), there("new", "gpt-4o 2024-11-20")), account("eu", there("chat")))
    kept = iter(after.replace("account: aoai, ", "").splitlines())
    assert all(line in kept for line in MINE.splitlines()), "in their order"
    assert declared.deployments["chat"].account == declared.deployments["spare"].account == "aoai", "no longer the only one"
    assert set(declared.deployments) == {"chat", "spare", "new", "eu.chat"}
    assert set(declared.tasks) == {"email", "new", "eu.chat"}
    assert declared.deployments["eu.chat"].account == "eu"
    assert declared.tasks["email"].sticky_by == ("user",)


def test_adding_again_adds_nothing() -> None:
    estate = (account("aoai", there("chat"), there("new", "gpt-4o 2024-11-20")), account("eu", there("chat")))
    after, declared = added(MINE, *estate)
    again = adopt(found(*estate), present=declared.deployments.values(), accounts=declared.accounts.values())
    assert (again.accounts, again.deployments) == ((), ())
    assert added(after.rstrip("\n"), account("eu", there("more", "gpt-4o 2024-11-20")))[1].deployments["more"].account == "eu"


def test_an_account_is_known_by_its_endpoint_whatever_the_file_calls_it() -> None:
    _, declared = added(MINE, account("the-resource", there("new"), endpoint="https://AOAI.openai.azure.com"))
    assert declared.deployments["new"].account == "aoai"
    assert set(declared.accounts) == {"aoai"}


def test_a_section_in_braces_cannot_be_added_to() -> None:
    before, _, rest = MINE.partition("deployments:\n")
    text = before + 'deployments: {chat: {model: gpt-4o, version: "2024-05-13"}}\n' + rest[rest.index("\n# what") :]
    with pytest.raises(NotInBlockFormError, match="deployments"):
        added(text, account("aoai", there("new")))
