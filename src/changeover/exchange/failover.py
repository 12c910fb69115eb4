"""A deployment did not answer: who is asked next, and what is remembered of it? Sends nothing, waits for nothing."""

from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple

from changeover.exchange.observation import Outcome
from changeover.traffic.breaker import Breaker, faulted, tripped
from changeover.traffic.table import Route, Side
from changeover.wire.failure import Failure, FailureKind

WAIT_MAX_S: Final = 2.0
"""The longest pause after which the same deployment is asked again, when it said so and there is nobody else to ask."""


_GONE: Final = frozenset({FailureKind.RETIRED, FailureKind.MISSING, FailureKind.PAUSED})
"""One answer of these is enough to know."""
_FAULTS: Final = _GONE | {FailureKind.LIMITED, FailureKind.NOT_READY, FailureKind.PROVIDER_FAULT}
"""The deployment did not answer. The others are answers, refusals of the request among them: they go to the caller."""
_ANSWERS: Final = frozenset({FailureKind.ANSWER, FailureKind.CONTENT_FILTER})
_NAMED: Final = _GONE | {FailureKind.NOT_READY, FailureKind.UNSUPPORTED_PARAMETER}
_FREE: Final = _GONE | {FailureKind.NOT_READY, FailureKind.UNSUPPORTED_PARAMETER}


class Place(NamedTuple):
    """A deployment, or the pool that stands for one: ``members`` are deployments."""

    name: str
    members: tuple[str, ...]


class Failed(NamedTuple):
    """One attempt that brought no answer.

    ``retry_after_s``: when the provider would like to be asked again, and ``retry_forbidden``: it would rather not be.
    """

    deployment: str
    kind: FailureKind
    retry_after_s: float | None = None
    retry_forbidden: bool = False


def places(route: Route, side: Side, *, declared: Collection[str]) -> tuple[Place, ...]:
    """Who may serve a request assigned to ``side``, in the order of rule I4, each deployment once.

    The candidate stands in for nobody: what it serves must have been drawn for it.
    """
    stable = Place(route.stable, route.stable_pool or (route.stable,))
    order = [stable, *(Place(name, (name,)) for name in route.failover)]
    trial = _trial(route)
    if side is Side.CANDIDATE and trial is not None:
        order.insert(0, trial)
    seen: set[str] = set() if trial is None or side is Side.CANDIDATE else set(trial.members)
    result: list[Place] = []
    for place in order:
        members = tuple(name for name in place.members if name not in seen and name in declared)
        seen.update(members)
        if members:
            result.append(Place(place.name, members))
    return tuple(result)


def _trial(route: Route) -> Place | None:
    return None if route.candidate is None else Place(route.candidate, route.candidate_pool or (route.candidate,))


def next_members(order: Sequence[Place], tried: Collection[str], admits: Callable[[str], bool]) -> tuple[str, ...]:
    """The deployments of which one takes the next attempt; none when there is nobody left to ask.

    A closed breaker is preferred to the order. With every breaker open a *first* attempt goes where it belongs all the
    same: an attempt that may fail is better than a certain refusal.
    """
    for place in order:
        members = tuple(name for name in place.members if name not in tried and admits(name))
        if members:
            return members
    return () if tried or not order else order[0].members


def is_fault(kind: FailureKind) -> bool:
    """Whether the deployment is to blame."""
    return kind in _FAULTS


def outcome_for(kind: FailureKind) -> Outcome:
    """What a request is whose answer is of ``kind``."""
    if kind in _FAULTS:
        return Outcome.FAILED
    return Outcome.ANSWERED if kind in _ANSWERS else Outcome.REJECTED


def error_for(failure: Failure, *, status: int) -> str | None:
    """The code of an observation: the class where that says more than the provider's own code."""
    if failure.kind in _NAMED:
        return failure.kind.value
    return failure.code or (None if failure.kind in _ANSWERS else f"status_{status}")


def fails_over(kind: FailureKind, *, of_candidate: bool) -> bool:
    """Whether another deployment may be asked. A parameter that the stable refuses is the caller's mistake."""
    return kind in _FAULTS or (kind is FailureKind.UNSUPPORTED_PARAMETER and of_candidate)


def is_free(kind: FailureKind) -> bool:
    """Whether the next attempt costs nothing of the retry budget: what failed did no work, and will not be asked again."""
    return kind in _FREE


def pause_s(failed: Failed, *, paused_before: bool) -> float | None:
    """How long to wait before the *same* deployment is asked again, when there is nobody else; ``None``: do not."""
    wait_s = failed.retry_after_s
    if failed.kind is not FailureKind.LIMITED or failed.retry_forbidden or paused_before or wait_s is None or wait_s > WAIT_MAX_S:
        return None
    return wait_s


def remember(breaker: Breaker, failed: Failed, at: float, *, sent_at: float) -> Breaker:
    """The deployment's breaker after ``failed``. What is only this request's trouble leaves it as it is."""
    if failed.kind not in _FAULTS:
        return breaker
    if failed.kind in _GONE:
        return tripped(breaker, at, sent_at=sent_at)
    if failed.retry_after_s is not None and failed.retry_after_s > WAIT_MAX_S:
        return tripped(breaker, at, sent_at=sent_at, for_s=failed.retry_after_s)
    return faulted(breaker, at, sent_at=sent_at)
