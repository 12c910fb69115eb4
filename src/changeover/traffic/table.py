"""The routing table: the immutable, numbered snapshot of all tasks and splits that every data plane serves from."""

from enum import StrEnum
from typing import Final

import msgspec

from changeover.traffic.keys import KeyEntry, key_faults
from changeover.versions import Account, Deployment

WEIGHT_FULL_PERMILLE: Final = 1000


class Side(StrEnum):
    """Stable or candidate, as *assigned*, whoever then served."""

    STABLE = "stable"
    CANDIDATE = "candidate"

    __hash__ = str.__hash__  # an enum's own hash is a call in Python, and both are keys on the request path


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """How one task is served.

    ``candidate_permille`` is the candidate's weight in tenths of a percent, 0 to 1000 (rule I4); without a candidate
    it is 0. ``salt`` is fresh for every attempt, so that two attempts, or two tasks, draw independently (rule I9).
    ``sticky_by`` lists where a unit is read from, first present wins; empty means the unit is the single request.
    ``slice_by`` lists where its slice is read from (``exchange.slice_label``); empty means that nothing is.

    A pool is several deployments of one model version that stand for one: its first is the side's name wherever one name
    is wanted. An empty pool is the side's one deployment. ``failover`` names who stands in, in their order.
    """

    task: str
    stable: str
    candidate: str | None = None
    candidate_permille: int = 0
    attempt: int = 0
    salt: str = ""
    sticky_by: tuple[str, ...] = ()
    failover: tuple[str, ...] = ()
    stable_pool: tuple[str, ...] = ()
    candidate_pool: tuple[str, ...] = ()
    slice_by: tuple[str, ...] = ()

    @property
    def stable_members(self) -> tuple[str, ...]:
        """Everyone who serves the stable side."""
        return self.stable_pool or (self.stable,)

    @property
    def candidate_members(self) -> tuple[str, ...]:
        """Everyone who serves the candidate's side; nobody without a candidate."""
        return self.candidate_pool or (() if self.candidate is None else (self.candidate,))


class RoutingTable(msgspec.Struct, frozen=True, kw_only=True):
    """All that a data plane needs to serve. ``revision`` only grows (rule I3); equal revisions are equal tables.

    ``unrouted_account`` gets, unchanged, what no task claims; ``None`` refuses it. ``keys`` are by their hash;
    ``keys_required`` refuses callers without one.
    """

    revision: int
    routes: dict[str, Route]
    deployments: dict[str, Deployment]
    accounts: dict[str, Account]
    unrouted_account: str | None = None
    keys: dict[str, KeyEntry] = {}
    keys_required: bool = False


def table_faults(table: RoutingTable) -> list[str]:
    """Every breach of rule I4 in ``table``, as sentences; empty when it may be served from."""
    faults: list[str] = []
    for name, route in table.routes.items():
        faults += _weight_faults(name, route)
        faults += _name_faults(table, name, route)
        faults += _pool_faults(table, name, route)
    faults += [
        f"deployment {deployment.name}: account {deployment.account} is not declared"
        for deployment in table.deployments.values()
        if deployment.account not in table.accounts
    ]
    if table.unrouted_account is not None and table.unrouted_account not in table.accounts:
        faults.append(f"unrouted requests: account {table.unrouted_account} is not declared")
    return faults + key_faults(table.keys)


def _weight_faults(name: str, route: Route) -> list[str]:
    faults: list[str] = []
    if not 0 <= route.candidate_permille <= WEIGHT_FULL_PERMILLE:
        faults.append(f"task {name}: weight {route.candidate_permille / 10} % is not between 0 and 100")
    if route.candidate is None and route.candidate_permille:
        faults.append(f"task {name}: a weight of {route.candidate_permille / 10} % without a candidate")
    return faults


def _name_faults(table: RoutingTable, name: str, route: Route) -> list[str]:
    named = [("stable", member) for member in route.stable_members]
    named += [("candidate", member) for member in route.candidate_members]
    named += [("failover", spare) for spare in route.failover]
    faults = [f"task {name}: {role} {member} is not a declared deployment" for role, member in named if member not in table.deployments]
    trial = set(route.candidate_members)
    return faults + [f"task {name}: {member} is stable and candidate" for member in route.stable_members if member in trial]


def _pool_faults(table: RoutingTable, name: str, route: Route) -> list[str]:
    faults: list[str] = []
    for role, first, pool in (("stable", route.stable, route.stable_pool), ("candidate", route.candidate, route.candidate_pool)):
        if pool and pool[0] != first:
            faults.append(f"task {name}: the {role} pool begins with {pool[0]}, not with {first}")
        versions = {str(table.deployments[member].model) for member in pool if member in table.deployments}
        if len(versions) > 1:
            faults.append(f"task {name}: the {role} pool holds several model versions: {', '.join(sorted(versions))}")
    return faults
