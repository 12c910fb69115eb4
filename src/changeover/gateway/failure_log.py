"""What goes wrong with the deployments? A line a deployment and kind, at once, and then one every ten seconds with the count."""

import logging
from collections import Counter
from typing import Final

from changeover.exchange.observation import Observation, Outcome

REPEAT_S: Final = 10.0
_TOLD_AT_ONCE: Final = float("-inf")
_KINDS_MAX: Final = 1000
_TELLING: Final = frozenset({Outcome.FAILED, Outcome.REJECTED})

_log: Final = logging.getLogger(__name__)


class FailureLog:
    """Counts failures on the request path, which costs a lookup, and tells them beside it."""

    def __init__(self) -> None:
        self._since_told: Counter[tuple[str, str, str]] = Counter()
        self._told_at: dict[tuple[str, str, str], float] = {}

    def note(self, observation: Observation) -> None:
        """Count one request. Kinds beyond a thousand are not told apart."""
        if observation.outcome not in _TELLING or observation.assigned is None:
            return
        kind = observation.error or f"status {observation.status}"
        key = (observation.assigned, observation.task or "", kind)
        if key not in self._since_told and len(self._since_told) >= _KINDS_MAX:
            key = ("others", "", "failed")
        self._since_told[key] += 1

    def tell(self, now: float) -> None:
        """Say what has come since it was last said, each kind at most every ten seconds. ``now`` in seconds, any clock."""
        for key, count in list(self._since_told.items()):
            if not count or now - self._told_at.get(key, _TOLD_AT_ONCE) < REPEAT_S:
                continue
            deployment, task, kind = key
            _log.warning("%d requests failed at %s: %s (task %s)", count, deployment, kind, task)
            self._since_told[key] = 0
            self._told_at[key] = now
