"""What do the bytes of a chat completion look like? As Azure sends them, whole and as server-sent events."""

from changeover.azure_sim.answer import STREAM_END, Answer, Frames, Json, data_event, encode


def completion(answer: Answer) -> bytes:
    """The whole answer as one JSON body. What the filter stopped is not in it."""
    choice: Json = {
        "index": 0,
        "message": _message(answer),
        "finish_reason": answer.finish.value,
        "logprobs": None,
        "content_filter_results": answer.marks.completion_results(),
    }
    frame = _frame(answer, kind="chat.completion", choices=[choice])
    return encode(frame | {"prompt_filter_results": prompt_filter_results(answer), "usage": usage(answer)})


def completion_events(answer: Answer, *, with_usage: bool) -> Frames:
    """The stream. Its first event has no choices, no id and no model, only what the filter found in the prompt."""
    first: Json = {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": prompt_filter_results(answer)}
    last = _delta_event(answer, delta={}, filters=_last_filters(answer), with_usage=with_usage, finish_reason=answer.finish.value)
    said = data_event(_frame(answer, kind="chat.completion.chunk", choices=[]) | {"usage": usage(answer)}) if with_usage else b""
    return Frames(
        opening=data_event(first) + _delta_event(answer, delta=_first_delta(answer), filters={}, with_usage=with_usage),
        pieces=tuple(
            _delta_event(answer, delta=_delta(answer, piece), filters=answer.marks.annotated_results(), with_usage=with_usage)
            for piece in answer.pieces
        ),
        closing=last + said + STREAM_END,
    )


def prompt_filter_results(answer: Answer) -> list[Json]:
    return [{"prompt_index": 0, "content_filter_results": answer.marks.prompt_results()}]


def usage(answer: Answer) -> Json:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": answer.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _message(answer: Answer) -> Json:
    if answer.filtered:
        return {"role": "assistant"}
    message: Json = {"role": "assistant", "content": answer.text, "refusal": None, "annotations": []}
    if answer.tool is None:
        return message
    return message | {"content": None, "tool_calls": [_call(answer, answer.text)]}


def _call(answer: Answer, arguments: str) -> Json:
    return {"id": f"call_{answer.token[:24]}", "type": "function", "function": {"name": answer.tool, "arguments": arguments}}


def _first_delta(answer: Answer) -> Json:
    if answer.tool is None:
        return {"role": "assistant", "content": "", "refusal": None}
    return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [{"index": 0, **_call(answer, "")}]}


def _delta(answer: Answer, piece: str) -> Json:
    return {"content": piece} if answer.tool is None else {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


def _last_filters(answer: Answer) -> Json:
    return answer.marks.completion_results() if answer.filtered else {}


def _delta_event(answer: Answer, *, delta: Json, filters: Json, with_usage: bool, finish_reason: str | None = None) -> bytes:
    choice: Json = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None, "content_filter_results": filters}
    frame = _frame(answer, kind="chat.completion.chunk", choices=[choice])
    return data_event(frame | {"usage": None} if with_usage else frame)


def _frame(answer: Answer, *, kind: str, choices: list[Json]) -> Json:
    return {
        "id": f"chatcmpl-{answer.token}",
        "object": kind,
        "created": answer.created,
        "model": answer.model,
        "system_fingerprint": answer.fingerprint,
        "choices": choices,
    }
