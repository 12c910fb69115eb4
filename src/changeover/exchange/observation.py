"""The observation: one record per request, the only thing evidence is made of."""

from enum import StrEnum
from typing import Final

import msgspec

from changeover.traffic.table import Side
from changeover.wire.filter_event import FilterEvent
from changeover.wire.reply_facts import Usage


class Outcome(StrEnum):
    """How a request ended, as its caller met it."""

    ANSWERED = "answered"
    """A complete answer, filtered or not."""
    REFUSED = "refused"
    """Refused by us before any side was assigned: malformed, unknown task, too large."""
    REJECTED = "rejected"
    """The deployment refused the request (4xx other than a content filter and 408, 429)."""
    FAILED = "failed"
    """The deployment did not answer: connect failure, deadline, 408, 429, 5xx, an answer that broke off."""
    LEFT = "left"
    """The caller went away after content had begun to flow."""
    ABANDONED = "abandoned"
    """The caller went away before any content had come."""

    __hash__ = str.__hash__  # an enum's own hash is a call in Python


_ANSWERED: Final = Outcome.ANSWERED
_LEFT: Final = Outcome.LEFT
# Evidence asks this of every request several times; reaching a member through its class would cost more than the rest.


Tokens = Usage
"""What a request used, as the provider reported it."""


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt used, of a request that was attempted more than once or in vain."""

    deployment: str
    tokens: Tokens


class Observation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request. Times are seconds of Unix time (UTC) or milliseconds of a duration, by name.

    ``side``, ``attempt`` and ``candidate_probability`` are as assigned (rule I14); ``served`` is the deployment that
    answered in the end, ``None`` if none did. ``unit`` is hashed. ``sticky`` is false when the unit was the request
    itself. ``forced`` requests were bound to a side before the draw and are never evidence.
    """

    request_id: str
    started_at: float
    outcome: Outcome
    revision: int
    latency_ms: float
    task: str | None = None
    attempt: int = 0
    unit: str = ""
    sticky: bool = False
    forced: bool = False
    side: Side | None = None
    candidate_probability: float = 0.0
    assigned: str | None = None
    served: str | None = None
    served_model: str | None = None
    fingerprint: str | None = None
    status: int | None = None
    error: str | None = None
    first_byte_ms: float | None = None
    first_token_ms: float | None = None
    streamed: bool = False
    finish_reason: str | None = None
    filtered: bool | None = None
    tokens: Tokens | None = None
    attempts: int = 0
    cost_usd: float | None = None
    """Money at the price in ``price``, every attempt paid; ``None`` where no price is known."""
    price: str | None = None
    """Which dated price was used, so that the figure can be recomputed."""
    surface: str = ""
    """Which API was asked: a value of ``wire.surface.Surface``; empty when that is not known."""
    filters: tuple[FilterEvent, ...] = ()
    """What content filters found, whether they acted or only annotated."""
    served_deployment: str | None = None
    """Who answered as the provider names it (Azure's ``x-ms-deployment-name``), where it does."""
    response: str | None = None
    """Hash of the response's id (``exchange.issuer``), by which what continues it finds who served."""
    retry: bool = False
    """An SDK's repetition of a request that failed: it has the unit of its first try and is no new one."""
    spent: tuple[Spent, ...] = ()
    """What each attempt used, in order, where one that brought no answer said so; ``tokens`` are then the sum. Else empty."""
    slice: str = ""
    """Of which slice the caller said it is (``exchange.slice_label``), as it was sent; empty where the task has none."""

    @property
    def is_error(self) -> bool:
        """Whether the *assigned* deployment did not answer (rule I14).

        A caller that leaves before any content counts, or a hanging deployment would look healthy; one that leaves
        while content flows does not. A rejected request counts on either side alike: callers' own mistakes cancel by
        the draw. An answer by a stand-in counts as an error of the deployment that was to give it.
        """
        if self.outcome is _ANSWERED or self.outcome is _LEFT:
            return self.served != self.assigned
        return True
