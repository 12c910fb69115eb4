"""The control plane's one door: every read and every change of its state goes through here, in order."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from changeover.evidence.arrivals import Arrivals
from changeover.gates.criteria import Criteria
from changeover.gates.facts import Facts
from changeover.gates.verdict import Assessment
from changeover.ports.store import Store
from changeover.rollout.state import Rollout
from changeover.rollout.world import Change, Proposal, TaskState, World
from changeover.traffic.table import RoutingTable

T = TypeVar("T")


class Office(Protocol):
    """Awaitable access to the store from the event loop. Calls run one at a time on the store's own thread."""

    async def read(self, query: Callable[[Store], T]) -> T:
        """Run ``query`` on the store's thread. It may also write observations, scores and acknowledgements."""
        ...

    async def commit(self, decide: Callable[[World], Proposal]) -> Change:
        """Commit one change; wakes everybody who waits for a new table. What ``decide`` raises passes through."""
        ...

    async def table_after(self, revision: int, *, wait_s: float) -> RoutingTable | None:
        """The newest table above ``revision``, at once if there is one, else when there is, else ``None``."""
        ...


class Foreknowledge(NamedTuple):
    """What a forecast rests on. ``arrivals`` is ``None`` where too little traffic was seen."""

    facts: Facts
    arrivals: Arrivals | None


class Assessor(Protocol):
    """Looks at a rollout's evidence."""

    async def assess(self, rollout: Rollout) -> Assessment:
        """Close the blocks that can be closed and judge what is there. May be asked at any time, by anyone."""
        ...

    async def foreknow(self, task: TaskState, criteria: Criteria) -> Foreknowledge:
        """What the task's stable did in its last 24 hours, as far as ``criteria`` ask for it, and how fast new units come."""
        ...
