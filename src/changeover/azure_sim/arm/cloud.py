"""What does one address answer? Resource Manager, identity, the stage's own controls, and the data plane of every account."""

import random
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from changeover.azure_sim import refusals
from changeover.azure_sim.arm.arm_request import ArmRequest, read_query
from changeover.azure_sim.arm.calendar import Calendar
from changeover.azure_sim.arm.callers import Callers
from changeover.azure_sim.arm.control_page import page
from changeover.azure_sim.arm.declaration import Declaration, declared_moment, estate_of, own_models
from changeover.azure_sim.arm.estate import Estate
from changeover.azure_sim.arm.identity_routes import identity_answer
from changeover.azure_sim.arm.planes import Planes
from changeover.azure_sim.arm.replies import ArmReply, Json
from changeover.azure_sim.arm.resource_manager import ROOTS, ResourceManager
from changeover.azure_sim.arm.settling import settle
from changeover.azure_sim.arm.sim_clock import SimClock
from changeover.azure_sim.arm.sim_routes import SimRoutes
from changeover.azure_sim.arm.state_file import read_estate, write_estate
from changeover.azure_sim.http_call import CallerLeftError, HttpCall, Receive, Scope, Send
from changeover.azure_sim.refusals import RefusalError
from changeover.azure_sim.resource import Resource
from changeover.azure_sim.stage import Stage

ACCOUNTS: Final = "accounts"
REMEMBERED_REQUESTS: Final = 1000
SETTLE_EVERY_S: Final = 0.1
"""The data plane looks at the control plane's clock at most so often."""
_HTML: Final = "text/html; charset=utf-8"


class Cloud:
    """The ASGI application of a whole Azure. ``key`` is every account's key and signs the tokens that are given.

    ``stage`` is one more account, whose data plane then answers at the root. ``state``: a file that everything is kept in;
    what is in it already comes before ``declaration``. Raises ``DeclarationError``.
    """

    def __init__(
        self,
        declaration: Declaration,
        *,
        key: str,
        seed: int = 0,
        stage: Stage | None = None,
        state: Path | None = None,
        real: Callable[[], float] = time.time,
    ) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - identifiers, no secret
        kept = read_estate(state) if state is not None else None
        self.clock = SimClock(real=real, moved_s=kept.moved_s if kept else 0.0)
        if kept is None and declaration.clock is not None:
            self.clock.set(declared_moment(declaration.clock))
        self.estate: Estate = kept or estate_of(declaration, now=self.clock.now(), stage=stage)
        self.estate.moved_s = self.clock.moved_s
        self._state = state
        self._key = key
        self._settled_at = -SETTLE_EVERY_S
        self.calendar = Calendar(self.estate, own=own_models(stage))
        self.callers = Callers(key=key, tenant=self.estate.tenant, roles=declaration.identities, clock=real)
        self.planes = Planes(self.estate, self.calendar, key=key, seed=seed, is_token=self.callers.may_ask_models, stage=stage)
        self.manager = ResourceManager(self.estate, self.calendar, self.callers, new_id=self._token, key=key, endpoint_of=self.endpoint_of)
        self._requests: deque[Json] = deque(maxlen=REMEMBERED_REQUESTS)
        self._controls = SimRoutes(
            self.estate,
            self.calendar,
            clock=self.clock,
            planes=self.planes,
            faults=self.manager.faults,
            requests=lambda: list(self._requests),
        )
        self._root = next(iter(self.estate.accounts), "")
        self.settle()

    @property
    def root(self) -> Resource | None:
        """The resource behind the root of the address; ``None`` once its account was deleted."""
        return self.planes.resource(self._root) if self._root in self.estate.accounts else None

    def endpoint_of(self, base: str, account: str) -> str:
        """Where an account's data plane answers, with a slash at its end as Azure writes it."""
        return f"{base}/" if account.lower() == self._root else f"{base}/{ACCOUNTS}/{account}/"

    def settle(self) -> None:
        """Bring control plane and data planes up to the clock's time."""
        now = self.clock.now()
        changed = settle(self.estate, calendar=self.calendar, now=now)
        self.planes.refresh(now)
        self._settled_at = time.monotonic()
        if changed:
            self._keep()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "served without lifespan and web sockets"
        parts = [part for part in scope["path"].split("/") if part]
        if parts[:1] == [ACCOUNTS] and len(parts) > 1:
            await self._serve(parts[1], {**scope, "path": "/" + "/".join(parts[2:])}, receive, send)
        elif not parts or parts[0] == "openai" or parts[:2] == ["sim", "deployments"]:
            await self._serve(self._root, scope, receive, send)
        else:
            await self._answer(HttpCall(scope, receive, send), f"{scope.get('scheme', 'http')}://")

    async def _serve(self, account: str, scope: Scope, receive: Receive, send: Send) -> None:
        if time.monotonic() - self._settled_at >= SETTLE_EVERY_S:
            self.settle()
        plane = self.planes.plane(account)
        if plane is None:
            await HttpCall(scope, receive, send).reply(404, refusals.no_such_path().body(), {})
        else:
            await plane(scope, receive, send)

    async def _answer(self, call: HttpCall, scheme: str) -> None:
        try:
            body = await call.body()
        except CallerLeftError:
            return
        except RefusalError as refusal:
            await call.reply(refusal.status, refusal.body(), {})
            return
        self.settle()
        request = self._request(call, scheme, body)
        if request.low[0] == "sim":
            await self._control(call, request)
            return
        reply = identity_answer(request, self.callers, life_s=self.estate.conduct.token_life_s)
        if reply is None and request.low[0] not in ROOTS:
            reply = ArmReply(status=404, body={"error": {"code": "404", "message": "Resource not found"}})
        if reply is None:
            await self._manage(call, request)
        else:
            await self._reply(call, request, reply)

    async def _manage(self, call: HttpCall, request: ArmRequest) -> None:
        fault = self.manager.faults.next(request, operation=False)
        if fault is None:
            reply = self._managed(request)
        else:
            if fault.performed:
                self._managed(request)
            reply = fault.reply()
        self._remember(request, reply, faulty=fault is not None)
        if fault is not None and fault.hang:
            await call.wait_for_departure()
        else:
            await self._reply(call, request, reply)

    def _managed(self, request: ArmRequest) -> ArmReply:
        reply = self.manager.answer(request)
        if request.method not in ("GET", "HEAD"):
            self.settle()
            self._keep()
        return reply

    async def _control(self, call: HttpCall, request: ArmRequest) -> None:
        if request.low == ["sim"] and request.method == "GET":
            await call.reply(200, page(self._controls.state()), {}, content_type=_HTML)
            return
        if request.method != "GET" and not self._is_key(call):
            reply = ArmReply(status=401, body={"error": {"code": "401", "message": "expected the stage's key in the header api-key"}})
        else:
            reply = self._controls.answer(request.method, "/".join(request.low[1:]), request.body)
        if request.method != "GET":
            self.settle()
            self._keep()
        await self._reply(call, request, reply)

    def _is_key(self, call: HttpCall) -> bool:
        return self.callers.is_secret(call.headers.get("api-key", call.headers.get("authorization", "").removeprefix("Bearer ")))

    def _request(self, call: HttpCall, scheme: str, body: bytes) -> ArmRequest:
        return ArmRequest(
            method=call.method,
            base=f"{scheme}{call.headers.get('host', 'localhost')}",
            path=call.path,
            query=read_query(call.query),
            headers=call.headers,
            body=body,
            now=self.clock.now(),
            by="azure-sim",
        )

    async def _reply(self, call: HttpCall, request: ArmRequest, reply: ArmReply) -> None:
        identity = self._token()
        headers = {
            "x-ms-request-id": identity,
            "x-ms-correlation-request-id": request.headers.get("x-ms-correlation-request-id", identity),
            "cache-control": "no-cache",
            **reply.headers,
        }
        body = b"" if reply.body is None else msgspec.json.encode(reply.body)
        await call.reply(reply.status, body, headers)

    def _remember(self, request: ArmRequest, reply: ArmReply, *, faulty: bool) -> None:
        self._requests.append(
            {"at": request.now, "method": request.method, "path": request.path, "status": reply.status, "planted": faulty}
        )

    def _token(self) -> str:
        digits = f"{self._dice.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def _keep(self) -> None:
        if self._state is not None:
            write_estate(self._state, self.estate)
