"""Whatever the store went through and whatever the file says: what is applied is planned no more, what is exported changes
nothing, and no file gives traffic to a deployment that was rolled back or is not declared.
"""

import json
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st

from changeover.rollout.commands import (
    NothingToDo,
    Order,
    Refusal,
    RolloutRequest,
    amend,
    release,
    roll_back,
    set_split,
    start_rollout,
    take_over,
)
from changeover.rollout.state import Phase
from changeover.rollout.world import Change, Proposal, RolloutMoved, World, apply, routing_table
from changeover.settings.amending import Wishes, amending
from changeover.settings.declared import Declared, SettingsError
from changeover.settings.file import parse
from changeover.settings.in_force import in_force
from changeover.settings.plans import plan_for, seeded
from changeover.settings.written_file import file_text
from changeover.traffic.table import table_faults

# Shrinking takes minutes here, for an example that is short already.
QUICK = settings(
    max_examples=25, deadline=None, database=None, phases=[Stage.explicit, Stage.generate], suppress_health_check=[HealthCheck.too_slow]
)
ORDER = Order(actor="ana", reason="because")
T0 = 1_700_000_000.0

NAMES = ["d0", "d1", "d2", "d3", "x/y"]
TASKS = ["email", "chat", "tags"]
OPENAI: list[dict[str, Any]] = [
    {"kind": "azure-openai", "endpoint": "https://one.openai.azure.com"},
    {"kind": "azure-openai", "endpoint": "https://two.openai.azure.us", "api": "v1", "auth": {"entra": "managed"}},
    {"kind": "openai-compatible", "endpoint": "http://127.0.0.1:9/v1", "auth": {"file": "/run/key"}},
    {"kind": "azure-openai", "endpoint": "https://one.openai.azure.com", "auth": {"env": "ANOTHER"}},
]
ANTHROPIC: list[dict[str, Any]] = [{"kind": "anthropic", "endpoint": "https://api.anthropic.com"}]
REQUESTS: list[dict[str, Any]] = [
    {},
    {"drop": ["temperature"], "set": {"reasoning_effort": "low", "n": 1.5, "stop": ["a", "b: c"]}},
    {"rename": {"max_tokens": "max_completion_tokens"}, "system_prompt": {"text": "Sei knapp.\n\n  # kein Kommentar\n", "mode": "prepend"}},
]
CRITERIA: list[dict[str, Any] | None] = [
    None,
    {"preset": "none", "errors": {"max_ratio": 1.5}},
    {"preset": "strict", "accuracy": {"source": "none"}},
    {"preset": "cheaper-model", "quality": {"source": "human/rating", "scale": [0, 10], "margin": 0.125}, "min_samples": 7},
    {"latency": {"quantiles": ["p50", "p99.9"], "guard_only": ["p99.9"]}, "safety": {"harmful": {"source": "scores/harm"}}},
    {"preset": "none", "cost": {"tokens": {"input": 1.3}}, "quality": {"source": "scores/rating", "trip": "any"}},
]
STEPS: list[list[dict[str, Any]] | None] = [
    None,
    [
        {"weight": 12.5},
        {"analysis": {"require": "no_harm", "min_duration": "90m"}},
        {"weight": 50},
        {"analysis": {"require": "pass"}},
        {"weight": 100},
    ],
]
EVIDENCE: list[dict[str, Any] | None] = [None, {"block": "1500ms", "min_blocks": 3, "score_timeout": {"human": "36h"}, "n_star": 200}]

reached: Counter[str] = Counter()


@st.composite
def files(draw: st.DrawFn) -> Declared:
    """Any file over a few names that can be used."""
    kinds = draw(st.sampled_from([OPENAI, OPENAI, OPENAI, ANTHROPIC]))
    accounts = {name: draw(st.sampled_from(kinds)) for name in draw(st.sampled_from([["a"], ["a", "b"], ["b"]]))}
    deployments = {name: _deployment(draw, list(accounts)) for name in draw(st.lists(st.sampled_from(NAMES), min_size=3, unique=True))}
    tasks = {name: _task(draw, deployments) for name in draw(st.lists(st.sampled_from(TASKS), min_size=1, unique=True))}
    rollouts = {}
    for name in draw(st.sampled_from([[], ["up"], ["up", "over"]])):
        task = draw(st.sampled_from(list(tasks)))
        candidate = draw(st.sampled_from([each for each in deployments if each not in tasks[task]["stable"]]))
        if (task, candidate) not in {(each["task"], each["candidate"]) for each in rollouts.values()}:
            rollouts[name] = {"task": task, "candidate": candidate, "steps": draw(st.sampled_from(STEPS))}
    file = {
        "version": 1,
        "accounts": accounts,
        "deployments": deployments,
        "tasks": tasks,
        "rollouts": rollouts,
        "evidence": draw(st.sampled_from(EVIDENCE)),
        "gateway": {"unrouted": draw(st.sampled_from(["refuse", {"account": next(iter(accounts))}]))},
    }
    return parse(json.dumps(_said(file)))


def _deployment(draw: st.DrawFn, accounts: list[str]) -> dict[str, Any]:
    return {
        "account": draw(st.sampled_from(accounts)),
        "model": "gpt-4o",
        "version": draw(st.sampled_from(["1", "2024-11-20"])),
        "environment": draw(st.sampled_from(["prod", "dev"])),
        "sku": draw(st.sampled_from([None, "Standard"])),
        "request": draw(st.sampled_from([None, None, *REQUESTS])),
    }


def _task(draw: st.DrawFn, deployments: dict[str, dict[str, Any]]) -> dict[str, Any]:
    first = draw(st.sampled_from(list(deployments)))
    alike = [name for name, each in deployments.items() if name != first and _is_alike(each, deployments[first])]
    stable = [first, *draw(st.lists(st.sampled_from(alike), max_size=1))] if alike and len(deployments) > len(alike) + 1 else [first]
    return {
        "stable": stable,
        "failover": [each for each in draw(st.lists(st.sampled_from(list(deployments)), max_size=2, unique=True)) if each not in stable],
        "sticky_by": draw(st.sampled_from([None, ["user"], ["header:x-Conversation", "user"]])),
        "slice_by": draw(st.sampled_from([None, ["metadata:tenant"]])),
        "criteria": draw(st.sampled_from(CRITERIA)),
    }


def _is_alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one["version"], one["request"]) == (other["version"], other["request"])


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _said(inner) for key, inner in value.items() if inner is not None}
    return value


DEEDS = st.tuples(
    st.sampled_from(["start", "start", "promote", "promote", "back", "release", "split"]), st.sampled_from(TASKS), st.sampled_from(NAMES)
)
WISHES = st.builds(Wishes, stables=st.sampled_from([(), (), ("email",), tuple(TASKS)]), allow_remove=st.booleans())


def committed(world: World, proposal: Proposal) -> World:
    """Through the log, as the store keeps it."""
    change = Change(revision=world.revision + 1, at=T0, actor=proposal.actor, reason=proposal.reason, body=proposal.body)
    return apply(world, msgspec.json.decode(msgspec.json.encode(change), type=Change))


def lived(world: World, deeds: list[tuple[str, str, str]]) -> World:
    """What people and the controller do with a store before somebody edits the file. What is refused does not happen."""
    for number, (verb, task, name) in enumerate(deeds):
        try:
            proposal = done(world, verb, task, name, number)
        except (Refusal, SettingsError, KeyError):
            continue
        world = committed(world, proposal)
        reached[verb] += 1
    return world


def done(world: World, verb: str, task: str, name: str, number: int) -> Proposal:
    match verb:
        case "start":
            assert world.terms is not None
            declared = in_force(world, world.terms)
            _, plan = plan_for(declared, task=task, candidate=name, without=list(declared.tasks[task].criteria.left_out))
            request = RolloutRequest(task=task, candidate=name, plan=plan, id=f"r{number}-{world.revision}", salt=str(number))
            return start_rollout(world, request, order=ORDER, now=T0)
        case "promote":
            rollout = world.rollouts[world.tasks[task].rollout or ""]
            progress = msgspec.structs.replace(rollout.progress, phase=Phase.COMPLETED, permille=1000)
            return Proposal(actor="controller", reason="", body=RolloutMoved(rollout=rollout.id, event="assessed", progress=progress))
        case "back":
            return roll_back(world, task=task, actor="ana", reason="", now=T0)
        case "release":
            return release(world, task=task, candidate=name, order=ORDER)
        case _:
            weights = {world.tasks[task].stable: 900, name: 100}
            return set_split(world, task=task, weights=weights, salt=str(number), order=ORDER)


def with_applied(world: World, declared: Declared, wishes: Wishes) -> World:
    found = amending(world, declared, wishes=wishes)
    reached.update(f"amended: {each.effect}" for each in found.amendments)
    reached.update(["faults"] * bool(found.faults))
    return world if found.applied is None else committed(world, amend(world, found.applied, order=ORDER))


def traffic(world: World) -> dict[str, set[str]]:
    """By task, who may be assigned or stand in."""
    return {
        name: {*route.stable_members, *route.failover, *(route.candidate_members if route.candidate_permille else ())}
        for name, route in routing_table(world).routes.items()
    }


@QUICK
@given(files(), st.lists(DEEDS, max_size=12), files(), WISHES, st.lists(DEEDS, max_size=6), files(), WISHES)
def _any_file_is_applied_without_harm(
    first: Declared, deeds: list[Any], second: Declared, wishes: Wishes, more: list[Any], third: Declared, others: Wishes
) -> None:
    world = lived(committed(World(), take_over(World(), seeded(first), actor="serve", reason="")), deeds)
    check_applying(world, first, Wishes())
    world = check_applying(world, second, wishes)
    check_applying(lived(world, more), third, others)


def check_applying(world: World, declared: Declared, wishes: Wishes) -> World:
    after = with_applied(world, declared, wishes)
    check_served(world, after, declared)
    again = amending(after, declared, wishes=Wishes(stables=wishes.stables, allow_remove=wishes.allow_remove))
    assert not any(each.is_change for each in again.amendments) or again.faults, again.amendments
    assert again.applied is None
    check_untouched(world, after)
    check_export(after)
    return after


def check_served(world: World, after: World, declared: Declared) -> None:
    table = routing_table(after)
    assert table_faults(table) == []
    assert all(each.account in table.accounts for each in table.deployments.values())
    for name, serving in traffic(after).items():
        before = world.tasks.get(name, world.past_tasks.get(name))
        blocked = set() if before is None else {candidate for stable, candidate in before.blocked if stable == before.stable}
        trusted = set(after.tasks[name].stable_pool or (after.tasks[name].stable,))
        known = set() if before is None else set(before.stable_pool or (before.stable,))
        assert not (trusted - known) & blocked, "what was rolled back is not trusted by a file"
        assert serving <= after.deployments.keys()
    for task in after.tasks.values():
        trials = {candidate for stable, candidate in task.blocked if stable == task.stable}
        assert not trials & (traffic(after)[task.name] - {task.stable, *task.stable_pool})


def check_untouched(world: World, after: World) -> None:
    """Rollouts under way, keys, blocked pairs, and who goes on serving what is not in the file."""
    assert after.rollouts == world.rollouts
    for name, task in world.tasks.items():
        kept = after.tasks.get(name) or after.past_tasks[name]
        assert (kept.blocked, kept.rollout, kept.split, kept.attempts) == (task.blocked, task.rollout, task.split, task.attempts)
        if task.rollout is not None:
            rollout = world.rollouts[task.rollout]
            members = {rollout.stable, *rollout.stable_pool, rollout.candidate, *rollout.candidate_pool}
            assert (kept.stable, kept.stable_pool, kept.sticky_by) == (task.stable, task.stable_pool, task.sticky_by)
            assert all(after.deployments[each] == world.deployments[each] for each in members)
            accounts = {world.deployments[each].account for each in members}
            assert all(after.accounts[each] == world.accounts[each] for each in accounts)


def check_export(world: World) -> None:
    assert world.terms is not None
    text = file_text(in_force(world, world.terms))
    found = amending(world, parse(text))
    assert found.amendments == (), text


def test_any_file_is_applied_without_harm() -> None:
    reached.clear()
    _any_file_is_applied_without_harm()
    wanted = {"start", *(f"amended: {each}" for each in ("new", "changed", "removed", "kept", "refused"))}
    assert wanted <= reached.keys(), reached


def test_a_promotion_is_never_undone_by_the_file_that_began_it() -> None:
    """The way that random deeds seldom go in full."""
    text = """
version: 1
accounts: {a: {kind: azure-openai, endpoint: https://one.openai.azure.com}}
deployments: {d0: {model: m, version: "1"}, d1: {model: m, version: "2"}}
tasks: {email: {stable: d0, failover: [d1], criteria: {preset: none, errors: {}}}}
rollouts: {up: {task: email, candidate: d1}}
"""
    declared = parse(text)
    world = committed(World(), take_over(World(), seeded(declared), actor="serve", reason=""))
    world = lived(world, [("start", "email", "d1"), ("promote", "email", "")])
    assert world.tasks["email"].stable == "d1"
    check_applying(world, declared, Wishes())
    after = check_applying(world, declared, Wishes(stables=("email",)))
    assert after.tasks["email"].stable == "d0"
    with pytest.raises(NothingToDo):
        roll_back(after, task="email", actor="ana", reason="", now=T0)
