"""What people may ask of the world, and what is refused."""

from collections.abc import Callable

import pytest

from changeover.rollout.commands import (
    NothingToDo,
    Order,
    Refusal,
    RolloutRequest,
    move,
    pause,
    release,
    resume,
    roll_back,
    seed,
    set_split,
    start_rollout,
)
from changeover.rollout.plan import Plan, WeightStep
from changeover.rollout.state import Acknowledged, Phase, Started
from changeover.rollout.world import Proposal, RolloutMoved, RolloutStarted, World, routing_table
from changeover.traffic.table import table_faults
from tests.unit.rollout.builders import ACCOUNT, T0, committed, deployment, passing, plan, seeded, tripping

ORDER = Order(actor="ana", reason="because")


def _split(world: World, weights: dict[str, int], salt: str = "s1", order: Order = ORDER) -> Proposal:
    return set_split(world, task="email", weights=weights, salt=salt, order=order)


def _start(world: World, candidate: str = "new", of: Plan | None = None, name: str = "r1", order: Order = ORDER) -> Proposal:
    request = RolloutRequest(task="email", candidate=candidate, plan=of or plan(), id=name, salt=f"salt of {name}")
    return start_rollout(world, request, order=order, now=T0)


def _roll_back(world: World, task: str = "email", *, further: bool = False) -> Proposal:
    return roll_back(world, task=task, actor="ana", reason="", now=T0 + 5, further=further)


def _started() -> World:
    return committed(seeded(), _start(seeded()))


def _rolled_back() -> World:
    return committed(_started(), _roll_back(_started()))


def _promoted() -> World:
    world = _started()
    now = T0
    while world.tasks["email"].rollout is not None:
        now += 1000.0
        rollout = world.rollouts["r1"]
        on_weight = isinstance(rollout.plan.steps[rollout.progress.step], WeightStep)
        event = Acknowledged() if on_weight else passing(rollout)
        world = committed(world, move(world, rollout_id="r1", event=event, now=now, actor="controller"))
    return world


def _refusal(ask: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        ask()
    return caught.value


def test_an_empty_world_is_seeded_once() -> None:
    world = seeded()
    assert table_faults(routing_table(world)) == []
    with pytest.raises(NothingToDo, match="the store is at revision 1"):
        seed(world, accounts=[ACCOUNT], deployments=[deployment("old")], tasks=[], actor="serve", reason="again")


def test_a_split_by_hand_routes_traffic_with_its_own_attempt() -> None:
    world = committed(seeded(), _split(seeded(), {"old": 900, "new": 100}))
    route = routing_table(world).routes["email"]
    assert (route.candidate, route.candidate_permille, route.attempt, route.salt) == ("new", 100, 1, "s1")


def test_raising_a_split_keeps_its_draw_and_another_candidate_gets_its_own() -> None:
    world = committed(seeded(), _split(seeded(), {"old": 900, "new": 100}))
    raised = committed(world, _split(world, {"old": 500, "new": 500}, salt="s2"))
    route = routing_table(raised).routes["email"]
    assert (route.candidate_permille, route.attempt, route.salt) == (500, 1, "s1")
    switched = committed(raised, _split(raised, {"old": 500, "other": 500}, salt="s3"))
    route = routing_table(switched).routes["email"]
    assert (route.candidate, route.attempt, route.salt) == ("other", 2, "s3")


@pytest.mark.parametrize("weights", [{"old": 1000}, {"old": 1000, "new": 0}])
def test_all_for_the_stable_removes_the_split(weights: dict[str, int]) -> None:
    world = committed(seeded(), _split(seeded(), {"old": 900, "new": 100}))
    assert committed(world, _split(world, weights)).tasks["email"].split is None
    with pytest.raises(NothingToDo):
        _split(seeded(), weights)


@pytest.mark.parametrize(
    ("weights", "code"),
    [
        ({}, "invalid"),
        ({"old": 900, "new": 200}, "invalid"),
        ({"old": 1100, "new": -100}, "invalid"),
        ({"new": 1000}, "invalid"),
        ({"old": 800, "new": 100, "other": 100}, "invalid"),
        ({"old": 900, "nobody": 100}, "not_found"),
    ],
)
def test_a_split_that_is_no_split_is_refused(weights: dict[str, int], code: str) -> None:
    refusal = _refusal(lambda: _split(seeded(), weights))
    assert refusal.code == code
    assert refusal.message
    assert refusal.hint


def test_a_split_is_refused_while_a_rollout_is_active() -> None:
    refusal = _refusal(lambda: _split(_started(), {"old": 900, "other": 100}))
    assert refusal.code == "conflict"
    assert "changeover rollback email" in refusal.hint


def test_a_decision_on_an_old_revision_is_stale() -> None:
    world = _started()
    stale = Order(actor="ana", reason="x", expected_revision=world.revision - 1)
    asks: list[Callable[[], object]] = [
        lambda: _split(world, {"old": 1000}, order=stale),
        lambda: _start(world, order=stale),
        lambda: pause(world, task="email", order=stale, now=T0),
        lambda: resume(world, task="email", order=stale, now=T0),
        lambda: release(world, task="email", candidate="new", order=stale),
    ]
    assert {_refusal(ask).code for ask in asks} == {"stale"}
    fresh = Order(actor="ana", reason="x", expected_revision=world.revision)
    assert pause(world, task="email", order=fresh, now=T0).actor == "ana"


def test_a_rollout_starts_with_its_first_weight_in_the_same_revision() -> None:
    proposal = _start(seeded())
    assert isinstance(proposal.body, RolloutStarted)
    world = committed(seeded(), proposal)
    assert routing_table(world).routes["email"].candidate_permille == 100
    assert world.tasks["email"].attempts == 1
    assert [command.kind for command in proposal.commands] == ["publish_table", "alert"]


def test_a_rollout_ends_a_split_by_hand_and_draws_anew() -> None:
    world = committed(seeded(), _split(seeded(), {"old": 500, "other": 500}))
    route = routing_table(committed(world, _start(world))).routes["email"]
    assert (route.candidate, route.candidate_permille, route.attempt) == ("new", 100, 2)


def test_a_rollout_that_cannot_be_is_refused_with_the_way_out() -> None:
    world = _started()
    request = RolloutRequest(task="nobody", candidate="new", plan=plan(), id="r9", salt="s")
    unknown_task = _refusal(lambda: start_rollout(seeded(), request, order=ORDER, now=T0))
    assert (unknown_task.code, unknown_task.message) == ("not_found", "there is no task nobody; there are: chat, email")
    assert _refusal(lambda: _start(seeded(), "nobody")).code == "not_found"
    assert _refusal(lambda: _start(seeded(), "old")).code == "invalid"
    assert _refusal(lambda: _start(world, "other", name="r2")).code == "conflict"
    assert _refusal(lambda: _start(seeded(), of=plan(()))).code == "invalid"


def test_an_identity_is_used_once() -> None:
    world = _rolled_back()
    assert "exists already" in _refusal(lambda: _start(world, "other")).message


def test_a_blocked_pair_is_refused_until_it_is_released() -> None:
    world = _rolled_back()
    refusal = _refusal(lambda: _start(world, name="r2"))
    assert (refusal.code, refusal.hint) == ("conflict", "Release it first: changeover rollout release email --to new")
    assert _refusal(lambda: _split(world, {"old": 900, "new": 100})).code == "conflict"
    released = committed(world, release(world, task="email", candidate="new", order=ORDER))
    assert routing_table(committed(released, _start(released, name="r2"))).routes["email"].attempt == 2


def test_only_a_blocked_pair_is_released() -> None:
    with pytest.raises(NothingToDo, match="old -> new is not blocked for email; blocked: none"):
        release(seeded(), task="email", candidate="new", order=ORDER)


def test_rolling_back_takes_the_candidate_out_in_that_revision() -> None:
    proposal = _roll_back(_started())
    assert isinstance(proposal.body, RolloutMoved)
    assert proposal.reason == "rolled back by hand"
    route = routing_table(committed(_started(), proposal)).routes["email"]
    assert (route.stable, route.candidate, route.candidate_permille) == ("old", None, 0)


def test_rolling_back_a_paused_rollout_works() -> None:
    world = committed(_started(), pause(_started(), task="email", order=ORDER, now=T0))
    assert committed(world, _roll_back(world)).rollouts["r1"].progress.phase is Phase.ROLLING_BACK


def test_rolling_back_a_split_by_hand_removes_it_and_blocks_nothing() -> None:
    world = committed(seeded(), _split(seeded(), {"old": 900, "new": 100}))
    after = committed(world, _roll_back(world))
    assert (after.tasks["email"].split, after.tasks["email"].blocked) == (None, ())


def test_with_nothing_to_roll_back_it_says_so() -> None:
    assert "nothing to roll back: old serves all of email" in _refusal(lambda: _roll_back(seeded())).message
    assert "nothing to roll back" in _refusal(lambda: _roll_back(_rolled_back())).message
    assert _refusal(lambda: _roll_back(seeded(), "nobody")).code == "not_found"


def test_rolling_back_after_a_promotion_undoes_it_and_blocks_the_pair() -> None:
    world = _promoted()
    assert world.tasks["email"].stable == "new"
    back = committed(world, _roll_back(world))
    route = routing_table(back).routes["email"]
    assert (route.stable, route.candidate, route.candidate_permille) == ("old", None, 0)
    assert back.tasks["email"].blocked == (("old", "new"),)
    assert _refusal(lambda: _start(back, "new", name="r2")).code == "conflict"


def test_pressing_the_button_twice_after_a_promotion_goes_back_once() -> None:
    world = _promoted()
    back = committed(world, _roll_back(world))
    assert "nothing to roll back: old serves all of email" in _refusal(lambda: _roll_back(back)).message


def test_a_split_set_after_a_promotion_ends_before_the_promotion_is_undone() -> None:
    world = _promoted()
    split = committed(world, _split(world, {"new": 500, "old": 500}))
    once = committed(split, _roll_back(split))
    assert (once.tasks["email"].stable, once.tasks["email"].split) == ("new", None)
    assert "rolled back already: new serves all of email" in _refusal(lambda: _roll_back(once)).message
    assert committed(once, _roll_back(once, further=True)).tasks["email"].stable == "old"


def test_pressing_the_button_twice_takes_back_the_last_attempt_and_leaves_the_promotion_before_it() -> None:
    world = _promoted()
    world = committed(world, _start(world, "other", name="r2"))
    once = committed(world, _roll_back(world))
    assert routing_table(once).routes["email"].candidate_permille == 0
    refused = _refusal(lambda: _roll_back(once))
    assert "rolled back already: new serves all of email" in refused.message
    assert "changeover rollback email --further" in refused.hint
    assert committed(once, _roll_back(once, further=True)).tasks["email"].stable == "old"


def test_a_rollout_back_to_the_old_stable_can_be_started_after_a_promotion() -> None:
    world = _promoted()
    assert committed(world, _start(world, "old", name="r2")).rollouts["r2"].stable == "new"


def test_pause_and_resume_answer_when_there_is_nothing_to_do() -> None:
    world = _started()
    with pytest.raises(NothingToDo, match="is not paused"):
        resume(world, task="email", order=ORDER, now=T0)
    paused = committed(world, pause(world, task="email", order=ORDER, now=T0))
    with pytest.raises(NothingToDo, match="is paused already: because"):
        pause(paused, task="email", order=ORDER, now=T0)
    assert committed(paused, resume(paused, task="email", order=ORDER, now=T0)).rollouts["r1"].progress.phase is Phase.RUNNING
    assert _refusal(lambda: pause(seeded(), task="email", order=ORDER, now=T0)).code == "conflict"


def test_moving_records_the_event_the_verdicts_and_the_evidence() -> None:
    world = _started()
    proposal = move(world, rollout_id="r1", event=tripping(world.rollouts["r1"]), now=T0 + 9, actor="controller")
    assert isinstance(proposal.body, RolloutMoved)
    assert (proposal.body.event, proposal.body.evidence_hash) == ("assessed", "e1")
    assert [found.criterion for found in proposal.body.verdicts] == ["quality", "errors"]
    assert proposal.reason.startswith("quality tripped")
    assert committed(world, proposal).tasks["email"].blocked == (("old", "new"),)


def test_an_event_that_changes_nothing_is_nothing_to_commit() -> None:
    with pytest.raises(NothingToDo):
        move(_started(), rollout_id="r1", event=Started(), now=T0, actor="controller")
    assert _refusal(lambda: move(seeded(), rollout_id="r1", event=Started(), now=T0, actor="controller")).code == "not_found"


def test_two_tasks_roll_apart() -> None:
    world = _started()
    request = RolloutRequest(task="chat", candidate="new", plan=plan(), id="r2", salt="other salt")
    world = committed(world, start_rollout(world, request, order=ORDER, now=T0))
    world = committed(world, _roll_back(world))
    assert routing_table(world).routes["chat"].candidate_permille == 100
    assert routing_table(world).routes["email"].candidate is None
