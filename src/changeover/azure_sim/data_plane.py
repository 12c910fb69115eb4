"""How does the resource speak HTTP? The data plane of Azure OpenAI as an ASGI application: both surfaces, JSON and streams.

Paths under ``/sim/`` are this stage's own: they change how a deployment stands. Everything else answers as Azure would.
"""

import time
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from changeover.azure_sim import refusals, shapes
from changeover.azure_sim.answer import Answer, Vectors, encode
from changeover.azure_sim.batches import Batches
from changeover.azure_sim.chat_request import read_chat
from changeover.azure_sim.completion_request import read_completion
from changeover.azure_sim.completion_shapes import text_completion, text_completion_events
from changeover.azure_sim.delivery import deliver_stream, deliver_whole, error_event, responses_error_event
from changeover.azure_sim.embedding_request import read_embedding
from changeover.azure_sim.embedding_shapes import embedding_list
from changeover.azure_sim.files_shelf import read_upload
from changeover.azure_sim.http_call import CallerLeftError, Headers, HttpCall, Receive, Scope, Send
from changeover.azure_sim.moderation import moderation, read_moderation
from changeover.azure_sim.paths import Ask, read_path
from changeover.azure_sim.refusals import RefusalError
from changeover.azure_sim.resource import Planned, Resource, Served
from changeover.azure_sim.responses_request import ResponsesRequest, read_responses
from changeover.azure_sim.responses_shapes import deleted, response, response_events, response_id
from changeover.azure_sim.responses_shelf import Kept
from changeover.azure_sim.stage import Condition
from changeover.azure_sim.standing import read_standing

MODELLED: Final = "text is real; latency and token counts are modelled"
_BYTES: Final = "application/octet-stream"
Request = TypeVar("Request")


class DataPlane:
    """The ASGI application of one resource."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._batches = Batches(resource)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "served without lifespan and web sockets"
        call = HttpCall(scope, receive, send)
        try:
            await self._handle(call, await call.body())
        except RefusalError as refusal:
            await call.reply(refusal.status, refusal.body(), self._headers(call) | refusal.headers)
        except (CallerLeftError, OSError):
            return

    async def _handle(self, call: HttpCall, body: bytes) -> None:
        self._resource.authorise(api_key=call.headers.get("api-key"), authorization=call.headers.get("authorization"))
        ask = read_path(call.path, call.query)
        match call.method, ask:
            case "POST", Ask("chat/completions"):
                await self._chat(call, ask, body)
            case "POST", Ask("responses", item=()):
                await self._respond(call, body)
            case "POST", Ask("completions"):
                await self._complete(call, ask, body)
            case "POST", Ask("embeddings"):
                await self._embed(call, ask, body)
            case "POST", Ask("moderations"):
                await self._moderate(call, body)
            case "GET", Ask("models"):
                await call.reply(200, self._models(ask.item), self._headers(call))
            case (("GET" | "DELETE"), Ask("responses", item=(identity,))):
                await call.reply(200, self._stored(call.method, identity), self._headers(call))
            case _, Ask("files" | "batches"):
                await (self._file if ask.api == "files" else self._batch)(call, ask, body)
            case (("GET" | "PUT"), Ask("sim", deployment=str(name))):
                await self._stand(call, name, body)
            case _:
                raise refusals.no_such_path()

    async def _chat(self, call: HttpCall, ask: Ask, body: bytes) -> None:
        request = read(read_chat, body, what="chat completion")
        planned = self._resource.plan(_named(ask.deployment, request.model), request.prompt(), spillover_to=_spillover(call))
        answer, headers = planned.answer, self._headers(call, planned)
        if request.stream:
            frames = shapes.completion_events(answer, with_usage=request.wants_usage)
            await deliver_stream(call, planned, frames, headers, on_error=error_event)
        else:
            await deliver_whole(call, planned, lambda: shapes.completion(answer), headers)

    async def _complete(self, call: HttpCall, ask: Ask, body: bytes) -> None:
        request = read(read_completion, body, what="completion")
        planned = self._resource.plan(_named(ask.deployment, request.model), request.question(), spillover_to=_spillover(call))
        answer, headers = planned.answer, self._headers(call, planned)
        if request.stream:
            frames = text_completion_events(answer, with_usage=request.wants_usage)
            await deliver_stream(call, planned, frames, headers, on_error=error_event)
        else:
            await deliver_whole(call, planned, lambda: text_completion(answer), headers)

    async def _embed(self, call: HttpCall, ask: Ask, body: bytes) -> None:
        request = read(read_embedding, body, what="request for embeddings")
        planned = self._resource.embed(_named(ask.deployment, request.model), request, spillover_to=_spillover(call))
        await deliver_whole(call, planned, lambda: embedding_list(planned.answer), self._headers(call, planned))

    async def _respond(self, call: HttpCall, body: bytes) -> None:
        request = read(read_responses, body, what="request for a response")
        name = _named(None, request.model)
        earlier = self._earlier(request, deployment=name)
        prompt = request.prompt(earlier_tokens=earlier.tokens if earlier else 0, earlier_document=earlier.document if earlier else "")
        planned = self._resource.plan(name, prompt, spillover_to=_spillover(call))
        answer, headers = planned.answer, self._headers(call, planned)
        whole = response(answer, request)
        if request.store is not False:
            kept = Kept(deployment=planned.served.declared.name, document=prompt.document, tokens=answer.tokens, body=whole)
            self._resource.responses.put(response_id(answer), kept)
        if request.stream:
            await deliver_stream(call, planned, response_events(answer, request), headers, on_error=responses_error_event)
        else:
            await deliver_whole(call, planned, lambda: whole, headers)

    def _earlier(self, request: ResponsesRequest, *, deployment: str) -> Kept | None:
        """The response that ``request`` follows. Each deployment knows its own only."""
        if request.previous_response_id is None:
            return None
        self._resource.deployment(deployment)
        kept = self._resource.responses.get(request.previous_response_id, deployment=deployment)
        if kept is None:
            raise refusals.no_previous_response(request.previous_response_id)
        return kept

    def _stored(self, method: str, identity: str) -> bytes:
        kept = self._resource.responses.get(identity)
        if kept is None:
            raise refusals.no_such_thing(f"Response with id '{identity}' not found.")
        if method == "GET":
            return kept.body
        self._resource.responses.drop(identity)
        return deleted(identity)

    async def _moderate(self, call: HttpCall, body: bytes) -> None:
        request = read(read_moderation, body, what="request for moderation")
        if request.model is not None:
            self._resource.deployment(request.model)
        await call.reply(200, moderation(request, token=self._resource.token()), self._headers(call))

    def _models(self, item: tuple[str, ...]) -> bytes:
        """The base models behind the deployments, as the v1 surface lists them, or the one that is named."""
        listed = {served.model: served.declared.shutdown_date for served in self._resource.deployments.values()}
        models = [
            {"id": name, "object": "model", "created": 0, "owned_by": "changeover", "shutdown_date": shutdown}
            for name, shutdown in sorted(listed.items())
        ]
        if not item:
            return encode({"object": "list", "data": models})
        found = next((model for model in models if (model["id"],) == item), None)
        if found is None:
            raise refusals.no_such_thing(f"The model '{'/'.join(item)}' does not exist", param="model")
        return encode(found)

    async def _file(self, call: HttpCall, ask: Ask, body: bytes) -> None:
        match call.method, ask.item:
            case "POST", ():
                file_id, created = f"file-{self._resource.token()}", int(time.time())
                held = read_upload(body, call.headers.get("content-type", ""), file_id=file_id, created=created)
                self._resource.files.add(held)
                shown: object = held.shown()
            case "GET", ():
                shown = {"object": "list", "data": [each.shown() for each in self._resource.files.all()], "has_more": False}
            case "GET", (identity,):
                shown = self._resource.files.get(identity).shown()
            case "GET", (identity, "content"):
                await call.reply(200, self._resource.files.get(identity).content, self._headers(call), content_type=_BYTES)
                return
            case "DELETE", (identity,):
                self._resource.files.drop(identity)
                shown = {"id": identity, "object": "file", "deleted": True}
            case _:
                raise refusals.no_such_path()
        await call.reply(200, encode(shown), self._headers(call))

    async def _batch(self, call: HttpCall, ask: Ask, body: bytes) -> None:
        match call.method, ask.item:
            case "POST", ():
                shown = self._batches.create(body)
            case "GET", ():
                shown = self._batches.all()
            case "GET", (identity,):
                shown = self._batches.shown(identity)
            case "POST", (identity, "cancel"):
                shown = self._batches.cancel(identity)
            case _:
                raise refusals.no_such_path()
        await call.reply(200, encode(shown), self._headers(call))

    async def _stand(self, call: HttpCall, name: str, body: bytes) -> None:
        served = self._resource.deployment(name)
        if call.method == "PUT":
            try:
                standing = read_standing(body)
            except msgspec.DecodeError as error:
                raise refusals.malformed(f"{error}; expected a standing with a condition out of {', '.join(Condition)}") from error
            served.stand(standing)
        shown = {"deployment": name, "condition": served.condition, **msgspec.to_builtins(served.standing), "received": served.received}
        await call.reply(200, encode(shown), self._headers(call))

    def _headers(self, call: HttpCall, planned: Planned[Answer] | Planned[Vectors] | None = None) -> Headers:
        request_id = self._resource.token()
        headers = {
            "x-ms-region": self._resource.stage.region,
            "x-request-id": request_id,
            "apim-request-id": request_id,
            "x-changeover-sim": MODELLED,
        }
        if (client_id := call.headers.get("x-ms-client-request-id")) is not None:
            headers["x-ms-client-request-id"] = client_id
        if planned is not None:
            headers |= {**_deployment_headers(planned.served), "x-ms-rai-invoked": "true"}
            if planned.spilled_from is not None:
                headers["x-ms-spillover-from-deployment"] = planned.spilled_from
        return headers


def read(decode: Callable[[bytes], Request], body: bytes, *, what: str) -> Request:
    """The request in ``body``. Raises ``RefusalError``."""
    try:
        return decode(body)
    except msgspec.ValidationError as error:
        raise refusals.malformed(f"found a request that is no {what}: {error}") from error
    except msgspec.DecodeError as error:
        raise refusals.malformed(f"We could not parse the JSON body of your request: {error}") from error


def _named(in_path: str | None, in_body: str | None) -> str:
    """The deployment that is asked: the path wins."""
    name = in_path or in_body
    if name is None:
        raise refusals.malformed("you must provide a model parameter", param="model")
    return name


def _spillover(call: HttpCall) -> str | None:
    return call.headers.get("x-ms-spillover-deployment")


def _deployment_headers(served: Served) -> Headers:
    return {"x-ms-deployment-name": served.declared.name, **served.allowance.headers()}
