"""Which plan does a rollout follow: one that the file declares for the pair, or the default?"""

from collections.abc import Collection
from typing import Final

import msgspec

from changeover.gates.criteria import Criteria
from changeover.rollout.plan import Plan, Strategy
from changeover.rollout.terms import Terms, intent_of
from changeover.rollout.world import Seeded, TaskState
from changeover.settings.declared import Declared, DeclaredTask, Fault, SettingsError
from changeover.settings.shape_faults import did_you_mean, shown
from changeover.settings.strategies import CANARY_STEPS, steps_of, without_engine

_ACCEPTED: Final = "; accepted for this rollout"


class UnsourcedError(SettingsError):
    """Criteria of the task have no source, and nobody said to go on without them: ``names`` are to be asked about."""

    def __init__(self, task: str, left_out: dict[str, str]) -> None:
        words = "a source in the file, or the word to go on without it: --without {name}"
        super().__init__(
            tuple(
                Fault(path=f"tasks.{task}.criteria.{name}", found=reason, expected=words.format(name=name))
                for name, reason in left_out.items()
            )
        )
        self.names: tuple[str, ...] = tuple(left_out)


def plan_for(
    declared: Declared, *, task: str, candidate: str, without: Collection[str] = (), strategy: Strategy | None = None
) -> tuple[str | None, Plan]:
    """The plan that takes ``task`` to ``candidate``, and the name of the declared rollout it is from, if it is.

    ``without`` names the criteria without a source that the rollout may go without; it is recorded in the plan. A ``strategy``
    takes its own steps in place of the declared ones.

    Raises:
        UnsourcedError: criteria without a source are not named in ``without``.
        SettingsError: unknown task or deployment, or ``without`` names a criterion that has a source. Whether the
            candidate is the stable already is for the store to say, which may have moved on from the file.
    """
    found = _pair_faults(declared, task, candidate)
    if strategy is not None and strategy != "canary":
        found.append(Fault(path="strategy", found=strategy, expected=without_engine(strategy)))
    if found:
        raise SettingsError(tuple(found))
    criteria = _without(declared.tasks[task], without)
    for name, rollout in declared.rollouts.items():
        if (rollout.task, rollout.candidate) == (task, candidate):
            plan = msgspec.structs.replace(rollout.plan, criteria=criteria)
            return name, plan if strategy is None else msgspec.structs.replace(plan, strategy=strategy, steps=steps_of(strategy))
    return None, Plan(steps=CANARY_STEPS, criteria=criteria, evidence=declared.evidence)


def seeded(declared: Declared) -> Seeded:
    """What an empty store takes over."""
    return Seeded(
        accounts=tuple(declared.accounts.values()),
        deployments=tuple(declared.deployments.values()),
        tasks=task_states(declared),
        unrouted_account=declared.unrouted_account,
        terms=terms_of(declared),
    )


def terms_of(declared: Declared) -> Terms:
    """What candidates are judged by, of all that the file says."""
    return Terms(
        criteria={name: task.criteria for name, task in declared.tasks.items()},
        evidence=declared.evidence,
        intents={
            name: intent_of(each.plan, task=each.task, candidate=each.candidate, candidate_pool=each.candidate_pool)
            for name, each in declared.rollouts.items()
        },
    )


def task_states(declared: Declared) -> tuple[TaskState, ...]:
    """The tasks as an empty store takes them over."""
    return tuple(
        TaskState(
            name=task.name,
            stable=task.stable,
            sticky_by=task.sticky_by,
            failover=task.failover,
            stable_pool=task.stable_pool,
            slice_by=task.slice_by,
        )
        for task in declared.tasks.values()
    )


def candidate_pool(declared: Declared, *, task: str, candidate: str) -> tuple[str, ...]:
    """The pool that ``candidate`` stands for in the declared rollout of the pair; empty where it serves alone."""
    for rollout in declared.rollouts.values():
        if (rollout.task, rollout.candidate) == (task, candidate):
            return rollout.candidate_pool
    return ()


def _pair_faults(declared: Declared, task: str, candidate: str) -> list[Fault]:
    faults: list[Fault] = []
    if task not in declared.tasks:
        faults.append(Fault(path="tasks", found=shown(task), expected=f"a declared task: {did_you_mean(task, list(declared.tasks))}"))
    if candidate not in declared.deployments:
        expected = f"a declared deployment: {did_you_mean(candidate, list(declared.deployments))}"
        faults.append(Fault(path="deployments", found=shown(candidate), expected=expected))
    return faults


def _without(task: DeclaredTask, without: Collection[str]) -> Criteria:
    criteria = task.criteria
    faults = [
        Fault(
            path=f"tasks.{task.name}.criteria.{name}",
            found=f"--without {name}, which is not without a source",
            expected=f"only criteria without a source: {', '.join(criteria.left_out) or 'there are none'}",
        )
        for name in without
        if name not in criteria.left_out
    ]
    if faults:
        raise SettingsError(tuple(faults))
    asked = {name: reason for name, reason in criteria.left_out.items() if name not in without}
    if asked:
        raise UnsourcedError(task.name, asked)
    return msgspec.structs.replace(criteria, left_out={name: reason + _ACCEPTED for name, reason in criteria.left_out.items()})
