"""What are the lines that name a candidate's answers? The command line reads them too; fields are only ever added."""

import msgspec

from changeover.exchange.observation import Outcome
from changeover.traffic.table import Side


class AffectedAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request that a candidate answered, or was to answer.

    ``time`` is ``started_at`` (Unix seconds) in UTC. ``unit`` is hashed with the salt of its attempt; where it is not ``sticky`` the
    unit was the request itself. ``failed_over``: another than the assigned deployment answered. ``attempts`` counts requests
    sent to providers. ``slice`` is what the caller said of itself, ``response`` the hash of the answer's id.
    """

    request_id: str
    time: str
    started_at: float
    attempt: int
    unit: str
    sticky: bool
    side: Side | None
    assigned: str | None
    served: str | None
    failed_over: bool
    outcome: Outcome
    served_model: str | None = None
    status: int | None = None
    error: str | None = None
    attempts: int = 1
    retry: bool = False
    forced: bool = False
    streamed: bool = False
    surface: str = ""
    slice: str = ""
    response: str | None = None


class AffectedEnd(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the lines end. Without one they broke off.

    ``problem`` says why they end too early; ask again for what comes ``after`` the last line. Requests that began after
    ``complete_until`` (Unix seconds) may not have been reported yet; ``silent`` data planes may hold older ones. ``lost`` requests
    were never reported because a data plane crashed or its queue was full; whose they were is not known.
    """

    count: int
    complete_until: float | None = None
    silent: tuple[str, ...] = ()
    lost: int = 0
    problem: str = ""


class AffectedEndLine(msgspec.Struct, frozen=True, kw_only=True):
    """The last line. The others are `AffectedAnswer`."""

    end: AffectedEnd
