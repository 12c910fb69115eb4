"""How does one request fare? Sent, answered, sent elsewhere, too late, broken or left: followed to its end, which comes once."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

from changeover.exchange.failover import Failed, fails_over, is_free, pause_s
from changeover.exchange.observation import Observation, Outcome
from changeover.gateway.answer import NO_RETRY, Answer, Broken, Ending, Envelope, Errand, Refused, is_encoded
from changeover.gateway.at_once import answer_at_once
from changeover.gateway.health import Health
from changeover.gateway.limits import Limits
from changeover.gateway.outgoing import request_bytes
from changeover.gateway.passing import PassingAnswer
from changeover.gateway.plans import Post
from changeover.gateway.refusal import Refusal, own_answer
from changeover.gateway.stream import StreamAnswer
from changeover.gateway.upstream import Upstream
from changeover.gateway.whole import WholeAnswer
from changeover.wire.failure import FailureKind
from changeover.wire.reply_facts import NO_FACTS

BREAKER_OPEN: Final = "breaker_open"
"""The error of a deployment that was not asked, because lately it did not answer."""

_OK: Final = 200
_BAD_GATEWAY: Final = 502
_GATEWAY_TIMEOUT: Final = 504
_ANSWERED: Final = Outcome.ANSWERED
_FAILED: Final = Outcome.FAILED
_DEPLOYMENT_NAME: Final = b"x-ms-deployment-name"
_EVENT_STREAM: Final = b"text/event-stream"
_SHOULD_RETRY: Final = b"x-should-retry"


class Relay:
    """One request between its caller and the deployments that are asked, one after the other.

    ``settle`` takes the observation; it is called once, whatever happens.
    """

    __slots__ = (
        "_answer",
        "_began",
        "_errand",
        "_error",
        "_health",
        "_heard_at",
        "_journey",
        "_limits",
        "_name",
        "_paused_at",
        "_post",
        "_sent_at",
        "_settle",
        "_timer",
        "_tried",
        "_upstream",
        "_waited",
        "head_only",
        "request",
    )  # fmt: skip

    def __init__(self, errand: Errand, *, health: Health, limits: Limits, settle: Callable[["Relay", Observation], None]) -> None:
        self._errand = errand
        self._health = health
        self._journey = errand.journey
        self._limits = limits
        self._settle = settle
        self.request = b""
        self.head_only = errand.call.method == b"HEAD"
        self._name = ""
        self._post: Post
        self._upstream: Upstream | None = None
        self._answer: Answer | None = None
        self._tried: tuple[str, ...] = ()
        self._error: str | None = None
        self._waited = False
        self._timer: asyncio.TimerHandle | None = None
        self._began = errand.journey.began
        self._sent_at = self._heard_at = self._paused_at = 0.0

    @property
    def wanted(self) -> bool:
        return not self._journey.finished

    @property
    def errand(self) -> Errand:
        return self._errand

    # Sending

    def start(self) -> None:
        """Send the request to whom it goes first. There is somebody: a plan without is refused before."""
        errand = self._errand
        errand.caller.attach(self)
        plan = errand.plan
        name = self._health.choose(plan, (), self._began)
        assert name is not None
        if plan.fault is not None or (name is not plan.alone and name not in plan.assigned):
            self._error = BREAKER_OPEN if plan.fault is None else plan.fault[0]
        self._go(name)

    def _go(self, name: str) -> None:
        """Make an attempt at ``name``, on an idle connection or a fresh one."""
        errand = self._errand
        post = self._post = errand.plan.posts[name]
        self._name = name
        self._upstream = self._answer = None
        self._sent_at = self._heard_at = 0.0
        if errand.plan.pooled and name in errand.plan.assigned:
            self._journey.member = name
        if self._health.breakers:
            self._health.began(name, monotonic())
        self.request = request_bytes(errand.call, errand.ask, errand.request, post.target)
        upstream = post.pool.take()
        if upstream is None:
            post.pool.dial(self)
        else:
            self.connected(upstream)

    def connected(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._journey.attempts += 1
        self._sent_at = monotonic()
        upstream.send(self)

    def stale(self) -> None:
        """The provider had closed the idle connection: once more, on a fresh one, which cannot be stale.

        No byte had come. The request may have been carried out all the same; ``attempts`` counts it.
        """
        self._upstream = None
        self._post.pool.dial(self)

    def unreachable(self, code: str, message: str, *, timed_out: bool) -> None:
        if self.wanted:
            self._fail(_GATEWAY_TIMEOUT if timed_out else _BAD_GATEWAY, Broken(code, message))

    # The reply

    def replied(self, upstream: Upstream, data: bytes, *, ended: bool) -> None:
        at = self._heard_at = monotonic()
        answer = self._answer
        if answer is None:
            if ended and upstream.status == _OK and self._errand.first_class and not self.head_only:
                facts = answer_at_once(self._errand, upstream, self._post.tags, data, at=at)
                if facts is not None:
                    self._note_head(upstream, at)
                    self._succeed(upstream, Ending(_ANSWERED, None, facts))
                    return
            answer = self._answer = self._answer_for(upstream, at)
        result = answer.receive(data, ended=ended, at=at)
        if result is None:
            return
        if isinstance(result, Ending):
            self._succeed(upstream, result)
        elif isinstance(result, Broken):
            self._fail(_BAD_GATEWAY, result)
        else:
            self._refused(upstream, answer, result, ended=ended, at=at)

    def broken(self, code: str, message: str) -> None:
        if self.wanted:
            self._fail(_BAD_GATEWAY, Broken(code, message))

    def _answer_for(self, upstream: Upstream, at: float) -> Answer:
        errand = self._errand
        plan = errand.plan
        if errand.caller.write_paused:
            self.pause()
        self._note_head(upstream, at)
        held = errand.repeatable and len(plan.posts) > len(self._tried) + 1
        envelope = Envelope(errand, upstream, self._post.tags, held)
        if is_encoded(upstream):
            return PassingAnswer(envelope)
        kind = upstream.names.get(b"content-type", b"").lower()
        if kind.startswith(_EVENT_STREAM) and upstream.status == _OK:
            return StreamAnswer(envelope)
        return WholeAnswer(envelope) if errand.first_class else PassingAnswer(envelope)

    def _note_head(self, upstream: Upstream, at: float) -> None:
        """What the reply's headers say of the deployment, beside the answer."""
        if self._errand.plan.pooled:
            self._health.heard(self._name, upstream.names, at)
        answered_by = upstream.names.get(_DEPLOYMENT_NAME)
        self._journey.served_deployment = None if answered_by is None else answered_by.decode("latin-1")

    def _refused(self, upstream: Upstream, answer: Answer, refused: Refused, *, ended: bool, at: float) -> None:
        """The deployment answered with a failure: ask another, or hand it on."""
        failure = refused.failure
        forbidden = upstream.names.get(_SHOULD_RETRY) == b"false"
        failed = Failed(self._name, failure.kind, failure.retry_after_s, forbidden)
        if fails_over(failure.kind, of_candidate=self._post.of_candidate):
            self._note(failed, at)
            if self._again(failed, refused.code, at, upstream=upstream, ended=ended):
                return
        ending = answer.deliver(refused, at=at, extra=NO_RETRY if self._has_repeated else b"")
        if ending is not None:
            self._finish_answered(upstream, ending)

    # Once more

    @property
    def _has_repeated(self) -> bool:
        return bool(self._tried) or self._waited

    def _note(self, failed: Failed, at: float) -> None:
        self._health.failed(failed, at, sent_at=self._sent_at or at)

    def _again(self, failed: Failed, code: str | None, at: float, *, upstream: Upstream | None, ended: bool) -> bool:
        """Whether another attempt is on its way. Nothing has been sent to the caller."""
        errand = self._errand
        if not errand.repeatable or at - self._began > self._limits.total_s:
            return False
        tried = (*self._tried, self._name)
        name = self._health.choose(errand.plan, tried, at)
        wait_s = pause_s(failed, paused_before=self._waited) if name is None else None
        if name is None and wait_s is None:
            return False
        if not is_free(failed.kind) and not errand.plan.budget.spend(at):
            return False
        self._leave(upstream, ended=ended)
        self._error = self._error or code or failed.kind.value
        if name is None:
            self._waited = True
            self._timer = asyncio.get_running_loop().call_later(wait_s or 0.0, self._go, self._name)
        else:
            self._tried = tried
            self._go(name)
        return True

    def _leave(self, upstream: Upstream | None, *, ended: bool) -> None:
        """Be done with an attempt: a whole reply leaves a connection that can be used again."""
        if self._answer is not None:
            self._journey.spend(self._name, self._answer.facts)
        self._upstream = self._answer = None
        if upstream is not None and ended:
            upstream.release()
        elif upstream is not None:
            upstream.abort()

    # The caller

    def pause(self) -> None:
        self._paused_at = monotonic()
        if self._upstream is not None:
            self._upstream.pause()

    def resume(self) -> None:
        self._paused_at = 0.0
        self._heard_at = monotonic()
        if self._upstream is not None:
            self._upstream.resume()

    def caller_gone(self) -> None:
        answer = self._answer
        self._drop_upstream()
        self._health.unknown(self._name)
        if answer is not None and answer.content_started:
            self._finish(Outcome.LEFT, status=answer.status, error="caller_left", answer=answer)
        else:
            self._finish(Outcome.ABANDONED, status=None, error="caller_left", answer=answer)

    # Time

    def check(self, now: float) -> None:
        """The sweeper's visit: has anything lasted too long?"""
        late = self._late(now)
        if late is not None:
            self._fail(_GATEWAY_TIMEOUT, late)
        elif self._paused_at and now - self._paused_at > self._limits.stall_s:
            self._errand.caller.abort()

    def _late(self, now: float) -> Broken | None:
        limits = self._limits
        if now - self._began > limits.total_s:
            return Broken("total_timeout", f"did not complete its answer within {limits.total_s:g} s")
        if self._upstream is None or self._paused_at:
            return None  # an attempt to connect has its own deadline; a slow caller is no fault of the deployment
        if not self._heard_at:
            patience_s = limits.first_byte_stream_s if self._errand.request.stream else limits.first_byte_whole_s
            if now - self._sent_at > patience_s:
                return Broken("first_byte_timeout", f"did not begin to answer within {patience_s:g} s")
        elif now - self._heard_at > limits.chunk_idle_s:
            return Broken("idle_timeout", f"was silent for {limits.chunk_idle_s:g} s in the middle of its answer")
        elif now - self._sent_at > limits.first_content_s and (self._answer is None or self._answer.status is None):
            return Broken("first_content_timeout", f"sent nothing of use within {limits.first_content_s:g} s")
        return None

    # Ends

    def _succeed(self, upstream: Upstream, ending: Ending) -> None:
        if ending.outcome is _FAILED:
            self._note(Failed(self._name, FailureKind.PROVIDER_FAULT), monotonic())
        elif self._health.breakers:
            self._health.answered(self._name, sent_at=self._sent_at)
        self._finish_answered(upstream, ending)

    def _finish_answered(self, upstream: Upstream, ending: Ending) -> None:
        self._upstream = None
        upstream.release()
        journey, name = self._journey, self._name
        served = None if ending.outcome is _FAILED else name
        error = ending.error
        if error is None and self._error is not None and name not in self._errand.plan.assigned:
            error = self._error
        if ending.facts.response_id is not None and journey.task is not None:
            self._health.issued(ending.facts.response_id, journey.task, name)
        if served is None:
            journey.spend(name, ending.facts)
        observation = journey.finish(monotonic(), ending.outcome, status=upstream.status, error=error, served=served, facts=ending.facts)
        self._done(observation, keep=self._errand.keep)

    def _fail(self, status: int, broken: Broken) -> None:
        """Ask another, or tell the caller in whatever way is left, and end."""
        answer, at = self._answer, monotonic()
        upstream, self._upstream = self._upstream, None
        ending = None if answer is None or upstream is None else answer.end_early()
        if ending is not None and upstream is not None:
            self._succeed(upstream, ending)
            return
        failed = Failed(self._name, FailureKind.PROVIDER_FAULT)
        self._note(failed, at)
        unsent = answer is None or answer.status is None
        if unsent and broken.code != "total_timeout" and self._again(failed, broken.code, at, upstream=upstream, ended=False):
            return
        self._stop_waiting()
        if upstream is not None:
            upstream.abort()
        message = f"Deployment {self._name}: {broken.message}. Send the request again."
        if answer is None or answer.cut(broken.code, message):
            refusal = Refusal(status, broken.code, message)
            errand = self._errand
            headers = errand.ids + self._post.tags + (NO_RETRY if self._has_repeated else b"")
            body = refusal.body(errand.call.dialect)
            errand.caller.write(own_answer(status, body, headers=headers, keep=errand.keep, head_only=self.head_only))
        else:
            status = answer.status or status
        self._finish(_FAILED, status=status, error=broken.code, answer=answer)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _drop_upstream(self) -> None:
        self._stop_waiting()
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            upstream.abort()

    def _finish(self, outcome: Outcome, *, status: int | None, error: str, answer: Answer | None) -> None:
        facts = NO_FACTS if answer is None else answer.facts
        served = self._name if outcome is Outcome.LEFT else None
        journey = self._journey
        if served is None:
            journey.spend(self._name, facts)
        elif facts.response_id is not None and journey.task is not None:
            self._health.issued(facts.response_id, journey.task, served)
        observation = journey.finish(monotonic(), outcome, status=status, error=error, served=served, facts=facts)
        self._done(observation, keep=self._errand.keep)

    def _done(self, observation: Observation | None, *, keep: bool) -> None:
        if observation is not None:
            self._settle(self, observation)
            self._errand.caller.finish(keep=keep)
