"""What a file changes in the store, and what it does not undo."""

import msgspec
import pytest

from changeover.rollout.amendment import Amendment
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
from changeover.rollout.world import Change, PairReleased, Proposal, RolloutMoved, World, apply, routing_table
from changeover.settings.amending import Amending, Wishes, amending
from changeover.settings.file import parse
from changeover.settings.plans import plan_for, seeded

FILE = """\
version: 1
accounts:
  aoai: {kind: azure-openai, endpoint: https://aoai.openai.azure.com}
deployments:
  old: {model: gpt-4o, version: "2024-05-13"}
  new: {model: gpt-4o, version: "2024-11-20"}
  spare: {model: gpt-4o, version: "2024-08-06"}
tasks:
  email: {stable: old, failover: [spare], criteria: {preset: none, errors: {margin_pp: 2}}}
  chat: {stable: old, criteria: {preset: none, errors: {}}}
rollouts:
  up: {task: email, candidate: new}
"""
ORDER = Order(actor="ana", reason="because")
T0 = 1_700_000_000.0


def committed(world: World, proposal: Proposal) -> World:
    body = msgspec.json.decode(msgspec.json.encode(proposal.body), type=Change.__annotations__["body"])
    return apply(world, Change(revision=world.revision + 1, at=T0, actor=proposal.actor, reason=proposal.reason, body=body))


def stored(text: str = FILE) -> World:
    return committed(World(), take_over(World(), seeded(parse(text)), actor="serve", reason=""))


def trying(world: World, candidate: str = "new") -> World:
    """With a rollout of email under way."""
    _, plan = plan_for(parse(FILE), task="email", candidate=candidate)
    request = RolloutRequest(task="email", candidate=candidate, plan=plan, id=f"up-{world.revision}", salt="s")
    return committed(world, start_rollout(world, request, order=ORDER, now=T0))


def promoted(world: World) -> World:
    """The rollout under way has come to its end."""
    rollout = world.rollouts[str(world.tasks["email"].rollout)]
    progress = msgspec.structs.replace(rollout.progress, phase=Phase.COMPLETED, permille=1000)
    return committed(
        world, Proposal(actor="controller", reason="", body=RolloutMoved(rollout=rollout.id, event="assessed", progress=progress))
    )


def rolled_back(world: World) -> World:
    return committed(world, roll_back(world, task="email", actor="ana", reason="", now=T0))


def found(world: World, text: str, **wishes: object) -> Amending:
    return amending(world, parse(text), wishes=msgspec.convert(wishes, Wishes))


def at(amendments: Amending, path: str) -> Amendment:
    (one,) = [each for each in amendments.amendments if each.path == path]
    return one


def applied(world: World, text: str, **wishes: object) -> World:
    content = found(world, text, **wishes).applied
    assert content is not None
    return committed(world, amend(world, content, order=ORDER))


def test_the_same_file_changes_nothing() -> None:
    assert found(stored(), FILE) == Amending((), None)


@pytest.mark.parametrize(
    ("old", "new", "path", "effect", "before", "after"),
    [
        ("aoai.openai", "two.openai", "accounts.aoai.endpoint", "changed", "https://aoai.openai.azure.com", "https://two.openai.azure.com"),
        ("azure.com}", "azure.com, auth: {env: K}}", "accounts.aoai.auth", "changed", None, "{env: K}"),
        ('"2024-08-06"', '"2024-08-07"', "deployments.spare.version", "changed", "'2024-08-06'", "'2024-08-07'"),
        ('06"}', '06", request: {drop: [n]}}', "deployments.spare.request", "changed", None, "{drop: [n]}"),
        ("failover: [spare]", "failover: [new]", "tasks.email.failover", "changed", "[spare]", "[new]"),
        ("chat: {stable: old,", "chat: {stable: new,", "tasks.chat.stable", "changed", "old", "new"),
        ("chat: {stable: old,", "chat: {stable: old, sticky_by: [user],", "tasks.chat.sticky_by", "changed", "[]", "[user]"),
        ("chat: {stable: old,", "chat: {stable: old, slice_by: [metadata:x],", "tasks.chat.slice_by", "changed", "[]", "['metadata:x']"),
        ("margin_pp: 2", "margin_pp: 3", "tasks.email.criteria.errors.margin_pp", "changed", "2", "3"),
        ("new}\n", "spare}\n", "rollouts.up.candidate", "changed", "new", "spare"),
        ("  up: {task: email, candidate: new}", "  on: {task: chat, candidate: new}", "rollouts.up", "removed", "new", None),
        ("rollouts:", "evidence: {block: 5m}\nrollouts:", "evidence.block", "changed", "30m", "5m"),
        ("rollouts:", "gateway: {unrouted: {account: aoai}}\nrollouts:", "gateway.unrouted", "changed", "refuse", "aoai"),
    ],
)
def test_every_place_of_the_file_is_taken_over_and_told(
    old: str, new: str, path: str, effect: str, before: str | None, after: str | None
) -> None:
    text = FILE.replace(old, new)
    assert text != FILE
    world = stored()
    told = at(found(world, text), path)
    assert (told.effect, told.before, told.after) == (effect, before, after)
    assert found(applied(world, text), text).amendments == ()


def test_what_is_new_is_added_and_what_nobody_needs_is_removed() -> None:
    text = FILE.replace("  spare: {", "  other: {").replace("[spare]", "[other]") + "  on: {task: tags, candidate: new}\n"
    text = text.replace("tasks:\n", "tasks:\n  tags: {stable: other}\n")
    world = stored()
    plan = found(world, text)
    assert [(each.path, each.effect) for each in plan.amendments] == [
        ("deployments.other", "new"),
        ("tasks.tags", "new"),
        ("tasks.email.failover", "changed"),
        ("rollouts.on", "new"),
        ("deployments.spare", "removed"),
    ]
    after = applied(world, text)
    assert set(after.deployments) == {"old", "new", "other"}
    assert routing_table(after).routes["tags"].stable == "other"
    assert after.terms is not None
    assert set(after.terms.criteria) == {"email", "chat", "tags"}


def test_a_promotion_is_kept_until_its_task_is_named() -> None:
    world = promoted(trying(stored()))
    plan = found(world, FILE)
    assert plan.applied is None
    (kept,) = plan.amendments
    assert (kept.path, kept.effect, kept.before, kept.after) == ("tasks.email.stable", "kept", "new", "old")
    assert kept.note == "promoted by rollout up-1; to move it all the same: changeover apply --stable email"
    after = applied(world, FILE, stables=["email"])
    assert after.tasks["email"].stable == "old"
    with pytest.raises(NothingToDo):
        roll_back(after, task="email", actor="ana", reason="", now=T0)


def test_a_file_that_follows_the_promotion_changes_nothing() -> None:
    text = FILE.replace("email: {stable: old", "email: {stable: new").replace("rollouts:\n  up: {task: email, candidate: new}\n", "")
    assert found(promoted(trying(stored())), text).amendments == ()


def test_what_was_rolled_back_is_not_made_the_stable_by_a_file() -> None:
    text = FILE.replace("email: {stable: old", "email: {stable: new").replace("rollouts:\n  up: {task: email, candidate: new}\n", "")
    world = rolled_back(trying(stored()))
    assert at(found(world, text), "tasks.email.stable").effect == "kept"
    told = at(found(world, text, stables=["email"]), "tasks.email.stable")
    assert told.effect == "refused"
    assert "changeover rollout release email --to new" in told.note
    free = committed(world, Proposal(actor="ana", reason="", body=PairReleased(task="email", stable="old", candidate="new")))
    assert at(found(free, text), "tasks.email.stable").note.startswith("new was rolled back by rollout up-1; to move it all the same")
    assert applied(free, text, stables=["email"]).tasks["email"].stable == "new"


def test_a_promotion_that_was_undone_stays_undone() -> None:
    text = FILE.replace("email: {stable: old", "email: {stable: new").replace("rollouts:\n  up: {task: email, candidate: new}\n", "")
    world = rolled_back(promoted(trying(stored())))
    assert world.tasks["email"].stable == "old"
    assert at(found(world, text), "tasks.email.stable").effect == "kept"


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("aoai.openai", "two.openai", "accounts.aoai.endpoint"),
        ('"2024-11-20"', '"2024-11-21"', "deployments.new.version"),
        ('"2024-05-13"', '"2024-05-14"', "deployments.old.version"),
        ('20"}', '20", request: {drop: [n]}}', "deployments.new.request"),
        ("email: {stable: old, failover: [spare]", "email: {stable: spare", "tasks.email.stable"),
        ("failover: [spare]", "failover: [spare], sticky_by: [user]", "tasks.email.sticky_by"),
        ("margin_pp: 2", "margin_pp: 3", "tasks.email.criteria.errors.margin_pp"),
        ("candidate: new}", "candidate: new, steps: [{weight: 50}, {analysis: {require: pass}}, {weight: 100}]}", "rollouts.up.steps"),
        ("rollouts:", "evidence: {block: 5m}\nrollouts:", "evidence.block"),
    ],
)
def test_what_a_rollout_rests_on_waits_for_its_end(old: str, new: str, path: str) -> None:
    world, text = trying(stored()), FILE.replace(old, new)
    assert text != FILE
    told = at(found(world, text), path)
    assert told.effect == "refused"
    assert "changeover rollback email" in told.note
    assert found(rolled_back(world), text).applied is not None


def test_other_tasks_are_moved_while_a_rollout_is_under_way() -> None:
    world = trying(stored())
    text = FILE.replace("margin_pp: 2", "margin_pp: 3").replace(
        "chat: {stable: old, criteria: {preset: none, errors: {}}}",
        "chat: {stable: spare, criteria: {preset: none, errors: {margin_pp: 1}}}",
    )
    after = applied(world, text)
    assert after.terms is not None
    errors = {name: each.errors and each.errors.margin_points for name, each in after.terms.criteria.items()}
    assert (after.tasks["chat"].stable, errors) == ("spare", {"email": 2.0, "chat": 1.0})
    assert after.rollouts == world.rollouts


def test_a_task_goes_only_when_that_is_allowed_and_comes_back_with_its_memory() -> None:
    text = FILE.replace("  email: {stable: old, failover: [spare], criteria: {preset: none, errors: {margin_pp: 2}}}\n", "").split(
        "rollouts:"
    )[0]
    world = rolled_back(trying(stored()))
    assert "--allow-remove" in at(found(world, text), "tasks.email").note
    assert at(found(trying(stored()), text, allow_remove=True), "tasks.email").effect == "refused"
    gone = applied(world, text, allow_remove=True)
    assert "email" not in routing_table(gone).routes
    assert (
        at(found(gone, FILE.replace("email: {stable: old", "email: {stable: new").split("rollouts:")[0]), "tasks.email").effect == "refused"
    )
    back = applied(gone, FILE).tasks["email"]
    assert (back.attempts, back.blocked) == (1, (("old", "new"),)), "a second life does not count its attempts anew"


def test_a_deployment_that_serves_is_not_removed() -> None:
    text = (
        FILE.replace('  old: {model: gpt-4o, version: "2024-05-13"}\n', "")
        .replace("stable: old", "stable: spare")
        .replace("failover: [spare], ", "")
    )
    world = committed(stored(), set_split(stored(), task="email", weights={"old": 900, "new": 100}, salt="s", order=ORDER))
    plan = found(world, text)
    assert at(plan, "tasks.email.stable").note == "it is split by hand with new; end that (changeover rollback email), then apply again"
    assert (at(plan, "deployments.old").effect, at(plan, "deployments.old").note) == ("kept", "task email names it")
    assert at(plan, "tasks.chat.stable").effect == "changed"


def test_the_way_back_of_a_promotion_is_given_up_only_when_that_is_allowed() -> None:
    text = FILE.replace('  old: {model: gpt-4o, version: "2024-05-13"}\n', "").replace("stable: old", "stable: new").split("rollouts:")[0]
    world = promoted(trying(stored()))
    assert at(found(world, text), "deployments.old").note.startswith("it is the way back of rollout up-1")
    after = applied(world, text, allow_remove=True)
    assert "old" not in after.deployments
    with pytest.raises(NothingToDo):
        roll_back(after, task="email", actor="ana", reason="", now=T0)


def test_parts_that_do_not_hold_together_are_refused_as_a_whole() -> None:
    """The task that is kept speaks another API than the account would after it."""
    text = """\
version: 1
accounts: {aoai: {kind: anthropic, endpoint: https://api.anthropic.com}}
deployments: {new: {model: m, version: "1"}}
tasks: {chat: {stable: new}}
"""
    world = stored(
        FILE.replace("accounts:\n", "accounts:\n  two: {kind: azure-openai, endpoint: https://two.openai.azure.com}\n")
        .replace('13"}', '13", account: two}')
        .replace('20"}', '20", account: aoai}')
        .replace('06"}', '06", account: aoai}')
    )
    plan = found(world, text)
    assert plan.applied is None
    assert plan.faults == ("task email: spare speaks Anthropic's API, its stable does not",)


def test_a_stale_plan_is_refused() -> None:
    world = stored()
    content = found(world, FILE.replace("margin_pp: 2", "margin_pp: 3")).applied
    assert content is not None
    with pytest.raises(Refusal, match="decided on revision 7"):
        amend(world, content, order=Order(actor="ana", reason="", expected_revision=7))


def test_a_prompt_is_told_by_its_length_and_not_in_full() -> None:
    text = FILE.replace('20"}', '20", request: {system_prompt: {text: "Be brief. Never speak of Acme."}}}')
    (told,) = found(stored(), text).amendments
    assert told.after is not None
    assert "30 characters" in told.after
    assert "Acme" not in told.after
    (changed,) = found(stored(text), text.replace("Be brief", "Be short")).amendments
    assert changed.path == "deployments.new.request.system_prompt.text"
    assert changed.before != changed.after


def test_a_released_pair_may_be_tried_again_after_a_file_was_applied() -> None:
    world = applied(rolled_back(trying(stored())), FILE.replace("margin_pp: 2", "margin_pp: 3"))
    with pytest.raises(Refusal, match="blocked"):
        trying(world)
    assert trying(committed(world, release(world, task="email", candidate="new", order=ORDER))).tasks["email"].attempts == 2
