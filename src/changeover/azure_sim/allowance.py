"""May a deployment take one more request now? Two buckets that refill steadily over a minute: requests and modelled tokens."""

import math
from typing import Final, NamedTuple

MINUTE_S: Final = 60.0


class Limits(NamedTuple):
    """What a deployment may take a minute. ``shown``: whether answers say so, which those of provisioned deployments do not."""

    requests_per_minute: int
    tokens_per_minute: int
    shown: bool = True


class Bucket:
    """Holds ``limit`` at most, refills by ``limit`` a minute. ``now`` is seconds on any clock that only moves on."""

    def __init__(self, limit: int, *, now: float) -> None:
        self.limit = limit
        self.level = float(limit)
        self._at = now

    def refill(self, now: float) -> None:
        self.level = min(self.limit, self.level + (now - self._at) * self.limit / MINUTE_S)
        self._at = now

    def wait_ms(self, amount: int) -> int:
        """How long until ``amount`` is there: 0 when it is; a minute at most is named."""
        lacking = amount - self.level
        return 0 if lacking <= 0 else int(min(MINUTE_S, lacking * MINUTE_S / self.limit) * 1000) + 1

    def full_in_s(self) -> int:
        """Whole seconds until it is full again."""
        return math.ceil((self.limit - self.level) * MINUTE_S / self.limit)


class Allowance:
    """The rate limits of one deployment."""

    def __init__(self, *, requests_per_minute: int, tokens_per_minute: int, now: float, shown: bool = True) -> None:
        self._shown = shown
        self.requests = Bucket(requests_per_minute, now=now)
        self.tokens = Bucket(tokens_per_minute, now=now)

    def take(self, tokens: int, *, now: float) -> int:
        """Take one request of ``tokens``; 0 when there was room, else nothing is taken and the milliseconds to wait are returned."""
        self.requests.refill(now)
        self.tokens.refill(now)
        wait_ms = max(self.requests.wait_ms(1), self.tokens.wait_ms(tokens))
        if not wait_ms:
            self.requests.level -= 1
            self.tokens.level -= tokens
        return wait_ms

    def headers(self) -> dict[str, str]:
        if not self._shown:
            return {}
        return {
            "x-ratelimit-limit-requests": str(self.requests.limit),
            "x-ratelimit-limit-tokens": str(self.tokens.limit),
            "x-ratelimit-remaining-requests": str(int(self.requests.level)),
            "x-ratelimit-remaining-tokens": str(int(self.tokens.level)),
            "x-ratelimit-reset-requests": str(self.requests.full_in_s()),
            "x-ratelimit-reset-tokens": str(self.tokens.full_in_s()),
        }
