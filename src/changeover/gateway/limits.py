"""How much, how long, how many: every bound of the request path, by name."""

from dataclasses import dataclass
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one gateway. Durations are checked by one sweeper, so they end up to ``sweep_s`` late."""

    head_bytes_max: int = 64 * KIB
    """Request line and headers, of a request or a reply."""
    url_bytes_max: int = 8 * KIB
    header_count_max: int = 128
    body_bytes_max: int = 32 * MIB
    framing_bytes_max: int = MIB
    """What a chunked body may add to its content: chunk sizes, extensions, trailers."""
    callers_max: int = 10_000
    """Open connections of callers."""

    head_s: float = 10.0
    """From the first byte of a request to the end of its head."""
    body_s: float = 120.0
    """From the end of the head to the end of the body."""
    idle_s: float = 75.0
    """A caller's connection without a request."""
    linger_s: float = 1.0
    """How long a refused caller may go on sending, so that it can read its refusal."""

    token_s: float = 10.0
    """How long a request may wait for the first token of an account, after a start; then it is served by who can serve."""
    connect_s: float = 5.0
    first_byte_stream_s: float = 60.0
    """From sending a streaming request to the first byte of the reply: providers send a stream's head early."""
    first_byte_whole_s: float = 300.0
    """The same without streaming: the first byte comes when the whole completion is ready, minutes for a reasoning model."""
    first_content_s: float = 300.0
    """From sending to the first byte that is of use to the caller: a deployment that only drips is not waited for longer."""
    chunk_idle_s: float = 60.0
    """Silence in the middle of a reply."""
    total_s: float = 600.0
    """A whole reply. The SDKs' own default patience."""
    stall_s: float = 60.0
    """A caller that does not read its answer."""

    pool_idle_max: int = 256
    """Idle connections kept per deployment."""
    pool_idle_s: float = 30.0
    connection_age_s: float = 300.0
    """A busy connection is replaced after this, so that a provider's new address is found."""
    sweep_s: float = 1.0
