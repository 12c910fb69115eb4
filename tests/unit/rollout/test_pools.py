"""Pools, spares and the account for unrouted requests stand in the table as long as they are meant to, and no longer."""

import pytest

from changeover.rollout.commands import Order, Refusal, RolloutRequest, move, release, roll_back, set_split, start_rollout, take_over
from changeover.rollout.plan import WeightStep
from changeover.rollout.state import Acknowledged
from changeover.rollout.world import Seeded, TaskState, World, routing_table
from changeover.traffic.table import Route, table_faults
from tests.unit.rollout.builders import ACCOUNT, T0, committed, deployment, passing, plan

ORDER = Order(actor="ana", reason="because")
NAMES = ("old", "old-eu", "new", "new-eu", "spare")


def world() -> World:
    task = TaskState(name="email", stable="old", stable_pool=("old", "old-eu"), failover=("new", "spare"))
    content = Seeded(accounts=(ACCOUNT,), deployments=tuple(map(deployment, NAMES)), tasks=(task,), unrouted_account=ACCOUNT.name)
    return committed(World(), take_over(World(), content, actor="serve", reason="first start"))


def started(before: World, *pool: str) -> World:
    request = RolloutRequest(task="email", candidate=pool[0], candidate_pool=pool, plan=plan(), id="r1", salt="s")
    return committed(before, start_rollout(before, request, order=ORDER, now=T0))


def rolled_back(before: World) -> World:
    return committed(before, roll_back(before, task="email", actor="ana", reason="", now=T0 + 5))


def route(of: World) -> Route:
    assert table_faults(routing_table(of)) == []
    return routing_table(of).routes["email"]


def test_what_was_declared_stands_in_the_table() -> None:
    assert (route(world()).stable_pool, route(world()).failover) == (("old", "old-eu"), ("new", "spare"))
    assert routing_table(world()).unrouted_account == ACCOUNT.name


def test_a_candidates_pool_serves_while_its_rollout_lasts() -> None:
    during = started(world(), "new", "new-eu")
    assert route(during).candidate_pool == ("new", "new-eu")
    assert route(rolled_back(during)).candidate_pool == ()
    assert route(rolled_back(during)).stable_pool == ("old", "old-eu")


def test_a_promoted_pool_takes_the_place_of_the_old_one() -> None:
    state, now = started(world(), "new", "new-eu"), T0
    while state.tasks["email"].rollout is not None:
        now += 1000.0
        rollout = state.rollouts["r1"]
        on_weight = isinstance(rollout.plan.steps[rollout.progress.step], WeightStep)
        event = Acknowledged() if on_weight else passing(rollout)
        state = committed(state, move(state, rollout_id="r1", event=event, now=now, actor="controller"))
    assert (route(state).stable, route(state).stable_pool) == ("new", ("new", "new-eu"))
    back = route(rolled_back(state))
    assert (back.stable, back.stable_pool) == ("old", ("old", "old-eu")), "undoing it puts the whole old pool back"
    assert back.failover == ("spare",), "and what was rolled back stands in for nobody"


def test_whoever_was_rolled_back_does_not_stand_in_until_it_is_released() -> None:
    state = rolled_back(started(world(), "new"))
    assert route(state).failover == ("spare",)
    released = committed(state, release(state, task="email", candidate="new", order=ORDER))
    assert route(released).failover == ("new", "spare")


@pytest.mark.parametrize("pool", [("old-eu",), ("new", "old-eu"), ("new", "gone")])
def test_no_member_of_the_stables_pool_and_no_stranger_can_be_tried(pool: tuple[str, ...]) -> None:
    with pytest.raises(Refusal):
        started(world(), *pool)


def test_a_split_by_hand_cannot_try_a_member_of_the_stables_pool() -> None:
    with pytest.raises(Refusal):
        set_split(world(), task="email", weights={"old": 900, "old-eu": 100}, salt="s", order=ORDER)
