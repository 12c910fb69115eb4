"""Where do the file and the store disagree? The store wins; a person should know."""

from collections.abc import Mapping

import msgspec

from changeover.gates.criteria import Criteria, EvidenceRules
from changeover.gates.hash import config_hash
from changeover.rollout.terms import Terms
from changeover.rollout.world import World
from changeover.settings.declared import Declared
from changeover.settings.plans import terms_of


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
        if stored.slice_by != task.slice_by:
            found.append(f"task {name}: slice_by is declared otherwise than stored")
    if world.unrouted_account != declared.unrouted_account:
        found.append("gateway: unrouted is declared otherwise than stored")
    if world.terms is not None:
        found += [sentence for name in declared.tasks if name in world.tasks for sentence in asked_otherwise(world.terms, declared, name)]
    return found + _judged_otherwise(world, declared)


def asked_otherwise(terms: Terms, declared: Declared, task: str) -> list[str]:
    """In what ``declared`` asks other things of the next rollout of ``task`` than ``terms`` do."""
    wanted = terms_of(declared)
    found: list[str] = []
    before, after = terms.criteria.get(task), wanted.criteria.get(task)
    if before and after and _asked(before, terms.evidence) != _asked(after, wanted.evidence):
        found.append(f"task {task}: criteria or rules of evidence are declared otherwise than stored")
    mine = [{name: each for name, each in one.intents.items() if each.task == task} for one in (wanted, terms)]
    if mine[0] != mine[1]:
        found.append(f"task {task}: its rollouts are declared otherwise than stored")
    return found


def _judged_otherwise(world: World, declared: Declared) -> list[str]:
    """Rollouts in progress whose criteria are no longer those of the file. They keep what they were started with."""
    found: list[str] = []
    for name, task in world.tasks.items():
        if task.rollout is None or name not in declared.tasks:
            continue
        plan = world.rollouts[task.rollout].plan
        now = _asked(declared.tasks[name].criteria, declared.evidence)
        if _asked(plan.criteria, plan.evidence) != now:
            found.append(f"rollout {task.rollout}: it keeps the criteria and rules it was started with; a new attempt takes the file's")
    return found


def _asked(criteria: Criteria, rules: EvidenceRules) -> str:
    """Without the words about what is left out: those change when somebody accepts it."""
    return config_hash(msgspec.structs.replace(criteria, left_out={}), rules)


def _only_in(noun: str, declared: set[str], stored: set[str]) -> list[str]:
    return [f"{noun} {name} is in the file only" for name in sorted(declared - stored)] + [
        f"{noun} {name} is in the store only" for name in sorted(stored - declared)
    ]


def _changed(noun: str, declared: Mapping[str, object], stored: Mapping[str, object]) -> list[str]:
    changed = [name for name, value in declared.items() if name in stored and stored[name] != value]
    return [f"{noun} {name} is declared otherwise than stored" for name in changed]
