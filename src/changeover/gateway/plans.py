"""Who may serve a request of this task and side, in which order, and how is the answer tagged? Made once per table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import NamedTuple
from urllib.parse import quote

from changeover.exchange.attempts import RetryBudget
from changeover.exchange.failover import Place, places
from changeover.gateway.pool import Pool
from changeover.gateway.targets import TOKEN_AWAITED, PreparedTable, Target
from changeover.traffic.table import Route, RoutingTable, Side
from changeover.versions.dialect import Dialect, dialect_of


class Post(NamedTuple):
    """A deployment as one side of one task reaches it. ``tags`` are the header lines of an answer that it gives."""

    target: Target
    pool: Pool
    tags: bytes
    of_candidate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where a request may go.

    ``order`` holds only what can be called, ``assigned`` all that serve the assigned side. ``alone`` is whom the request
    goes to when nothing is known against anybody: ``None`` where a pool has to choose. ``fault`` is why the first of
    ``assigned`` cannot be called, with its code; ``tags`` are then the answer's.
    """

    order: tuple[Place, ...]
    posts: dict[str, Post]
    assigned: tuple[str, ...]
    alone: str | None
    pooled: bool
    budget: RetryBudget
    tags: bytes
    fault: tuple[str, str] | None
    turns: Iterator[int] = field(default_factory=count)

    def only(self, name: str) -> "Plan":
        """The same for a request that nobody but ``name`` can serve."""
        return replace(self, order=(Place(name, (name,)),), assigned=(name,), alone=name, pooled=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Itinerary:
    """The plans of a table: of its tasks, by side, and of what no task claims. ``dialects``: what each task's accounts speak."""

    prepared: PreparedTable
    dialects: dict[str, Dialect]
    plans: dict[tuple[str, Side], Plan]
    unrouted: Plan | None
    awaiting: frozenset[str | None] = frozenset()
    """Tasks with a side that can be served in a moment, when its account's first token has come; ``None``: what no task claims."""


def plan_all(prepared: PreparedTable, pools: Mapping[str, Pool], budgets: Mapping[str, RetryBudget], spare: RetryBudget) -> Itinerary:
    """The plans for ``prepared``; ``pools`` by deployment, for those that can be called; ``budgets`` by task."""
    plans = {
        (task, side): _plan(prepared, route, side, pools, budgets[task]) for task, route in prepared.table.routes.items() for side in Side
    }
    unrouted = _unrouted(prepared, pools, spare)
    awaiting = _awaiting(prepared.table, plans, unrouted)
    return Itinerary(prepared=prepared, dialects=_dialects(prepared.table), plans=plans, unrouted=unrouted, awaiting=awaiting)


def _awaiting(table: RoutingTable, plans: Mapping[tuple[str, Side], Plan], unrouted: Plan | None) -> frozenset[str | None]:
    awaiting: set[str | None] = {
        task for (task, side), plan in plans.items() if _awaits_token(plan) and _is_drawn(table.routes[task], side)
    }
    if unrouted is not None and _awaits_token(unrouted):
        awaiting.add(None)
    return frozenset(awaiting)


def _awaits_token(plan: Plan) -> bool:
    """Whether nobody of the assigned side can be called, and only because a first token is on its way."""
    awaits = plan.fault is not None and plan.fault[0] == TOKEN_AWAITED
    return awaits and not any(name in plan.posts for name in plan.assigned)


def _is_drawn(route: Route, side: Side) -> bool:
    return side is Side.STABLE or route.candidate_permille > 0


def _dialects(table: RoutingTable) -> dict[str, Dialect]:
    return {
        task: dialect_of(table.accounts[table.deployments[route.stable].account].kind)
        for task, route in table.routes.items()
        if route.stable in table.deployments
    }


def _plan(prepared: PreparedTable, route: Route, side: Side, pools: Mapping[str, Pool], budget: RetryBudget) -> Plan:
    table = prepared.table
    on_trial = route.candidate_members if side is Side.CANDIDATE else ()
    assigned = on_trial or route.stable_members
    order = places(route, side, declared=pools)
    posts = {
        name: Post(prepared.targets[name], pools[name], _tags(table.revision, route, side, name, assigned), name in on_trial)
        for place in order
        for name in place.members
    }
    first = order[0].members if order else ()
    return Plan(
        order=order,
        posts=posts,
        assigned=assigned,
        alone=first[0] if len(first) == 1 else None,
        pooled=any(len(place.members) > 1 for place in order),
        budget=budget,
        tags=_tags(table.revision, route, side, assigned[0], assigned),
        fault=next((target.fault for target in map(prepared.targets.get, assigned) if target is not None and target.fault), None),
    )


def _unrouted(prepared: PreparedTable, pools: Mapping[str, Pool], budget: RetryBudget) -> Plan | None:
    target = prepared.unrouted
    if target is None:
        return None
    name = unrouted_name(target)
    tags = f"x-changeover-account: {_header_value(target.name)}\r\nx-changeover-revision: {prepared.table.revision}\r\n".encode()
    callable_ = name in pools
    return Plan(
        order=(Place(name, (name,)),) if callable_ else (),
        posts={name: Post(target, pools[name], tags, of_candidate=False)} if callable_ else {},
        assigned=(name,),
        alone=name if callable_ else None,
        pooled=False,
        budget=budget,
        tags=tags,
        fault=target.fault,
    )


def unrouted_name(target: Target) -> str:
    """How an account goes by among deployments: no deployment's name has a space."""
    return f"account {target.name}"


def _tags(revision: int, route: Route, side: Side, name: str, assigned: tuple[str, ...]) -> bytes:
    failover = "" if name in assigned else f"x-changeover-failover: {_header_value(assigned[0])}\r\n"
    return (
        f"x-changeover-task: {_header_value(route.task)}\r\nx-changeover-side: {side.value}\r\n"
        f"x-changeover-deployment: {_header_value(name)}\r\nx-changeover-revision: {revision}\r\n{failover}"
    ).encode()


def _header_value(name: str) -> str:
    """``name`` as it stands when it is plain text, else percent-encoded."""
    return name if name.isascii() and name.isprintable() else quote(name, safe="")
