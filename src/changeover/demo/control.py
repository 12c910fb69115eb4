"""What does the running server say, and how is it told the scores? The control API, over the server's Unix socket."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import httpx2
import msgspec

from changeover.api.answers import CompareAnswer, EventsAnswer, EventView, RolloutAnswer, ScoresAnswer, StatusAnswer
from changeover.demo.failure import StoppedShortError

T = TypeVar("T")

TIMEOUT_S: Final = 30.0
ACTOR: Final = "demo"
EVENTS_PER_CALL: Final = 1000


class ControlError(StoppedShortError):
    """The control API did not answer with what was asked for."""


class GivenScore(msgspec.Struct, frozen=True, kw_only=True):
    """A score as the API takes it."""

    request_id: str
    name: str
    value: float
    scorer: str


class Control:
    """Calls to one server. Every verb raises ``ControlError`` for anything but a success."""

    def __init__(self, socket: Path) -> None:
        self._client = httpx2.AsyncClient(
            transport=httpx2.AsyncHTTPTransport(uds=str(socket)),
            base_url="http://localhost",
            headers={"x-changeover-actor": ACTOR},
            timeout=TIMEOUT_S,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.aclose()

    async def status(self) -> StatusAnswer:
        return await self._get("/api/v1/status", StatusAnswer)

    async def rollout(self, name: str) -> RolloutAnswer:
        return await self._get(f"/api/v1/rollouts/{name}", RolloutAnswer)

    async def compare(self, task: str) -> CompareAnswer:
        return await self._get(f"/api/v1/tasks/{task}/compare", CompareAnswer)

    async def events_after(self, revision: int) -> Sequence[EventView]:
        """Every event above ``revision``, oldest first."""
        found: list[EventView] = []
        while True:
            page = await self._get(f"/api/v1/events?after={revision}&limit={EVENTS_PER_CALL}", EventsAnswer)
            found += page.events
            if len(page.events) < EVENTS_PER_CALL:
                return found
            revision = page.next

    async def give_scores(self, scores: Sequence[GivenScore]) -> ScoresAnswer:
        return await self._call("POST", "/api/v1/scores", ScoresAnswer, body=msgspec.json.encode(scores))

    async def _get(self, path: str, kind: type[T]) -> T:
        return await self._call("GET", path, kind)

    async def _call(self, method: str, path: str, kind: type[T], *, body: bytes = b"") -> T:
        try:
            reply = await self._client.request(method, path, content=body, headers={"content-type": "application/json"} if body else {})
        except httpx2.HTTPError as error:
            raise ControlError(f"{method} {path}: {error!r}") from error
        if not reply.is_success:
            raise ControlError(f"{method} {path}: found status {reply.status_code}: {reply.text[:500]}")
        try:
            return msgspec.json.decode(reply.content, type=kind)
        except msgspec.DecodeError as error:
            raise ControlError(f"{method} {path}: found an answer that cannot be read: {error}") from error
