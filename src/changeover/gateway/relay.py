"""How does one request fare? Sent, answered, too late, broken or left: followed to its end, which comes exactly once."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from changeover.exchange.observation import Observation, Outcome
from changeover.gateway.answer import Answer, Broken, Ending, Errand, is_encoded
from changeover.gateway.limits import Limits
from changeover.gateway.refusal import Refusal, own_answer
from changeover.gateway.stream import StreamAnswer
from changeover.gateway.upstream import Upstream
from changeover.gateway.whole import WholeAnswer
from changeover.wire.reply import NO_FACTS

_OK: Final = 200
_BAD_GATEWAY: Final = 502
_GATEWAY_TIMEOUT: Final = 504
_EVENT_STREAM: Final = b"text/event-stream"


class Relay:
    """One request between its caller and a deployment.

    ``settle`` takes the observation; it is called once, whatever happens.
    """

    __slots__ = (
        "_answer", "_began", "_errand", "_heard_at", "_journey", "_limits", "_paused_at",
        "_sent_at", "_settle", "_upstream", "request",
    )  # fmt: skip

    def __init__(self, errand: Errand, *, limits: Limits, settle: Callable[["Relay", Observation], None]) -> None:
        self._errand = errand
        self._journey = errand.journey
        self._limits = limits
        self._settle = settle
        self.request = errand.request
        self._upstream: Upstream | None = None
        self._answer: Answer | None = None
        self._began = errand.journey.began
        self._sent_at = self._heard_at = self._paused_at = 0.0

    @property
    def wanted(self) -> bool:
        return not self._journey.finished

    # Sending

    def start(self) -> None:
        """Send the request, on an idle connection or a fresh one."""
        self._errand.caller.attach(self)
        upstream = self._errand.pool.take()
        if upstream is None:
            self._errand.pool.dial(self)
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
        self._errand.pool.dial(self)

    def unreachable(self, code: str, message: str, *, timed_out: bool) -> None:
        if self.wanted:
            self._fail(_GATEWAY_TIMEOUT if timed_out else _BAD_GATEWAY, Broken(code, message))

    # The reply

    def replied(self, upstream: Upstream, data: bytes, *, ended: bool) -> None:
        at = self._heard_at = monotonic()
        answer = self._answer
        if answer is None:
            answer = self._answer = self._answer_for(upstream)
        result = answer.receive(data, ended=ended, at=at)
        if result is None:
            return
        if isinstance(result, Broken):
            self._fail(_BAD_GATEWAY, result)
        else:
            self._succeed(upstream, result)

    def broken(self, code: str, message: str) -> None:
        self._upstream = None
        if self.wanted:
            self._fail(_BAD_GATEWAY, Broken(code, message))

    def _answer_for(self, upstream: Upstream) -> Answer:
        errand = self._errand
        if errand.caller.write_paused:
            self.pause()
        kind = upstream.names.get(b"content-type", b"").lower()
        if kind.startswith(_EVENT_STREAM) and upstream.status == _OK and not is_encoded(upstream):
            return StreamAnswer(errand, upstream)
        return WholeAnswer(errand, upstream)

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
            patience_s = limits.first_byte_stream_s if self._errand.streamed else limits.first_byte_whole_s
            if now - self._sent_at > patience_s:
                return Broken("first_byte_timeout", f"did not begin to answer within {patience_s:g} s")
        elif now - self._heard_at > limits.chunk_idle_s:
            return Broken("idle_timeout", f"was silent for {limits.chunk_idle_s:g} s in the middle of its answer")
        return None

    # Ends

    def _succeed(self, upstream: Upstream, ending: Ending) -> None:
        self._upstream = None
        upstream.release()
        served = None if ending.outcome is Outcome.FAILED else self._errand.pool.target.name
        observation = self._journey.finish(
            monotonic(), ending.outcome, status=upstream.status, error=ending.error, served=served, facts=ending.facts
        )
        self._done(observation, keep=self._errand.keep)

    def _fail(self, status: int, broken: Broken) -> None:
        """Tell the caller in whatever way is left, and end."""
        answer = self._answer
        self._drop_upstream()
        message = f"Deployment {self._errand.pool.target.name}: {broken.message}. Send the request again."
        if answer is None or answer.cut(broken.code, message):
            refusal = Refusal(status, broken.code, message)
            errand = self._errand
            errand.caller.write(own_answer(status, refusal.body, headers=errand.tags, keep=errand.keep, head_only=False))
        else:
            status = answer.status or status
        self._finish(Outcome.FAILED, status=status, error=broken.code, answer=answer)

    def _drop_upstream(self) -> None:
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            upstream.abort()

    def _finish(self, outcome: Outcome, *, status: int | None, error: str, answer: Answer | None) -> None:
        facts = NO_FACTS if answer is None else answer.facts
        served = self._errand.pool.target.name if outcome is Outcome.LEFT else None
        observation = self._journey.finish(monotonic(), outcome, status=status, error=error, served=served, facts=facts)
        self._done(observation, keep=self._errand.keep)

    def _done(self, observation: Observation | None, *, keep: bool) -> None:
        if observation is not None:
            self._settle(self, observation)
            self._errand.caller.finish(keep=keep)
