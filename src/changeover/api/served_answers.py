"""What the call about served versions answers with."""

from typing import Final

import msgspec

from changeover.rollout.sighting import Drift

NOT_RANDOMISED: Final = "not randomised: before/after"
"""Nobody drew lots between versions that followed each other in time."""


class ServedVersionView(msgspec.Struct, frozen=True, kw_only=True):
    """What ``deployment`` did while it answered as ``model``; ``None``: it did not say.

    ``contradicts`` says that this is not what is pinned. Shares are from 0 to 1, means are per request; what is not known
    of any request is ``None``. Seen times are Unix seconds of the first and the last request that was read.
    """

    deployment: str
    model: str | None
    contradicts: bool
    requests: int
    errors: int
    error_share: float
    latency_ms_p50: float | None
    latency_ms_p95: float | None
    latency_ms_p99: float | None
    cost_usd_mean: float | None
    tokens_input_mean: float | None
    tokens_output_mean: float | None
    filtered: int
    filter_known: int
    filtered_share: float | None
    first_seen_at: float
    last_seen_at: float


class ServedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A task's stable side between ``since`` and ``until`` (Unix seconds), by the version that was served, first seen first.

    ``read`` requests went into it; where ``sampled``, there are more, and those read lie evenly over the time. ``drifts``
    are the contradictions of pins that were told of in that time.
    """

    task: str
    stable: tuple[str, ...]
    since: float
    until: float
    read: int
    sampled: bool
    versions: tuple[ServedVersionView, ...]
    drifts: tuple[Drift, ...] = ()
    note: str = NOT_RANDOMISED
