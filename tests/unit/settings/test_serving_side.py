"""Who serves, who stands in, and what becomes of the rest: pools, failover, unrouted requests, address forms."""

import pytest

from changeover.rollout.world import World
from changeover.settings.differences import differences
from changeover.settings.file import parse
from changeover.settings.plans import candidate_pool, seeded
from tests.unit.settings.files import SMALLEST, faults_of

MORE = SMALLEST.replace(
    'new: {model: gpt-4o, version: "2024-11-20"}',
    'new: {model: gpt-4o, version: "2024-11-20"}\n  new-eu: {model: gpt-4o, version: "2024-11-20"}\n'
    '  old-eu: {model: gpt-4o, version: "2024-05-13"}\n  spare: {model: gpt-4o, version: "2024-08-06"}',
)


def with_task(task: str) -> str:
    return MORE.replace("{stable: old}", task)


def with_candidate(candidate: str) -> str:
    return with_task("{stable: [old, old-eu]}") + f"rollouts: {{up: {{task: email, candidate: {candidate}}}}}\n"


def test_one_deployment_is_no_pool_however_it_is_written() -> None:
    for task in ("{stable: old}", "{stable: [old]}"):
        declared = parse(with_task(task)).tasks["email"]
        assert (declared.stable, declared.stable_pool) == ("old", ())


def test_a_pool_goes_by_the_name_of_its_first() -> None:
    declared = parse(with_candidate("[new, new-eu]"))
    task, rollout = declared.tasks["email"], declared.rollouts["up"]
    assert (task.stable, task.stable_pool) == ("old", ("old", "old-eu"))
    assert (rollout.candidate, rollout.candidate_pool) == ("new", ("new", "new-eu"))
    assert candidate_pool(declared, task="email", candidate="new") == ("new", "new-eu")
    assert candidate_pool(declared, task="email", candidate="spare") == ()


def test_those_who_stand_in_keep_their_order() -> None:
    assert parse(with_task("{stable: old, failover: [spare, new]}")).tasks["email"].failover == ("spare", "new")


def test_what_is_declared_is_what_an_empty_store_takes_over() -> None:
    text = with_task("{stable: [old, old-eu], failover: [spare]}") + "gateway: {unrouted: {account: aoai}}\n"
    content = seeded(parse(text))
    (task,) = content.tasks
    assert (task.stable_pool, task.failover, content.unrouted_account) == (("old", "old-eu"), ("spare",), "aoai")


@pytest.mark.parametrize(("gateway", "account"), [("", None), ("gateway: {unrouted: refuse}\n", None), ("gateway: {}\n", None)])
def test_what_no_task_claims_is_refused_unless_the_file_says_otherwise(gateway: str, account: str | None) -> None:
    assert parse(SMALLEST + gateway).unrouted_account is account


@pytest.mark.parametrize("api", ["v1", '"2024-10-21"', '"2025-04-01-preview"'])
def test_an_azure_account_says_its_form_of_addresses(api: str) -> None:
    text = SMALLEST.replace("{kind: azure-openai,", f"{{kind: azure-openai, api: {api},")
    assert parse(text).accounts["aoai"].api == api.strip('"')
    assert parse(SMALLEST).accounts["aoai"].api == ""


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        (with_task("{stable: []}"), "tasks.email.stable", "a list"),
        (with_task("{stable: 3}"), "tasks.email.stable", "3"),
        (with_task("{stable: [old, [new]]}"), "tasks.email.stable", "a list"),
        (with_task("{stable: [old, old]}"), "tasks.email.stable", "a deployment twice"),
        (with_task("{stable: [old, gone]}"), "tasks.email.stable[1]", '"gone"'),
        (with_task("{stable: [old, new]}"), "tasks.email.stable[1]", "old (gpt-4o 2024-05-13) and new (gpt-4o 2024-11-20)"),
        (with_task("{stable: old, failover: [gone]}"), "tasks.email.failover[0]", '"gone"'),
        (with_task("{stable: old, failover: [old]}"), "tasks.email.failover[0]", "the task's stable already"),
        (with_task("{stable: [old, old-eu], failover: [new, old-eu]}"), "tasks.email.failover[1]", "the task's stable already"),
        (with_task("{stable: old, failover: [new, spare, new]}"), "tasks.email.failover[2]", "in the list already"),
        (with_task("{stable: old, failover: new}"), "tasks.email.failover", '"new"'),
        (with_candidate("old-eu"), "rollouts.up.candidate", "which is the task's stable"),
        (with_candidate("[new, old-eu]"), "rollouts.up.candidate[1]", "which is the task's stable"),
        (with_candidate("[new, spare]"), "rollouts.up.candidate[1]", "gpt-4o 2024-08-06"),
        (with_candidate("[new, gone]"), "rollouts.up.candidate[1]", '"gone"'),
        (SMALLEST + "gateway: {unrouted: {account: gone}}\n", "gateway.unrouted.account", '"gone"'),
        (SMALLEST + "gateway: {unrouted: pass}\n", "gateway.unrouted", '"pass"'),
        (SMALLEST + "gateway: {unrouted: {account: aoai, task: x}}\n", "gateway.unrouted", "a mapping"),
        (SMALLEST + "gateway: {unrouted: {account: 3}}\n", "gateway.unrouted", "a mapping"),
        (SMALLEST.replace("{kind: azure-openai,", "{kind: azure-openai, api: v2,"), "accounts.aoai.api", '"v2"'),
        (SMALLEST.replace("{kind: azure-openai,", "{kind: openai, api: v1,"), "accounts.aoai.api", "an account of kind openai"),
    ],
)
def test_what_cannot_serve_is_named(text: str, path: str, words: str) -> None:
    found = faults_of(text)
    assert path in found
    assert words in found[path].found


def test_a_pool_of_different_request_settings_is_refused() -> None:
    eu = 'new-eu: {model: gpt-4o, version: "2024-11-20"'
    text = with_candidate("[new, new-eu]").replace(eu, eu + ", request: {drop: [n]}")
    assert "differ in their request settings" in faults_of(text)["rollouts.up.candidate[1]"].found


def test_a_pool_or_an_unrouted_account_that_the_store_has_otherwise_is_a_difference() -> None:
    declared = parse(with_task("{stable: [old, old-eu]}") + "gateway: {unrouted: {account: aoai}}\n")
    content = seeded(parse(with_task("{stable: old}")))
    world = World(
        accounts={each.name: each for each in content.accounts},
        deployments={each.name: each for each in content.deployments},
        tasks={each.name: each for each in content.tasks},
    )
    assert differences(world, declared) == [
        "task email: the file's stable is a pool of other members than the store's",
        "gateway: unrouted is declared otherwise than stored",
    ]
