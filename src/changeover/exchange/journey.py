"""One request from its first byte to its one observation. Mutable inside that request; reads no clock, does no work."""

from typing import Final

from changeover.exchange.issuer import hash_response
from changeover.exchange.observation import Observation, Outcome, Spent
from changeover.exchange.paid import paid
from changeover.traffic.assignment import Assignment, assign_at, draw, draw_again, hash_unit
from changeover.traffic.table import Route
from changeover.wire.reply_facts import NO_FACTS, ReplyFacts

_MS_PER_S: Final = 1000.0
_OK: Final = range(200, 300)
_BAD_REQUEST: Final = 400
_CALLERS_MISTAKES: Final = range(400, 500)
_NO_ANSWER: Final = frozenset({408, 429})


def outcome_of(status: int, facts: ReplyFacts | None) -> Outcome:
    """What a complete answer of ``status`` is. A filtered prompt (400) is an answer; 408 and 429 are none, and neither is
    an error inside a 200.
    """
    if status in _OK:
        failed = facts is not None and facts.error is not None and not facts.filtered
        return Outcome.FAILED if failed else Outcome.ANSWERED
    if status == _BAD_REQUEST and facts is not None and facts.filtered:
        return Outcome.ANSWERED
    if status in _CALLERS_MISTAKES and status not in _NO_ANSWER:
        return Outcome.REJECTED
    return Outcome.FAILED


class Journey:
    """What is known of one request so far.

    ``started_at`` is Unix time in seconds; every ``at`` is seconds of one monotonic clock. ``revision`` is that of the
    table the request is served from. ``surface`` (the API that was asked), ``streamed`` (the answer is an event stream),
    ``attempts`` (requests sent to providers for it), ``member`` (of a pool that is assigned, who was asked last) and
    ``served_deployment`` (as the provider named it last) are set by whoever sends, ``slice_label`` by whoever routes.
    """

    __slots__ = (
        "_assignment", "_finished", "_first_byte_ms", "_first_token_ms", "_forced", "_hashed", "_retry", "_route", "_spent", "_sticky",
        "_task", "_unit",
        "attempts", "began", "member", "request_id", "revision", "served_deployment", "slice_label", "started_at", "streamed",
        "surface",
    )  # fmt: skip

    def __init__(self, request_id: str, *, started_at: float, at: float, revision: int) -> None:
        self.request_id = request_id
        self.started_at = started_at
        self.began = at
        self.revision = revision
        self.surface = self.slice_label = ""
        self.streamed = False
        self.attempts = 0
        self.member: str | None = None
        self.served_deployment: str | None = None
        self._task: str | None = None
        self._route: Route | None = None
        self._assignment: Assignment | None = None
        self._unit = self._hashed = ""
        self._sticky = self._forced = self._retry = False
        self._first_byte_ms: float | None = None
        self._first_token_ms: float | None = None
        self._spent: tuple[Spent, ...] = ()
        self._finished = False

    @property
    def assignment(self) -> Assignment | None:
        """The side drawn for this request, ``None`` before ``route``."""
        return self._assignment

    @property
    def task(self) -> str | None:
        """The task it belongs to, ``None`` before ``route``."""
        return self._task

    @property
    def finished(self) -> bool:
        """Whether the observation has been given out."""
        return self._finished

    @property
    def unit(self) -> str:
        """What the side was drawn for, as it is: not to be stored."""
        return self._unit

    def route(self, task: str, route: Route, unit: str | None, *, first_try: str | None = None) -> Assignment:
        """Draw the side for ``unit``; without one the request itself is the unit, or what it repeats: ``first_try``."""
        self._task, self._route = task, route
        self._sticky = unit is not None
        self._retry = unit is None and first_try is not None
        self._unit = unit or first_try or self.request_id
        drawn = draw_again(route.salt, self._unit) if self._sticky else draw(route.salt, self._unit)
        self._hashed = drawn.hashed
        self._assignment = assignment = assign_at(route, drawn.position_permille)
        return assignment

    def force(self, task: str, route: Route, assignment: Assignment) -> None:
        """Serve it as ``assignment`` says: it continues what one deployment began, and is never evidence."""
        self._task, self._route, self._forced = task, route, True
        self._unit = self.request_id
        self._hashed = hash_unit(route.salt, self._unit)
        self._assignment = assignment

    def first_byte(self, at: float) -> None:
        """The first byte of the answer's body went to the caller. Only the first call counts."""
        if self._first_byte_ms is None:
            self._first_byte_ms = (at - self.began) * _MS_PER_S

    def first_token(self, at: float) -> None:
        """The first content went to the caller. Only the first call counts."""
        if self._first_token_ms is None:
            self._first_token_ms = (at - self.began) * _MS_PER_S

    def spend(self, deployment: str, facts: ReplyFacts) -> None:
        """An attempt at ``deployment`` brought no answer. What it used all the same, as far as it said, is paid for too."""
        used = facts.tokens
        if used is not None:
            self._spent += (Spent(deployment=deployment, tokens=used),)

    def refuse(self, at: float, *, status: int, error: str) -> Observation | None:
        """We refused the request before anything was sent to a deployment. See ``finish``."""
        return self.finish(at, Outcome.REFUSED, status=status, error=error)

    def finish(
        self,
        at: float,
        outcome: Outcome,
        *,
        status: int | None = None,
        error: str | None = None,
        served: str | None = None,
        facts: ReplyFacts | None = None,
    ) -> Observation | None:
        """The request's observation, the first time; ``None`` ever after, so that it is recorded once.

        ``status`` is what the caller got, ``error`` a short code, ``served`` the deployment that answered.
        """
        if self._finished:
            return None
        self._finished = True
        known = facts or NO_FACTS
        assignment, route = self._assignment, self._route
        tokens, spent = known.tokens, self._spent
        if spent:
            tokens, spent = paid(served, tokens, spent)
        return Observation(
            request_id=self.request_id,
            started_at=self.started_at,
            outcome=outcome,
            revision=self.revision,
            latency_ms=(at - self.began) * _MS_PER_S,
            task=self._task,
            attempt=0 if route is None else route.attempt,
            unit=self._hashed,
            sticky=self._sticky,
            retry=self._retry,
            forced=self._forced,
            side=None if assignment is None else assignment.side,
            candidate_probability=0.0 if assignment is None else assignment.candidate_probability,
            assigned=self.member or (None if assignment is None else assignment.deployment),
            served=served,
            served_model=known.model,
            fingerprint=known.fingerprint,
            status=status,
            error=error or known.error,
            first_byte_ms=self._first_byte_ms,
            first_token_ms=self._first_token_ms,
            streamed=self.streamed,
            finish_reason=known.finish_reason,
            filtered=known.filtered,
            tokens=tokens,
            spent=spent,
            attempts=self.attempts,
            surface=self.surface,
            filters=known.filters,
            served_deployment=None if served is None else self.served_deployment,
            slice=self.slice_label,
            response=None if known.response_id is None or served is None else hash_response(known.response_id),
        )
