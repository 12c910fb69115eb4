"""Where do the file and the store disagree? The store wins; a person should know."""

from collections.abc import Mapping

from changeover.rollout.world import World
from changeover.settings.declared import Declared


def differences(world: World, declared: Declared) -> list[str]:
    """Every difference between ``declared`` and ``world``, as sentences in the order of the file; empty when none."""
    found = _only_in("account", set(declared.accounts), set(world.accounts))
    found += _only_in("deployment", set(declared.deployments), set(world.deployments))
    found += _only_in("task", set(declared.tasks), set(world.tasks))
    found += _changed("account", declared.accounts, world.accounts)
    found += _changed("deployment", declared.deployments, world.deployments)
    for name, task in declared.tasks.items():
        stored = world.tasks.get(name)
        if stored is None:
            continue
        if stored.stable != task.stable:
            found.append(f"task {name}: the file's stable is {task.stable}, the store's is {stored.stable}")
        elif stored.stable_pool != task.stable_pool:
            found.append(f"task {name}: the file's stable is a pool of other members than the store's")
        if (stored.sticky_by, stored.failover) != (task.sticky_by, task.failover):
            found.append(f"task {name}: sticky_by or failover is declared otherwise than stored")
    if world.unrouted_account != declared.unrouted_account:
        found.append("gateway: unrouted is declared otherwise than stored")
    return found


def _only_in(noun: str, declared: set[str], stored: set[str]) -> list[str]:
    return [f"{noun} {name} is in the file only" for name in sorted(declared - stored)] + [
        f"{noun} {name} is in the store only" for name in sorted(stored - declared)
    ]


def _changed(noun: str, declared: Mapping[str, object], stored: Mapping[str, object]) -> list[str]:
    changed = [name for name, value in declared.items() if name in stored and stored[name] != value]
    return [f"{noun} {name} is declared otherwise than stored" for name in changed]
