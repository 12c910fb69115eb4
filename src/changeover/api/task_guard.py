"""May this token change that task? Asked of every proposal, inside the transaction that would commit it."""

from collections.abc import Callable
from typing import TypeVar

from changeover.api.errors import ApiError
from changeover.api.problem import Problem
from changeover.ports.office import Office
from changeover.ports.store import Store
from changeover.rollout.token_ring import TokenEntry
from changeover.rollout.world import Change, PairReleased, PromotionUndone, Proposal, RolloutMoved, RolloutStarted, SplitSet, World
from changeover.traffic.table import RoutingTable

T = TypeVar("T")


class TaskGuard:
    """An office for the holder of ``token``, who may change some tasks alone."""

    def __init__(self, office: Office, token: TokenEntry) -> None:
        self._office = office
        self._token = token

    async def read(self, query: Callable[[Store], T]) -> T:
        """See ``Office``."""
        return await self._office.read(query)

    async def table_after(self, revision: int, *, wait_s: float) -> RoutingTable | None:
        """See ``Office``."""
        return await self._office.table_after(revision, wait_s=wait_s)

    async def commit(self, decide: Callable[[World], Proposal]) -> Change:
        """See ``Office``.

        Raises:
            ApiError: the change is about another task, or about more than a task.
        """

        def guarded(world: World) -> Proposal:
            proposal = decide(world)
            task = _task_of(world, proposal)
            if task not in self._token.tasks:
                raise _not_yours(self._token, task)
            return proposal

        return await self._office.commit(guarded)


def _task_of(world: World, proposal: Proposal) -> str | None:
    """The one task that a proposal changes; ``None`` for what is about more than one."""
    match proposal.body:
        case RolloutStarted(rollout=rollout):
            return rollout.task
        case RolloutMoved(rollout=identity):
            return world.rollouts[identity].task
        case SplitSet(task=task) | PromotionUndone(task=task) | PairReleased(task=task):
            return task
        case _:
            return None


def _not_yours(token: TokenEntry, task: str | None) -> ApiError:
    found = "all tasks" if task is None else task
    message = f"{token.actor} may change {', '.join(token.tasks)}; this call changes {found}"
    return ApiError(403, Problem(code="not_allowed", message=message, hint="Ask an owner, or somebody whose token is for that task"))
