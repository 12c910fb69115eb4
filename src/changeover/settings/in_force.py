"""What would a file say that declares what is in force? The store's own answer, wherever it holds one."""

from changeover.rollout.terms import Intent, Terms
from changeover.rollout.world import TaskState, World
from changeover.settings.declared import Declared, DeclaredRollout, DeclaredTask


def in_force(world: World, terms: Terms) -> Declared:
    """Accounts, deployments and tasks as the store has them, candidates judged by ``terms``.

    Tasks without criteria are left out: a store that never held terms may know of tasks that its file does not. So are
    declared rollouts that are over, because their candidate is the stable now, or whose task is gone.
    """
    tasks = {name: _task(world, terms, name) for name in world.tasks if name in terms.criteria}
    return Declared(
        accounts=dict(world.accounts),
        deployments=dict(world.deployments),
        tasks=tasks,
        rollouts={
            name: DeclaredRollout(
                name=name,
                task=intent.task,
                candidate=intent.candidate,
                candidate_pool=intent.candidate_pool,
                plan=intent.plan(tasks[intent.task].criteria, terms.evidence),
            )
            for name, intent in terms.intents.items()
            if intent.task in tasks and not is_spent(tasks[intent.task], intent)
        },
        evidence=terms.evidence,
        unrouted_account=world.unrouted_account,
    )


def is_spent(task: DeclaredTask | TaskState, intent: Intent) -> bool:
    """Whether a declared rollout has nothing left to do: its candidate, or one of its pool, is trusted already."""
    return not {*(intent.candidate_pool or (intent.candidate,))}.isdisjoint(task.stable_pool or (task.stable,))


def _task(world: World, terms: Terms, name: str) -> DeclaredTask:
    state = world.tasks[name]
    return DeclaredTask(
        name=name,
        stable=state.stable,
        sticky_by=state.sticky_by,
        failover=state.failover,
        stable_pool=state.stable_pool,
        slice_by=state.slice_by,
        criteria=terms.criteria[name],
    )
