"""The routing table: the immutable, numbered snapshot of all tasks and splits that every data plane serves from."""

from enum import StrEnum
from typing import Final

import msgspec

from changeover.versions import Account, Deployment

WEIGHT_FULL_PERMILLE: Final = 1000


class Side(StrEnum):
    """Stable or candidate, as *assigned*, whoever then served."""

    STABLE = "stable"
    CANDIDATE = "candidate"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """How one task is served.

    ``candidate_permille`` is the candidate's weight in tenths of a percent, 0 to 1000 (rule I4); without a candidate
    it is 0. ``salt`` is fresh for every attempt, so that two attempts, or two tasks, draw independently (rule I9).
    ``sticky_by`` lists where a unit is read from, first present wins; empty means the unit is the single request.
    """

    task: str
    stable: str
    candidate: str | None = None
    candidate_permille: int = 0
    attempt: int = 0
    salt: str = ""
    sticky_by: tuple[str, ...] = ()
    failover: tuple[str, ...] = ()


class RoutingTable(msgspec.Struct, frozen=True, kw_only=True):
    """All that a data plane needs to serve. ``revision`` only grows (rule I3); equal revisions are equal tables."""

    revision: int
    routes: dict[str, Route]
    deployments: dict[str, Deployment]
    accounts: dict[str, Account]


def table_faults(table: RoutingTable) -> list[str]:
    """Every breach of rule I4 in ``table``, as sentences; empty when it may be served from."""
    faults: list[str] = []
    for name, route in table.routes.items():
        faults += _route_faults(table, name, route)
    faults += [
        f"deployment {deployment.name}: account {deployment.account} is not declared"
        for deployment in table.deployments.values()
        if deployment.account not in table.accounts
    ]
    return faults


def _route_faults(table: RoutingTable, name: str, route: Route) -> list[str]:
    faults: list[str] = []
    if not 0 <= route.candidate_permille <= WEIGHT_FULL_PERMILLE:
        faults.append(f"task {name}: weight {route.candidate_permille / 10} % is not between 0 and 100")
    if route.candidate is None and route.candidate_permille:
        faults.append(f"task {name}: a weight of {route.candidate_permille / 10} % without a candidate")
    for role, deployment in (("stable", route.stable), ("candidate", route.candidate)):
        if deployment is not None and deployment not in table.deployments:
            faults.append(f"task {name}: {role} {deployment} is not a declared deployment")
    faults += [f"task {name}: failover {spare} is not a declared deployment" for spare in route.failover if spare not in table.deployments]
    return faults
