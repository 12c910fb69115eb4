"""What do the bytes of a response look like? The Responses API, whole and as server-sent events with its own names."""

from collections.abc import Iterator
from typing import Final

from changeover.azure_sim.answer import Answer, Finish, Frames, Json, encode
from changeover.azure_sim.responses_request import ResponsesRequest

_INCOMPLETE: Final[dict[Finish, str]] = {Finish.LENGTH: "max_output_tokens", Finish.FILTER: "content_filter"}


def response_id(answer: Answer) -> str:
    return f"resp_{answer.token}"


def response(answer: Answer, request: ResponsesRequest) -> bytes:
    return encode(_response(answer, request))


def response_events(answer: Answer, request: ResponsesRequest) -> Frames:
    """The stream. Each event has a name, a type and a number; there is no ``[DONE]``."""
    not_yet: Json = {"status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    begun = _response(answer, request) | not_yet
    numbered = _Numbered()
    opening = numbered.event("response.created", response=begun) + numbered.event("response.in_progress", response=begun)
    opening += b"".join(numbered.event(kind, **fields) for kind, fields in _before_text(answer))
    kind = "response.output_text.delta" if answer.tool is None else "response.function_call_arguments.delta"
    pieces = tuple(numbered.event(kind, **_place(answer), delta=piece, **_logprobs(answer)) for piece in answer.pieces)
    closing = b"".join(numbered.event(kind, **fields) for kind, fields in _after_text(answer))
    ended = "response.incomplete" if answer.finish in _INCOMPLETE else "response.completed"
    return Frames(opening=opening, pieces=pieces, closing=closing + numbered.event(ended, response=_response(answer, request)))


def deleted(response_id: str) -> bytes:
    return encode({"id": response_id, "object": "response", "deleted": True})


class _Numbered:
    """Events in order."""

    def __init__(self) -> None:
        self._next = 0

    def event(self, kind: str, **fields: object) -> bytes:
        body = encode({"type": kind, "sequence_number": self._next, **fields})
        self._next += 1
        return b"event: " + kind.encode() + b"\ndata: " + body + b"\n\n"


def _before_text(answer: Answer) -> Iterator[tuple[str, Json]]:
    if answer.reasoning_tokens:
        yield "response.output_item.added", {"output_index": 0, "item": _thought(answer)}
        yield "response.output_item.done", {"output_index": 0, "item": _thought(answer)}
    empty: Json = {"content": []} if answer.tool is None else {"arguments": ""}
    yield "response.output_item.added", {"output_index": _index(answer), "item": _item(answer) | {"status": "in_progress"} | empty}
    if answer.tool is None:
        yield "response.content_part.added", {**_place(answer), "part": _part("")}


def _after_text(answer: Answer) -> Iterator[tuple[str, Json]]:
    if answer.tool is None:
        yield "response.output_text.done", {**_place(answer), "text": answer.text, "logprobs": []}
        yield "response.content_part.done", {**_place(answer), "part": _part(answer.text)}
    else:
        yield "response.function_call_arguments.done", {**_place(answer), "name": answer.tool, "arguments": answer.text}
    yield "response.output_item.done", {"output_index": _index(answer), "item": _item(answer)}


def _response(answer: Answer, request: ResponsesRequest) -> Json:
    reason = _INCOMPLETE.get(answer.finish)
    reasoning = request.reasoning
    return {
        "id": response_id(answer),
        "object": "response",
        "created_at": answer.created,
        "status": "incomplete" if reason else "completed",
        "background": False,
        "content_filters": [_content_filter(answer)],
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": request.instructions,
        "max_output_tokens": request.max_output_tokens,
        "model": answer.model,
        "output": _output(answer),
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "previous_response_id": request.previous_response_id,
        "reasoning": {"effort": reasoning and reasoning.effort, "summary": reasoning and reasoning.summary},
        "service_tier": "default",
        "store": request.store is not False,
        "temperature": 1.0 if request.temperature is None else request.temperature,
        "text": {"format": (request.text and request.text.format) or {"type": "text"}},
        "tool_choice": request.tool_choice or "auto",
        "tools": request.tools or [],
        "top_logprobs": 0,
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "truncation": "disabled",
        "usage": _usage(answer),
        "user": None,
        "metadata": request.metadata or {},
    }


def _output(answer: Answer) -> list[Json]:
    items = [_thought(answer)] if answer.reasoning_tokens else []
    return items if answer.filtered else [*items, _item(answer)]


def _index(answer: Answer) -> int:
    return 1 if answer.reasoning_tokens else 0


def _thought(answer: Answer) -> Json:
    return {"id": f"rs_{answer.token}", "type": "reasoning", "summary": []}


def _item_id(answer: Answer) -> str:
    return f"msg_{answer.token}" if answer.tool is None else f"fc_{answer.token}"


def _item(answer: Answer) -> Json:
    status = "incomplete" if answer.finish in _INCOMPLETE else "completed"
    if answer.tool is None:
        return {"id": _item_id(answer), "type": "message", "status": status, "content": [_part(answer.text)], "role": "assistant"}
    call = {"arguments": answer.text, "call_id": f"call_{answer.token[:24]}", "name": answer.tool}
    return {"id": _item_id(answer), "type": "function_call", "status": status, **call}


def _part(text: str) -> Json:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _place(answer: Answer) -> Json:
    place: Json = {"item_id": _item_id(answer), "output_index": _index(answer)}
    return place | {"content_index": 0} if answer.tool is None else place


def _logprobs(answer: Answer) -> Json:
    return {"logprobs": []} if answer.tool is None else {}


def _content_filter(answer: Answer) -> Json:
    """Azure adds this; its exact shape is not documented, and this one is a guess in the manner of chat."""
    return {"blocked": answer.filtered, "source_type": "completion", "content_filter_results": answer.marks.completion_results()}


def _usage(answer: Answer) -> Json:
    return {
        "input_tokens": answer.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": answer.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
        "total_tokens": answer.tokens,
    }
