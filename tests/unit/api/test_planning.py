"""The calls about a whole file."""

from collections.abc import Iterator
from typing import Any

import pytest

from changeover.rollout.world import Applied
from changeover.settings.file import parse
from tests.unit.api.bench import CONFIG, Bench

WIDER = CONFIG.replace("margin: 0.02", "margin: 0.05")
TAGS = CONFIG.replace("  chat: {stable: old}\n", "  chat: {stable: old}\n  tags: {stable: other}\n")
PROMPTED = CONFIG.replace('07-18"}', '07-18", request: {system_prompt: {file: brief.txt}}}')


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


def planned(bench: Bench, text: str, **more: Any) -> dict[str, Any]:
    reply = bench.post("/api/v1/plan", {"text": text, **more})
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_a_plan_changes_nothing_and_an_apply_what_it_said(bench: Bench) -> None:
    plan = planned(bench, TAGS)
    assert (plan["revision"], plan["has_changes"]) == (1, True)
    assert [(each["path"], each["effect"]) for each in plan["amendments"]] == [("tasks.tags", "new")]
    assert bench.world.revision == 1
    reply = bench.post("/api/v1/apply", {"text": TAGS, "expected_revision": 1, "reason": "tags"}, **{"x-changeover-actor": "ana"})
    assert reply.status_code == 200, reply.text
    assert (reply.json()["revision"], reply.json()["table_revision"]) == (2, 2)
    change = bench.store.changes()[-1]
    assert (change.actor, change.reason, type(change.body)) == ("ana", "tags", Applied)
    assert planned(bench, TAGS)["amendments"] == []
    assert bench.get("/api/v1/events").json()["events"][-1]["task"] is None


def test_an_unchanged_file_makes_no_revision(bench: Bench) -> None:
    reply = bench.post("/api/v1/apply", {"text": CONFIG})
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "nothing_to_do")
    assert bench.world.revision == 1


@pytest.mark.parametrize("call", ["plan", "apply"])
def test_a_plan_goes_stale_with_the_revision_it_was_made_at(bench: Bench, call: str) -> None:
    assert bench.post("/api/v1/apply", {"text": TAGS}).status_code == 200
    reply = bench.post(f"/api/v1/{call}", {"text": CONFIG, "expected_revision": 1})
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "stale")
    assert bench.world.revision == 2


def test_the_next_rollout_is_judged_by_what_was_applied_and_not_by_the_servers_own_file(bench: Bench) -> None:
    assert bench.post("/api/v1/apply", {"text": WIDER}).status_code == 200
    assert "margin: 0.02" in bench.config
    started = bench.start()
    assert started["rollout"]["plan"]["criteria"]["quality"]["margin"] == 0.05
    assert started["warnings"][-1].startswith(
        "task email: criteria or rules of evidence are declared otherwise than stored; to take it over"
    )


def test_until_something_is_applied_the_servers_own_file_decides(bench: Bench) -> None:
    """A store that was seeded before it kept criteria."""
    bench.config = WIDER
    assert bench.start()["rollout"]["plan"]["criteria"]["quality"]["margin"] == 0.05


def test_what_is_not_on_the_servers_disk_can_be_tried_once_it_is_applied(bench: Bench) -> None:
    text = CONFIG.replace("tasks:\n", '  fresh: {model: gpt-5.1, version: "2025-11-13"}\ntasks:\n')
    assert bench.post("/api/v1/apply", {"text": text}).status_code == 200
    assert bench.start("fresh")["rollout"]["candidate"] == "fresh"


def test_prompts_come_with_the_file_and_never_from_the_servers_disk(bench: Bench) -> None:
    reply = bench.post("/api/v1/apply", {"text": PROMPTED})
    assert reply.status_code == 422
    assert reply.json()["error"]["faults"][0]["path"] == "deployments.other.request.system_prompt.file"
    assert bench.post("/api/v1/apply", {"text": PROMPTED, "prompts": {"brief.txt": "Be brief."}}).status_code == 200
    request = bench.world.deployments["other"].request
    assert request is not None
    assert request.system_prompt == "Be brief."


def test_every_fault_of_a_file_is_named(bench: Bench) -> None:
    reply = bench.post("/api/v1/plan", {"text": CONFIG.replace("stable: old", "stable: odl").replace("preset: none", "preset: nun")})
    assert reply.status_code == 422
    assert [fault["path"] for fault in reply.json()["error"]["faults"]] == [
        "tasks.email.stable",
        "tasks.email.criteria.preset",
        "tasks.chat.stable",
    ]


@pytest.mark.parametrize(("name", "where"), [("nobody", "the store"), ("tags", "the store")])
def test_a_wish_for_a_task_that_is_not_there_is_refused(bench: Bench, name: str, where: str) -> None:
    for call in ("plan", "apply"):
        reply = bench.post(f"/api/v1/{call}", {"text": TAGS, "stables": [name]})
        assert reply.status_code == 422
        assert f"no such task in {where}" in reply.json()["error"]["message"]


def test_what_does_not_hold_together_is_told_and_not_applied(bench: Bench) -> None:
    """The task that is kept would be served over two APIs."""
    two = CONFIG.replace("deployments:", "  two: {kind: azure-openai, endpoint: https://two.openai.azure.com}\ndeployments:")
    two = two.replace('13"}', '13", account: two}').replace('20"}', '20", account: acc}').replace('18"}', '18", account: acc}')
    assert (
        bench.post("/api/v1/apply", {"text": two.replace("    stable: old\n", "    stable: old\n    failover: [other]\n")}).status_code
        == 200
    )
    text = 'version: 1\naccounts: {acc: {kind: anthropic, endpoint: "https://api.anthropic.com"}}\n'
    text += 'deployments: {new: {model: m, version: "1"}}\ntasks: {fresh: {stable: new}}\n'
    plan = planned(bench, text)
    assert plan["faults"] == ["task email: other speaks Anthropic's API, its stable does not"]
    reply = bench.post("/api/v1/apply", {"text": text})
    assert (reply.status_code, bench.world.revision) == (422, 2)


def test_what_is_in_force_is_exported_as_a_file_that_changes_nothing(bench: Bench) -> None:
    assert bench.post("/api/v1/apply", {"text": TAGS}).status_code == 200
    found = bench.get("/api/v1/export").json()
    assert found["revision"] == 2
    assert parse(found["text"]).tasks["tags"].stable == "other"
    assert planned(bench, found["text"])["amendments"] == []


def test_scores_are_read_by_the_criteria_that_were_applied(bench: Bench) -> None:
    assert bench.post("/api/v1/apply", {"text": CONFIG.replace("scores/rating", "scores/stars")}).status_code == 200
    warned = bench.post("/api/v1/scores", {"request_id": "r", "name": "rating", "value": 0.5}).json()
    assert "stars" in warned["warnings"][0]
    assert "warnings" not in bench.post("/api/v1/scores", {"request_id": "r", "name": "stars", "value": 0.5}).json()
