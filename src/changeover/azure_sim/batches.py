"""What becomes of a batch? Its lines are answered by the deployments they name; it shows itself done a little later."""

import time
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from changeover.azure_sim import refusals, shapes
from changeover.azure_sim.chat_request import read_chat
from changeover.azure_sim.embedding_request import read_embedding
from changeover.azure_sim.embedding_shapes import embedding_list
from changeover.azure_sim.files_shelf import Held
from changeover.azure_sim.refusals import RefusalError
from changeover.azure_sim.resource import Resource

Json = dict[str, Any]
TAKES_S: Final = 1.0
"""From its creation until it shows itself completed."""
LINES_MAX: Final = 10_000
"""Fewer than Azure takes: all are answered while the caller waits."""
_CHAT: Final = frozenset({"/chat/completions", "/v1/chat/completions"})
_EMBEDDINGS: Final = frozenset({"/embeddings", "/v1/embeddings"})


class BatchRequest(msgspec.Struct, frozen=True):
    input_file_id: str
    endpoint: str
    completion_window: Literal["24h"] = "24h"
    metadata: dict[str, str] | None = None


class Line(msgspec.Struct, frozen=True):
    """One call: ``body`` names its deployment as ``model``."""

    custom_id: str
    body: msgspec.Raw


class Named(msgspec.Struct, frozen=True):
    model: str


class Batch(msgspec.Struct, kw_only=True):
    """``output`` and ``errors`` are files, which are there from the start but not shown before the end."""

    id: str
    request: BatchRequest
    created_at: float
    output: Held
    errors: Held
    completed: int
    failed: int
    cancelled: bool = False


class Batches:
    """All batches of one resource. ``now`` is Unix time."""

    def __init__(self, resource: Resource, *, now: Callable[[], float] = time.time) -> None:
        self._resource = resource
        self._now = now
        self._batches: dict[str, Batch] = {}

    def create(self, body: bytes) -> Json:
        """Raises ``RefusalError``."""
        try:
            request = msgspec.json.decode(body, type=BatchRequest)
        except msgspec.DecodeError as error:
            raise refusals.malformed(f"found a request that is no batch: {error}") from error
        if request.endpoint not in _CHAT | _EMBEDDINGS:
            raise refusals.malformed(f"found the endpoint {request.endpoint}; expected /chat/completions or /embeddings", param="endpoint")
        lines = self._resource.files.get(request.input_file_id).content.splitlines()
        if not 0 < len(lines) <= LINES_MAX:
            raise refusals.malformed(f"found {len(lines)} lines; expected 1 to {LINES_MAX}", param="input_file_id")
        batch = self._answered(request, lines)
        self._batches[batch.id] = batch
        return self.shown(batch.id)

    def cancel(self, identity: str) -> Json:
        batch = self._find(identity)
        batch.cancelled = batch.cancelled or self._now() < batch.created_at + TAKES_S
        return self.shown(identity)

    def all(self) -> Json:
        return {"object": "list", "data": [self.shown(identity) for identity in self._batches], "has_more": False}

    def shown(self, identity: str) -> Json:
        """Raises ``RefusalError``."""
        batch = self._find(identity)
        done = self._now() >= batch.created_at + TAKES_S and not batch.cancelled
        if done:
            for file in (batch.output, batch.errors):
                self._resource.files.add(file)
        total = batch.completed + batch.failed
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": batch.request.endpoint,
            "errors": None,
            "input_file_id": batch.request.input_file_id,
            "completion_window": batch.request.completion_window,
            "status": "cancelled" if batch.cancelled else "completed" if done else "in_progress",
            "output_file_id": batch.output.id if done and batch.completed else None,
            "error_file_id": batch.errors.id if done and batch.failed else None,
            "created_at": int(batch.created_at),
            "completed_at": int(batch.created_at + TAKES_S) if done else None,
            "request_counts": {
                "total": total,
                "completed": batch.completed if done else 0,
                "failed": batch.failed if done else 0,
            },
            "metadata": batch.request.metadata,
        }

    def _answered(self, request: BatchRequest, lines: list[bytes]) -> Batch:
        answered: list[bytes] = []
        failed: list[bytes] = []
        for number, text in enumerate(lines, 1):
            custom_id, status, body = self._line(request, text, number=number)
            response = {"status_code": status, "request_id": self._resource.token(), "body": msgspec.Raw(body)}
            shown = {"id": f"batch_req_{self._resource.token()}", "custom_id": custom_id, "response": response, "error": None}
            (answered if status == 200 else failed).append(msgspec.json.encode(shown))
        now = self._now()
        return Batch(
            id=f"batch_{self._resource.token()}",
            request=request,
            created_at=now,
            output=self._file("output", answered, now),
            errors=self._file("errors", failed, now),
            completed=len(answered),
            failed=len(failed),
        )

    def _line(self, request: BatchRequest, text: bytes, *, number: int) -> tuple[str, int, bytes]:
        """Id, status and body of one line's answer."""
        try:
            line = msgspec.json.decode(text, type=Line)
            name = msgspec.json.decode(line.body, type=Named).model
        except msgspec.DecodeError as error:
            return f"line-{number}", 400, refusals.malformed(f"found a line that is no call: {error}").body()
        try:
            return line.custom_id, 200, self._body(request, name, bytes(line.body))
        except RefusalError as refusal:
            return line.custom_id, refusal.status, refusal.body()
        except msgspec.DecodeError as error:
            return line.custom_id, 400, refusals.malformed(f"found a body that is no request: {error}").body()

    def _body(self, request: BatchRequest, name: str, body: bytes) -> bytes:
        if request.endpoint in _EMBEDDINGS:
            return embedding_list(self._resource.embed(name, read_embedding(body)).answer)
        return shapes.completion(self._resource.plan(name, read_chat(body).prompt()).answer)

    def _file(self, what: str, lines: list[bytes], now: float) -> Held:
        content = b"".join(line + b"\n" for line in lines)
        return Held(id=f"file-{self._resource.token()}", name=f"{what}.jsonl", purpose="batch_output", created=int(now), content=content)

    def _find(self, identity: str) -> Batch:
        batch = self._batches.get(identity)
        if batch is None:
            raise refusals.no_such_thing(f"No batch found with id '{identity}'.", param="batch_id")
        return batch
