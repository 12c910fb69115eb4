"""How does the resource speak HTTP? The data plane of Azure OpenAI as an ASGI application: both surfaces, JSON and streams.

Paths under ``/sim/`` are this stage's own: they change how a deployment stands. Everything else answers as Azure would.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Final

import msgspec

from changeover.azure_sim import refusals, shapes
from changeover.azure_sim.chat_request import ChatRequest, read_chat
from changeover.azure_sim.refusals import RefusalError
from changeover.azure_sim.resource import Planned, Resource, Served
from changeover.azure_sim.stage import Condition

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_BYTES_MAX: Final = 4 * 1024 * 1024
MODELLED: Final = "text is real; latency and token counts are modelled"
_JSON: Final = "application/json; charset=utf-8"
_EVENTS: Final = "text/event-stream; charset=utf-8"


class _NewCondition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    condition: Condition


class _CallerLeftError(Exception):
    """The caller closed the connection before its request was whole."""


class DataPlane:
    """The ASGI application of one resource."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "served without lifespan and web sockets"
        headers = self._headers(deployment=None)
        try:
            await self._handle(scope, receive, send)
        except RefusalError as refusal:
            await _reply(send, status=refusal.status, body=refusal.body(), headers={**headers, **refusal.headers})
        except (_CallerLeftError, OSError):
            return

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        sent = {name: value.decode("latin-1") for name, value in scope["headers"] if name in {b"api-key", b"authorization"}}
        self._resource.authorise(api_key=sent.get(b"api-key"), authorization=sent.get(b"authorization"))
        match [part for part in str(scope["path"]).split("/") if part]:
            case ["openai", "deployments", name, "chat", "completions"] if scope["method"] == "POST" and _has_api_version(scope):
                await self._chat(read(body), send, name=name)
            case ["openai", "v1", "chat", "completions"] if scope["method"] == "POST":
                request = read(body)
                await self._chat(request, send, name=request.model)
            case ["openai", "v1", "models"] if scope["method"] == "GET":
                await _reply(send, status=200, body=self._models(), headers=self._headers(deployment=None))
            case ["sim", "deployments", name] if scope["method"] == "PUT":
                await self._stand(name, body, send)
            case _:
                raise refusals.no_such_path()

    async def _chat(self, request: ChatRequest, send: Send, *, name: str | None) -> None:
        if name is None:
            raise refusals.malformed("you must provide a model parameter", param="model")
        served = self._resource.deployment(name)
        planned = self._resource.plan(served, request)
        headers = self._headers(deployment=served)
        if request.stream:
            await _stream(send, planned, headers=headers, with_usage=request.wants_usage)
            return
        await asyncio.sleep(planned.whole_s)
        await _reply(send, status=200, body=shapes.completion(planned.answer), headers=headers)

    def _models(self) -> bytes:
        """The base models behind the deployments, as the v1 surface lists them."""
        ids = sorted({served.declared.served_model for served in self._resource.deployments.values()})
        return msgspec.json.encode({"object": "list", "data": [{"id": each, "object": "model", "owned_by": "changeover"} for each in ids]})

    async def _stand(self, name: str, body: bytes, send: Send) -> None:
        served = self._resource.deployment(name)
        try:
            served.condition = msgspec.json.decode(body, type=_NewCondition).condition
        except msgspec.DecodeError as error:
            raise refusals.malformed(f"{error}; expected a condition out of {', '.join(Condition)}") from error
        reply = msgspec.json.encode({"deployment": name, "condition": served.condition})
        await _reply(send, status=200, body=reply, headers=self._headers(deployment=served))

    def _headers(self, *, deployment: Served | None) -> dict[str, str]:
        request_id = self._resource.token()
        headers = {
            "x-ms-region": self._resource.stage.region,
            "x-request-id": request_id,
            "apim-request-id": request_id,
            "x-changeover-sim": MODELLED,
        }
        if deployment is not None:
            headers |= {"x-ms-deployment-name": deployment.declared.name, **deployment.allowance.headers()}
        return headers


def read(body: bytes) -> ChatRequest:
    """The chat request in ``body``. Raises ``RefusalError``."""
    try:
        return read_chat(body)
    except msgspec.ValidationError as error:
        raise refusals.malformed(f"found a request that is no chat completion: {error}") from error
    except msgspec.DecodeError as error:
        raise refusals.malformed(f"We could not parse the JSON body of your request: {error}") from error


def events(planned: Planned, *, with_usage: bool) -> Iterator[tuple[float, bytes]]:
    """The events of a stream in order, each with the seconds to wait before it."""
    answer = planned.answer
    yield planned.first_token_s, shapes.opening_event() + shapes.role_event(answer, with_usage=with_usage)
    for index, piece in enumerate(answer.pieces):
        yield planned.per_piece_s if index else 0.0, shapes.piece_event(answer, piece, with_usage=with_usage)
    usage = shapes.usage_event(answer) if with_usage else b""
    yield 0.0, shapes.finish_event(answer, with_usage=with_usage) + usage + shapes.STREAM_END


async def _stream(send: Send, planned: Planned, *, headers: dict[str, str], with_usage: bool) -> None:
    await _start(send, status=200, content_type=_EVENTS, headers=headers)
    for wait_s, event in events(planned, with_usage=with_usage):
        if wait_s:
            await asyncio.sleep(wait_s)
        await send({"type": "http.response.body", "body": event, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _reply(send: Send, *, status: int, body: bytes, headers: dict[str, str]) -> None:
    await _start(send, status=status, content_type=_JSON, headers={**headers, "content-length": str(len(body))})
    await send({"type": "http.response.body", "body": body})


async def _start(send: Send, *, status: int, content_type: str, headers: dict[str, str]) -> None:
    listed = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", content_type.encode()), *listed]})


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _CallerLeftError
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise refusals.too_large(BODY_BYTES_MAX)
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _has_api_version(scope: Scope) -> bool:
    """The dated surface answers 404 without an ``api-version``."""
    query: bytes = scope["query_string"]
    return any(pair.startswith(b"api-version=") and len(pair) > len(b"api-version=") for pair in query.split(b"&"))
