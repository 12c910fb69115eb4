"""A score: a quality or correctness value for one request, from a named source; it may come late."""

import msgspec


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is the measure (``rouge-l``), ``scorer`` who or what gave it; a pair is unique per request.

    ``value`` is finite and in the measure's own units.
    """

    request_id: str
    name: str
    value: float
    scorer: str = "client"
    comment: str | None = None
    received_at: float = 0.0
