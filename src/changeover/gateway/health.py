"""What does this data plane know of the deployments it calls? Breakers, headroom, budgets, and who issued which response."""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import Final

from changeover.exchange.attempts import RetryBudget
from changeover.exchange.failover import Failed, next_members, remember
from changeover.gateway.plans import Plan
from changeover.traffic.breaker import CLOSED, Breaker, Stance, answered, begin_probe, end_probe, stance
from changeover.traffic.pool import Headroom, choose

ISSUED_MAX: Final = 50_000
"""Responses of which it is remembered who issued them; of more the least recently used are forgotten."""
_REQUESTS_LEFT: Final = b"x-ratelimit-remaining-requests"
_TOKENS_LEFT: Final = b"x-ratelimit-remaining-tokens"


class Health:
    """Kept across tables, lost with the process. Every ``at`` is seconds of the monotonic clock."""

    def __init__(self) -> None:
        self.breakers: dict[str, Breaker] = {}
        """Of those against whom something is known; nearly always empty."""
        self._rooms: dict[str, Headroom] = {}
        self._budgets: dict[str, RetryBudget] = {}
        self._issued: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def budgets_for(self, tasks: Collection[str], at: float) -> dict[str, RetryBudget]:
        """The retry budget of each task; those of others are forgotten."""
        self._budgets = {task: self._budgets.get(task) or RetryBudget(at) for task in tasks}
        return self._budgets

    def keep(self, names: Collection[str]) -> None:
        """Forget all deployments but ``names``."""
        self.breakers = {name: breaker for name, breaker in self.breakers.items() if name in names}
        self._rooms = {name: room for name, room in self._rooms.items() if name in names}

    # Who is asked next

    def choose(self, plan: Plan, tried: Collection[str], at: float) -> str | None:
        """The deployment for the next attempt, ``None`` when there is nobody left to ask."""
        if not tried and not self.breakers and plan.alone is not None:
            return plan.alone
        members = next_members(plan.order, tried, lambda name: self._admits(name, at))
        if not members:
            return None
        return choose(members, [self._rooms.get(name) for name in members], turn=next(plan.turns), at=at)

    def _admits(self, name: str, at: float) -> bool:
        return stance(self.breakers.get(name, CLOSED), at) is not Stance.OPEN

    # What became of it

    def began(self, name: str, at: float) -> None:
        """A request goes to ``name``: a probe, if its breaker was open."""
        breaker = self.breakers.get(name)
        if breaker is not None:
            self.breakers[name] = begin_probe(breaker, at)

    def answered(self, name: str, *, sent_at: float) -> None:
        """``name`` gave an answer, be it a refusal of the request."""
        breaker = self.breakers.get(name)
        if breaker is not None:
            self._set(name, answered(breaker, sent_at=sent_at))

    def failed(self, failed: Failed, at: float, *, sent_at: float) -> None:
        """A deployment did not answer."""
        self._set(failed.deployment, remember(self.breakers.get(failed.deployment, CLOSED), failed, at, sent_at=sent_at))

    def unknown(self, name: str) -> None:
        """The request ended without a word on ``name``: its caller left."""
        breaker = self.breakers.get(name)
        if breaker is not None:
            self.breakers[name] = end_probe(breaker)

    def _set(self, name: str, breaker: Breaker) -> None:
        if breaker is CLOSED:
            self.breakers.pop(name, None)
        else:
            self.breakers[name] = breaker

    def heard(self, name: str, headers: Mapping[bytes, bytes], at: float) -> None:
        """What ``name`` says is left of its rate limits, in a reply's headers."""
        requests, tokens = _count(headers.get(_REQUESTS_LEFT)), _count(headers.get(_TOKENS_LEFT))
        if requests is not None or tokens is not None:
            self._rooms[name] = Headroom(requests, tokens, at)

    # Responses that are continued

    def issued(self, response_id: str, task: str, deployment: str) -> None:
        """``deployment`` made the response, for ``task``."""
        self._issued[response_id] = (task, deployment)
        self._issued.move_to_end(response_id)
        if len(self._issued) > ISSUED_MAX:
            self._issued.popitem(last=False)

    def issuer(self, response_id: str) -> tuple[str, str] | None:
        """For which task, and by whom, the response was made, as far as is remembered."""
        found = self._issued.get(response_id)
        if found is not None:
            self._issued.move_to_end(response_id)
        return found


def _count(value: bytes | None) -> int | None:
    return int(value) if value is not None and value.isdigit() and len(value) < 19 else None
