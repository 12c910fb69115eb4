"""Would the store still hold together after a change? Asked of the whole, where each part was right by itself."""

import msgspec

from changeover.rollout.world import Applied, Change, World, apply, routing_table
from changeover.traffic.table import Route, RoutingTable, table_faults
from changeover.versions.dialect import API_NAMES, dialect_of


def world_faults(world: World, applied: Applied) -> tuple[str, ...]:
    """What data planes could not serve after ``applied``, as sentences; empty when nothing."""
    change = Change(revision=world.revision + 1, at=0.0, actor="", reason="", body=applied)
    table = routing_table(apply(world, change))
    unknown = [
        f"deployment {name}: {each.account} is not a declared account"
        for name, each in table.deployments.items()
        if each.account not in table.accounts
    ]
    if table.unrouted_account is not None and table.unrouted_account not in table.accounts:
        unknown.append(f"gateway.unrouted: {table.unrouted_account} is not a declared account")
    if unknown:
        return tuple(unknown)
    mixed = [fault for route in table.routes.values() for fault in _mixed(table, route)]
    return tuple(table_faults(msgspec.structs.replace(table, revision=max(table.revision, 1)))) + tuple(mixed)


def _mixed(table: RoutingTable, route: Route) -> list[str]:
    """What is served for one task in more than one way."""
    known = [name for name in (*route.stable_members, *route.candidate_members, *route.failover) if name in table.deployments]
    spoken = {name: dialect_of(table.accounts[table.deployments[name].account].kind) for name in known}
    first = spoken.get(route.stable)
    faults = [
        f"task {route.task}: {name} speaks {API_NAMES[each]}, its stable does not" for name, each in spoken.items() if each is not first
    ]
    for pool in (route.stable_members, route.candidate_members):
        members = [table.deployments[name] for name in pool if name in table.deployments]
        if any(member.request != members[0].request for member in members):
            faults.append(f"task {route.task}: the members of the pool {', '.join(pool)} differ in their request settings")
    return faults
