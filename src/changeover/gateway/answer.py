"""How is a provider's reply put before the caller? What every kind of answer shares: its envelope and its ends."""

from typing import Final, NamedTuple, Protocol

from changeover.exchange.journey import Journey
from changeover.exchange.observation import Outcome
from changeover.gateway.caller import Caller
from changeover.gateway.headers import relayed
from changeover.gateway.pool import Pool
from changeover.gateway.refusal import status_line
from changeover.gateway.upstream import Upstream
from changeover.wire.reply import ReplyFacts

LAST_CHUNK: Final = b"0\r\n\r\n"
_CHUNKED: Final = b"transfer-encoding: chunked\r\n"
_CLOSE: Final = b"connection: close\r\n"
_IDENTITY: Final = b"identity"


class Ending(NamedTuple):
    """The answer is whole. ``error`` is a short code where the outcome is no good one."""

    outcome: Outcome
    error: str | None
    facts: ReplyFacts


class Broken(NamedTuple):
    """The answer will not become whole; ``message`` continues "deployment X ..."."""

    code: str
    message: str


class Errand(NamedTuple):
    """One request to be relayed: what is sent where, and how its answer is put before whom.

    ``tags`` are whole header lines. ``keep``: the caller's connection outlives the answer. ``chunks``: the caller
    understands chunked bodies. ``streamed``: a stream was asked for; ``hide_usage``: its usage was asked for by us alone.
    """

    caller: Caller
    journey: Journey
    tags: bytes
    keep: bool
    chunks: bool
    pool: Pool
    request: bytes
    streamed: bool
    hide_usage: bool

    def head(self, upstream: Upstream, framing: bytes) -> bytes:
        """The head of the answer, with the provider's own headers."""
        connection = upstream.names.get(b"connection")
        close = b"" if self.keep else _CLOSE
        return b"".join((status_line(upstream.status), relayed(upstream.headers, connection), self.tags, framing, close, b"\r\n"))

    def unknown_length(self) -> bytes:
        """The framing of a body whose length is not known. Without chunks it ends with the connection."""
        return _CHUNKED if self.chunks else b""


class Answer(Protocol):
    """One reply on its way to the caller."""

    def receive(self, data: bytes, *, ended: bool, at: float) -> Ending | Broken | None:
        """The next of the reply's body, until ``ended``."""
        ...

    def cut(self, code: str, message: str) -> bool:
        """No more will come. Returns whether the caller can still be told by an ordinary answer: nothing was sent yet."""
        ...

    @property
    def status(self) -> int | None:
        """The status that the caller has got, ``None`` when it has got nothing."""
        ...

    @property
    def content_started(self) -> bool:
        """Whether content has begun to flow to the caller."""
        ...

    @property
    def facts(self) -> ReplyFacts:
        """What the reply has said of itself so far."""
        ...


def is_encoded(upstream: Upstream) -> bool:
    """Whether the body is compressed, against our wish: it is relayed, but cannot be read."""
    coding = upstream.names.get(b"content-encoding")
    return coding is not None and coding.lower() != _IDENTITY


def chunk(data: bytes) -> bytes:
    """``data``, not empty, as one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)
