"""How is a provider's reply put before the caller? What every kind of answer shares: its envelope and its ends."""

from typing import Final, NamedTuple, Protocol

from changeover.exchange.journey import Journey
from changeover.exchange.observation import Outcome
from changeover.gateway.call import Call
from changeover.gateway.caller import Caller
from changeover.gateway.headers import add_relayed, nominations
from changeover.gateway.paths import Endpoint
from changeover.gateway.plans import Plan
from changeover.gateway.refusal import request_id_line, status_line
from changeover.gateway.upstream import Upstream
from changeover.wire.failure import Failure
from changeover.wire.reply_facts import ReplyFacts
from changeover.wire.request import ModelRequest
from changeover.wire.surface import Ask

LAST_CHUNK: Final = b"0\r\n\r\n"
NO_RETRY: Final = b"x-should-retry: false\r\n"
"""Told to SDKs once we have repeated the request ourselves: else every attempt of ours is made three times."""
_SHOULD_RETRY: Final = b"x-should-retry"
_CHUNKED: Final = b"transfer-encoding: chunked\r\n"
_CLOSE: Final = b"connection: close\r\n"
_IDENTITY: Final = b"identity"


class Ending:
    """The answer is whole. ``error`` is a short code where the outcome is no good one."""

    __slots__ = ("error", "facts", "outcome")

    def __init__(self, outcome: Outcome, error: str | None, facts: ReplyFacts) -> None:
        self.outcome = outcome
        self.error = error
        self.facts = facts


class Broken(NamedTuple):
    """The answer will not become whole; ``message`` continues "deployment X ..."."""

    code: str
    message: str


class Refused(NamedTuple):
    """The deployment answered with a failure, and none of it has been sent: another may be asked, or ``deliver`` sends it."""

    failure: Failure
    code: str | None


class Errand:
    """One request on its way, whoever serves it; it does not change.

    ``first_class``: what is answered is read. ``repeatable``: another deployment may be asked although it cannot be known
    whether the first one acted.
    """

    __slots__ = ("ask", "call", "caller", "first_class", "journey", "plan", "repeatable", "request")

    def __init__(  # noqa: PLR0913 - the parts of one record
        self, caller: Caller, call: Call, ask: Ask, request: ModelRequest, *, journey: Journey, plan: Plan, endpoint: Endpoint
    ) -> None:
        self.caller = caller
        self.journey = journey
        self.call = call
        self.ask = ask
        self.request = request
        self.plan = plan
        self.first_class = endpoint.first_class
        self.repeatable = endpoint.repeatable

    @property
    def ids(self) -> bytes:
        """The header line that names the request."""
        return request_id_line(self.journey.request_id)

    @property
    def keep(self) -> bool:
        """Whether the caller's connection outlives the answer."""
        return self.call.keep_alive

    @property
    def chunks(self) -> bool:
        """Whether the caller understands chunked bodies."""
        return self.call.version == "1.1"

    def unix(self, at: float) -> float:
        """The monotonic moment ``at`` in Unix time."""
        return self.journey.started_at + (at - self.journey.began)

    def unknown_length(self) -> bytes:
        """The framing of a body whose length is not known. Without chunks it ends with the connection."""
        return _CHUNKED if self.chunks else b""


class Envelope(NamedTuple):
    """What goes around one deployment's answer. ``tags`` are whole header lines. ``held``: another deployment could still be
    asked, so that what is no content yet waits.
    """

    errand: Errand
    upstream: Upstream
    tags: bytes
    held: bool

    def head(self, framing: bytes, extra: bytes = b"") -> bytes:
        """The head of the answer, with the provider's own headers."""
        return answer_head(self.errand, self.upstream, self.tags, framing, extra)


def answer_head(errand: Errand, upstream: Upstream, tags: bytes, framing: bytes, extra: bytes = b"", *, body: bytes = b"") -> bytes:
    """The head of an answer with the provider's own headers, and ``body`` behind it. ``tags``, ``framing`` and ``extra`` are
    whole header lines.
    """
    headers = upstream.headers
    if extra:
        headers = [header for header in headers if header[0].lower() != _SHOULD_RETRY]
    lines = [status_line(upstream.status)]
    add_relayed(lines, headers, nominations(upstream.headers, upstream.names))
    close = b"" if errand.call.keep_alive else _CLOSE
    lines += (errand.ids, tags, extra, framing, close, b"\r\n", body)
    return b"".join(lines)


class Answer(Protocol):
    """One reply on its way to the caller."""

    def receive(self, data: bytes, *, ended: bool, at: float) -> Ending | Broken | Refused | None:
        """The next of the reply's body, until ``ended``."""
        ...

    def deliver(self, refused: Refused, *, at: float, extra: bytes) -> Ending | None:
        """Send what was ``Refused`` after all, with ``extra`` header lines; ``None`` while more of it is to come."""
        ...

    def end_early(self) -> Ending | None:
        """No more will come. The ending, if what came says of itself that it is all: a stream's last event is its end, however
        its connection then goes.
        """
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
    """Whether the body is compressed, against our wish."""
    coding = upstream.names.get(b"content-encoding")
    return coding is not None and coding.lower() != _IDENTITY


def chunk(data: bytes) -> bytes:
    """``data``, not empty, as one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)
