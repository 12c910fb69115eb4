"""What becomes of a whole request? Its endpoint, its task, its side, the deployment: then it is on its way."""

from collections.abc import Callable
from time import monotonic
from typing import Final, Protocol

from changeover.exchange.journey import Journey
from changeover.exchange.observation import Observation, Outcome
from changeover.exchange.unit import find_unit
from changeover.gateway.answer import Errand
from changeover.gateway.call import Call
from changeover.gateway.caller import Caller
from changeover.gateway.headers import sent_on
from changeover.gateway.limits import Limits
from changeover.gateway.paths import Endpoint, Kind
from changeover.gateway.pool import Pool
from changeover.gateway.refusal import Refusal, own_answer, refusal_of, request_id_line
from changeover.gateway.relay import Relay
from changeover.gateway.targets import PreparedTable, Target
from changeover.ports.clock import Clock
from changeover.ports.dice import Dice
from changeover.traffic.table import Side
from changeover.wire.chat import ChatRequest, WireError, read_chat_request, rewrite_chat_request
from changeover.wire.listing import models_body

NO_TABLE: Final = Refusal(
    503, "no_routing_table", "No routing table has arrived yet; try again in a moment.", headers=b"retry-after: 1\r\n"
)
"""What a gateway says that has just been started, until the control plane or its own disk has given it a table."""

_OK: Final = 200
_BAD_GATEWAY: Final = 502
_LISTED_MAX: Final = 10
_ALIVE: Final = b'{"status":"ok"}'


class Recorder(Protocol):
    """Where observations go. Every verb is synchronous, constant in time, and raises nothing."""

    def begin(self, request_id: str, started_at: float) -> None: ...

    def assigned(self, request_id: str, side: Side) -> None: ...

    def record(self, observation: Observation) -> None: ...


class Dispatch:
    """Serves requests from one table at a time. ``draining``: answer what comes, then close."""

    def __init__(self, *, recorder: Recorder, clock: Clock, dice: Dice, limits: Limits) -> None:
        self.limits = limits
        self.draining = False
        self.callers: set[Caller] = set()
        self.relays: set[Relay] = set()
        self.pools: dict[str, Pool] = {}
        self.prepared: PreparedTable | None = None
        self.on_empty: Callable[[], None] | None = None
        """Called when the last caller has gone."""
        self._recorder = recorder
        self._clock = clock
        self._dice = dice

    def serve(self, caller: Caller, call: Call, /) -> None:
        """Answer ``call``; ends in ``caller.finish``, at once or when the deployment has answered."""
        if self.draining:
            call.keep_alive = False
        if call.refusal is not None:
            self._refuse_unrouted(caller, call, call.refusal)
            return
        endpoint = call.endpoint
        assert endpoint is not None
        match endpoint.kind:
            case Kind.CHAT:
                self._chat(caller, call, endpoint)
            case Kind.MODELS:
                self._models(caller, call)
            case Kind.HEALTH:
                self._answer(caller, call, _OK, _ALIVE)
            case Kind.READY:
                self._ready(caller, call)

    def left(self, caller: Caller, call: Call | None, /) -> None:
        """A caller is gone. Of a ``call`` that was not whole no side had been drawn, nothing had been sent."""
        self.callers.discard(caller)
        if call is not None:
            self._recorder.record(_certain(self._begin().finish(monotonic(), Outcome.ABANDONED, error="caller_left")))
        if not self.callers and self.on_empty is not None:
            self.on_empty()

    # What is answered here

    def _models(self, caller: Caller, call: Call) -> None:
        if self.prepared is None:
            self._say(caller, call, NO_TABLE)
        else:
            self._answer(caller, call, _OK, models_body(sorted(self.prepared.table.routes), int(self._clock.now())))

    def _ready(self, caller: Caller, call: Call) -> None:
        if self.prepared is None:
            self._say(caller, call, NO_TABLE)
        else:
            self._answer(caller, call, _OK, b'{"status":"ready","revision":%d}' % self.prepared.table.revision)

    def _answer(self, caller: Caller, call: Call, status: int, body: bytes, headers: bytes = b"") -> None:
        keep = call.keep_alive
        caller.write(own_answer(status, body, headers=headers, keep=keep, head_only=call.method == b"HEAD"))
        caller.finish(keep=keep)

    def _say(self, caller: Caller, call: Call, refusal: Refusal) -> None:
        self._answer(caller, call, refusal.status, refusal.body, refusal.headers)

    def _refuse_unrouted(self, caller: Caller, call: Call, refusal: Refusal) -> None:
        if call.head_read:
            self._refuse(caller, call, self._begin(), refusal)
        else:
            self._say(caller, call, refusal)

    def _refuse(self, caller: Caller, call: Call, journey: Journey, refusal: Refusal) -> None:
        self._recorder.record(_certain(journey.refuse(monotonic(), status=refusal.status, error=refusal.code)))
        headers = refusal.headers + request_id_line(journey.request_id)
        self._answer(caller, call, refusal.status, refusal.body, headers)

    # What goes to a deployment

    def _begin(self) -> Journey:
        """A request is whole, or will never be: its clock starts now. Its upload was the caller's time, not a version's."""
        request_id, started_at = self._dice.token(), self._clock.now()
        self._recorder.begin(request_id, started_at)
        revision = 0 if self.prepared is None else self.prepared.table.revision
        return Journey(request_id, started_at=started_at, at=monotonic(), revision=revision)

    def _chat(self, caller: Caller, call: Call, endpoint: Endpoint) -> None:
        journey, prepared = self._begin(), self.prepared
        if prepared is None:
            self._refuse(caller, call, journey, NO_TABLE)
            return
        try:
            request = read_chat_request(call.body, path_task=endpoint.task)
        except WireError as error:
            self._refuse(caller, call, journey, refusal_of(error))
            return
        task = endpoint.task or request.model or ""
        route = prepared.table.routes.get(task)
        if route is None:
            self._refuse(caller, call, journey, _unknown_task(task, prepared))
            return
        unit = find_unit(call.names, request.fields, route.sticky_by)
        assignment = journey.route(task, route, unit)
        self._recorder.assigned(journey.request_id, assignment.side)
        tags = request_id_line(journey.request_id) + prepared.tags[task, assignment.side]
        target = prepared.targets[assignment.deployment]
        if target.fault is not None:
            code, message = target.fault
            refusal = Refusal(_BAD_GATEWAY, code, message, headers=tags)
            self._recorder.record(_certain(journey.finish(monotonic(), Outcome.FAILED, status=refusal.status, error=code)))
            self._say(caller, call, refusal)
            return
        errand = Errand(
            caller, journey, tags, call.keep_alive, call.version == "1.1",
            self.pools[target.name], _request_bytes(call, request, target), request.stream, request.stream and not request.include_usage,
        )  # fmt: skip
        relay = Relay(errand, limits=self.limits, settle=self._settle)
        self.relays.add(relay)
        relay.start()

    def _settle(self, relay: Relay, observation: Observation) -> None:
        self.relays.discard(relay)
        self._recorder.record(observation)


def _certain(observation: Observation | None) -> Observation:
    assert observation is not None, "a journey that has just begun was finished twice"
    return observation


def _request_bytes(call: Call, request: ChatRequest, target: Target) -> bytes:
    body = rewrite_chat_request(request, model=target.model, include_usage=request.stream)
    headers = sent_on(call.headers, call.names.get(b"connection"))
    return b"".join((target.prefix, headers, b"content-length: %d\r\n\r\n" % len(body), body))


def _unknown_task(task: str, prepared: PreparedTable) -> Refusal:
    names = sorted(prepared.table.routes)
    listed = ", ".join(names[:_LISTED_MAX]) + (", ..." if len(names) > _LISTED_MAX else "")
    message = f"Found no task called {task!r}; expected one of: {listed or 'none is declared'}. GET /v1/models lists them."
    return Refusal(404, "model_not_found", message, param="model")
