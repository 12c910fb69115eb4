"""What becomes of a whole request? Its endpoint, its task, its side, the deployment: then it is on its way."""

from asyncio import get_running_loop
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final, Protocol

from changeover.exchange.journey import Journey
from changeover.exchange.observation import Observation, Outcome
from changeover.exchange.repeats import Repeats, is_repeat, may_be_repeated
from changeover.exchange.slice_label import find_slice
from changeover.exchange.unit import find_unit
from changeover.gateway.answer import Errand
from changeover.gateway.call import Call
from changeover.gateway.caller import Caller
from changeover.gateway.doorkeeper import Admitted, Doorkeeper, out_of_scope
from changeover.gateway.health import Health
from changeover.gateway.inquiry import Inquiries
from changeover.gateway.limits import Limits
from changeover.gateway.paths import REPEATABLE, Endpoint, Kind
from changeover.gateway.plans import Itinerary, Plan
from changeover.gateway.pool import Pool
from changeover.gateway.refusal import Refusal, own_answer, refusal_of, request_id_line
from changeover.gateway.relay import Relay
from changeover.gateway.shape_noter import ShapeNoter
from changeover.gateway.waiting import Waiting
from changeover.ports.clock import Clock
from changeover.ports.dice import Dice
from changeover.ports.exposition import MEDIA_TYPE
from changeover.traffic.assignment import Assignment, assign
from changeover.traffic.table import Route, Side
from changeover.versions.dialect import API_NAMES, Dialect
from changeover.wire.listing import asked_name, model_body, models_body
from changeover.wire.request import ModelRequest, WireError, read_request
from changeover.wire.surface import Ask, Surface

NO_TABLE: Final = Refusal(
    503, "no_routing_table", "No routing table has arrived yet; try again in a moment.", headers=b"retry-after: 1\r\n"
)
"""What a gateway says that has just been started, until the control plane or its own disk has given it a table."""

_HEALTH: Final = Kind.HEALTH
_READY: Final = Kind.READY

_OK: Final = 200
_ANSWERED: Final = Outcome.ANSWERED
_BAD_GATEWAY: Final = 502
_LISTED_MAX: Final = 10
_ASK_AT: Final = {Dialect.OPENAI: "POST /v1/chat/completions or its siblings", Dialect.ANTHROPIC: "POST /v1/messages"}
_ALIVE: Final = b'{"status":"ok"}'
_METRICS: Final = b"content-type: %b\r\n" % MEDIA_TYPE.encode()


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
        self.health = Health()
        self.shapes = ShapeNoter()
        self.itinerary: Itinerary | None = None
        self.door = Doorkeeper()
        self.inquiries: Inquiries | None = None
        self._awaiting: list[Waiting] = []
        self.metrics: Callable[[], bytes] | None = None
        self.on_empty: Callable[[], None] | None = None
        """Called when the last caller has gone."""
        self._repeats = Repeats()
        self._recorder = recorder
        self._clock = clock
        self._dice = dice

    def admit(self, call: Call, /) -> None:
        """Who is not known is told only that: neither which paths there are nor what is wrong with the rest of the head."""
        endpoint = call.endpoint
        if endpoint is not None and (endpoint.kind is _HEALTH or endpoint.kind is _READY):
            return  # whoever watches over the process may ask without a key
        if self.door.is_open:
            return
        admitted = self.door.admit(call.names, self._clock.now())
        if isinstance(admitted, Refusal):
            call.admitted, call.refusal = None, admitted
        else:
            call.admitted = admitted

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
            case Kind.API:
                self._api(caller, call, endpoint)
            case Kind.MODELS:
                assert endpoint.ask is not None
                self._models(caller, call, endpoint.ask)
            case Kind.HEALTH:
                self._answer(caller, call, _OK, _ALIVE)
            case Kind.READY:
                self._ready(caller, call)
            case Kind.METRICS:
                self._metrics(caller, call)

    def left(self, caller: Caller, call: Call | None, /) -> None:
        """A caller is gone. Of a ``call`` that was not whole no side had been drawn, nothing had been sent."""
        self.callers.discard(caller)
        if call is not None:
            self._recorder.record(_certain(self._begin().finish(monotonic(), Outcome.ABANDONED, error="caller_left")))
        if not self.callers and self.on_empty is not None:
            self.on_empty()

    # What is answered here

    def _models(self, caller: Caller, call: Call, ask: Ask) -> None:
        if self.itinerary is None:
            self._say(caller, call, NO_TABLE)
            return
        names = sorted(filter(_admitted(call).allows, self.itinerary.prepared.table.routes))
        created = int(self._clock.now())
        wanted = asked_name(ask.operation)
        dialect = call.dialect
        if wanted is None:
            self._answer(caller, call, _OK, models_body(names, created, dialect))
        elif wanted in names:
            self._answer(caller, call, _OK, model_body(wanted, created, dialect))
        else:
            self._say(caller, call, _unknown_task(wanted, names))

    def _ready(self, caller: Caller, call: Call) -> None:
        if self.itinerary is None:
            self._say(caller, call, NO_TABLE)
        else:
            self._answer(caller, call, _OK, b'{"status":"ready","revision":%d}' % self.itinerary.prepared.table.revision)

    def _metrics(self, caller: Caller, call: Call) -> None:
        """For whoever is let in: anyone on a loopback that asks nobody for a key, else the holder of a key for everything."""
        admitted = _admitted(call)
        if not admitted.allows(None):
            self._say(caller, call, out_of_scope(admitted, None))
            return
        text, keep = b"" if self.metrics is None else self.metrics(), call.keep_alive
        caller.write(own_answer(_OK, text, headers=b"", keep=keep, head_only=call.method == b"HEAD", media=_METRICS))
        caller.finish(keep=keep)

    def _answer(self, caller: Caller, call: Call, status: int, body: bytes, headers: bytes = b"") -> None:
        keep = call.keep_alive
        caller.write(own_answer(status, body, headers=headers, keep=keep, head_only=call.method == b"HEAD"))
        caller.finish(keep=keep)

    def _say(self, caller: Caller, call: Call, refusal: Refusal) -> None:
        self._answer(caller, call, refusal.status, refusal.body(call.dialect), refusal.headers)

    def _refuse_unrouted(self, caller: Caller, call: Call, refusal: Refusal) -> None:
        if call.head_read and call.admitted is not None:  # strangers leave nothing in the store
            self._refuse(caller, call, self._begin(), refusal)
        else:
            self._say(caller, call, refusal)

    def _refuse(self, caller: Caller, call: Call, journey: Journey, refusal: Refusal) -> None:
        self._recorder.record(_certain(journey.refuse(monotonic(), status=refusal.status, error=refusal.code)))
        headers = refusal.headers + request_id_line(journey.request_id)
        self._answer(caller, call, refusal.status, refusal.body(call.dialect), headers)

    # What goes to a deployment

    def _begin(self) -> Journey:
        """A request is whole, or will never be: its clock starts now. Its upload was the caller's time, not a version's."""
        request_id, started_at = self._dice.token(), self._clock.now()
        self._recorder.begin(request_id, started_at)
        revision = 0 if self.itinerary is None else self.itinerary.prepared.table.revision
        return Journey(request_id, started_at=started_at, at=monotonic(), revision=revision)

    def _api(self, caller: Caller, call: Call, endpoint: Endpoint) -> None:
        journey, itinerary, ask = self._begin(), self.itinerary, endpoint.ask
        assert ask is not None
        journey.surface = endpoint.surface
        if itinerary is None:
            self._refuse(caller, call, journey, NO_TABLE)
            return
        admitted = _admitted(call)
        try:
            content_type = call.names.get(b"content-type", b"")
            request = read_request(ask.surface, call.body, content_type, path_task=ask.task or admitted.default_task)
        except WireError as error:
            self._refuse(caller, call, journey, refusal_of(error))
            return
        if request.previous_response_id is not None or ask.response_id is not None or itinerary.awaiting:
            self._inquire(caller, call, ask, request, journey=journey)
        else:
            self._go_on(caller, call, ask, request, journey=journey, itinerary=itinerary)

    def _inquire(self, caller: Caller, call: Call, ask: Ask, request: ModelRequest, *, journey: Journey) -> None:
        """Go on when it is known who issued what the request continues, or will not be."""

        def then() -> None:
            self._await_token(caller, call, ask, request, journey=journey)

        previous, inquiries = request.previous_response_id or ask.response_id, self.inquiries
        if previous is None or self.health.issuer(previous) is not None or inquiries is None or not inquiries.has_room:
            then()
        else:
            inquiries.ask(previous, self._hold(caller, journey, then).over)

    def _await_token(self, caller: Caller, call: Call, ask: Ask, request: ModelRequest, *, journey: Journey) -> None:
        """Go on when there is somebody to serve the request, where that is only a matter of a moment."""
        itinerary = self.itinerary
        assert itinerary is not None, "a table is exchanged, never taken away"
        journey.revision = itinerary.prepared.table.revision
        task = self._task(call, ask, request, itinerary)
        patience_s = self.limits.token_s - (monotonic() - journey.began)
        if patience_s <= 0 or (task if task in itinerary.prepared.table.routes else None) not in itinerary.awaiting:
            self._go_on(caller, call, ask, request, journey=journey, itinerary=itinerary)
            return
        waiting = self._hold(caller, journey, lambda: self._await_token(caller, call, ask, request, journey=journey))
        waiting.timer = get_running_loop().call_later(patience_s, waiting.over)
        self._awaiting.append(waiting)

    def release(self) -> None:
        """Tokens may have come: whoever waits for one looks again."""
        awaiting, self._awaiting = self._awaiting, []
        for waiting in awaiting:
            waiting.over()

    def _hold(self, caller: Caller, journey: Journey, then: Callable[[], None]) -> Waiting:
        def left() -> None:
            self._recorder.record(_certain(journey.finish(monotonic(), Outcome.ABANDONED, error="caller_left")))

        return Waiting(caller, then=then, left=left)

    def _go_on(self, caller: Caller, call: Call, ask: Ask, request: ModelRequest, *, journey: Journey, itinerary: Itinerary) -> None:
        admitted = _admitted(call)
        task = self._task(call, ask, request, itinerary)
        if not admitted.allows(task):
            self._refuse(caller, call, journey, out_of_scope(admitted, task))
            return
        endpoint = call.endpoint
        assert endpoint is not None
        if endpoint.dialect is not None and itinerary.dialects.get(task or "", endpoint.dialect) is not endpoint.dialect:
            self._refuse(caller, call, journey, _other_dialect(task, itinerary))
            return
        plan = self._plan(task, call, ask, request, journey=journey, itinerary=itinerary)
        if plan is None:
            self._refuse(caller, call, journey, _unclaimed(ask, task, itinerary))
        elif not plan.order:
            self._cannot_be_called(caller, call, journey, plan)
        else:
            self._send(caller, call, ask, request, journey=journey, plan=plan)

    def _task(self, call: Call, ask: Ask, request: ModelRequest, itinerary: Itinerary) -> str | None:
        """What is asked for: what the path names, else the body; else what the response belongs to that it continues; else what
        the caller's key is for. A name that is no task may still be claimed by nobody.
        """
        routes, named = itinerary.prepared.table.routes, ask.task or request.model
        if named in routes:
            return named
        previous = request.previous_response_id or ask.response_id
        issuer = None if previous is None else self.health.issuer(previous)
        if issuer is not None and named is None:
            return issuer[0]
        default = _admitted(call).default_task
        return default if default in routes and ask.surface in REPEATABLE else named

    def _plan(
        self, task: str | None, call: Call, ask: Ask, request: ModelRequest, *, journey: Journey, itinerary: Itinerary
    ) -> Plan | None:
        """Who may serve the request: its side is drawn here, unless it continues what one deployment began."""
        routes = itinerary.prepared.table.routes
        previous = request.previous_response_id or ask.response_id
        if previous is not None:
            return self._continued(previous, task, journey, itinerary)
        route = None if task is None else routes.get(task)
        if task is None or route is None:
            return itinerary.unrouted
        unit = find_unit(call.names, request.fields, route.sticky_by)
        endpoint = call.endpoint
        assert endpoint is not None
        if endpoint.aside:
            assignment = _beside(route, ask, unit or journey.request_id)
            journey.force(task, route, assignment)
        else:
            repeats = unit is None and is_repeat(call.names)
            assignment = journey.route(task, route, unit, first_try=self._first_try(task, call) if repeats else None)
            if route.slice_by:
                journey.slice_label = find_slice(call.names, request.fields, route.slice_by)
        self._recorder.assigned(journey.request_id, assignment.side)
        return itinerary.plans[task, assignment.side]

    def _first_try(self, task: str, call: Call) -> str | None:
        return self._repeats.unit_of(task, _admitted(call).key_id, call.body, at=monotonic())

    def _remember(self, call: Call, journey: Journey, observation: Observation) -> None:
        """A request has ended; an SDK may send it again."""
        if journey.task is not None and may_be_repeated(call.names, observation):
            self._repeats.failed(journey.task, _admitted(call).key_id, call.body, unit=journey.unit, at=monotonic())

    def _continued(self, response_id: str, task: str | None, journey: Journey, itinerary: Itinerary) -> Plan | None:
        """Who made the response, as long as its task's route still has them; else the stable."""
        issuer = self.health.issuer(response_id)
        if issuer is not None:
            task = task or issuer[0]
        route = None if task is None else itinerary.prepared.table.routes.get(task)
        if task is None or route is None:
            return itinerary.unrouted
        maker = None if issuer is None else issuer[1]
        side = Side.CANDIDATE if maker in route.candidate_members and route.candidate_permille else Side.STABLE
        plan = itinerary.plans[task, side]
        if maker is None or maker not in plan.posts:
            maker = route.stable
        journey.force(task, route, Assignment(side, maker, 0.0))
        self._recorder.assigned(journey.request_id, side)
        return plan.only(maker) if maker in plan.posts else plan

    def _cannot_be_called(self, caller: Caller, call: Call, journey: Journey, plan: Plan) -> None:
        code, message = plan.fault or ("no_deployment", "Nobody can be called for this task; declare a deployment that can.")
        refusal = Refusal(_BAD_GATEWAY, code, message, headers=request_id_line(journey.request_id) + plan.tags)
        observation = _certain(journey.finish(monotonic(), Outcome.FAILED, status=refusal.status, error=code))
        self._recorder.record(observation)
        self._remember(call, journey, observation)
        self._say(caller, call, refusal)

    def _send(self, caller: Caller, call: Call, ask: Ask, request: ModelRequest, *, journey: Journey, plan: Plan) -> None:
        plan.budget.request()
        endpoint = call.endpoint
        assert endpoint is not None
        errand = Errand(caller, call, ask, request, journey=journey, plan=plan, endpoint=endpoint)
        relay = Relay(errand, health=self.health, limits=self.limits, settle=self._settle)
        self.relays.add(relay)
        relay.start()

    def _settle(self, relay: Relay, observation: Observation) -> None:
        self.relays.discard(relay)
        self._recorder.record(observation)
        errand = relay.errand
        if observation.outcome is not _ANSWERED:
            self._remember(errand.call, errand.journey, observation)
        elif observation.task is not None and errand.first_class and errand.request.fields:
            self.shapes.note(observation.task, errand.ask, errand.request.fields)


def _certain(observation: Observation | None) -> Observation:
    assert observation is not None, "a journey that has just begun was finished twice"
    return observation


def _admitted(call: Call) -> Admitted:
    assert call.admitted is not None, "who may not come in has been refused before"
    return call.admitted


def _beside(route: Route, ask: Ask, unit: str) -> Assignment:
    """Who is asked beside the answers: for a count of tokens whoever will answer the same unit; else always the stable, so that
    a batch is found again where it was made.
    """
    return assign(route, unit) if ask.surface is Surface.TOKEN_COUNT else Assignment(Side.STABLE, route.stable, 0.0)


def _other_dialect(task: str | None, itinerary: Itinerary) -> Refusal:
    spoken = itinerary.dialects[task or ""]
    message = f"Task {task} is served through {API_NAMES[spoken]} and nothing is translated; ask for it at {_ASK_AT[spoken]}."
    return Refusal(400, "other_api", message, param="model")


def _unclaimed(ask: Ask, task: str | None, itinerary: Itinerary) -> Refusal:
    if task is not None:
        return _unknown_task(task, sorted(itinerary.prepared.table.routes))
    message = (
        f"The request names no task, and none can be told from {ask.operation.decode()}. Name one in the path (/t/TASK/v1/...) "
        "or declare an account for such requests (gateway: {unrouted: {account: ...}})."
    )
    return Refusal(404, "no_task", message)


def _unknown_task(task: str, names: Sequence[str]) -> Refusal:
    listed = ", ".join(names[:_LISTED_MAX]) + (", ..." if len(names) > _LISTED_MAX else "")
    message = f"Found no task called {task!r}; expected one of: {listed or 'none is declared'}. GET /v1/models lists them."
    return Refusal(404, "model_not_found", message, param="model")
