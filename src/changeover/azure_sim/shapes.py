"""What do the bytes of an answer look like? Chat completions as Azure sends them, whole and as server-sent events."""

from typing import Final

import msgspec

Json = dict[str, object]

_SAFE: Final[Json] = {"filtered": False, "severity": "safe"}
FILTER_RESULTS: Final[Json] = {"hate": _SAFE, "self_harm": _SAFE, "sexual": _SAFE, "violence": _SAFE}
PROMPT_FILTER_RESULTS: Final[list[Json]] = [
    {"prompt_index": 0, "content_filter_results": {**FILTER_RESULTS, "jailbreak": {"filtered": False, "detected": False}}}
]
STREAM_END: Final = b"data: [DONE]\n\n"
_encode = msgspec.json.Encoder().encode


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A summary ready to be sent. ``pieces`` are what a stream's deltas carry; together they are ``text``."""

    id: str
    created: int
    model: str
    fingerprint: str
    pieces: tuple[str, ...]
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def completion(answer: Answer) -> bytes:
    """The whole answer as one JSON body."""
    choice: Json = {
        "index": 0,
        "message": {"role": "assistant", "content": answer.text, "refusal": None, "annotations": []},
        "finish_reason": answer.finish_reason,
        "logprobs": None,
        "content_filter_results": FILTER_RESULTS,
    }
    frame = _frame(answer, kind="chat.completion", choices=[choice])
    return _encode(frame | {"prompt_filter_results": PROMPT_FILTER_RESULTS, "usage": _usage(answer)})


def opening_event() -> bytes:
    """The first event of a stream: no choices, no id, no model, only what the filter found in the prompt."""
    return _event({"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": PROMPT_FILTER_RESULTS})


def role_event(answer: Answer, *, with_usage: bool) -> bytes:
    return _delta_event(answer, delta={"role": "assistant", "content": "", "refusal": None}, filters={}, with_usage=with_usage)


def piece_event(answer: Answer, piece: str, *, with_usage: bool) -> bytes:
    return _delta_event(answer, delta={"content": piece}, filters=FILTER_RESULTS, with_usage=with_usage)


def finish_event(answer: Answer, *, with_usage: bool) -> bytes:
    return _delta_event(answer, delta={}, filters={}, with_usage=with_usage, finish_reason=answer.finish_reason)


def usage_event(answer: Answer) -> bytes:
    """The last event before the end, only for those who asked with ``stream_options.include_usage``."""
    return _event(_frame(answer, kind="chat.completion.chunk", choices=[]) | {"usage": _usage(answer)})


def _delta_event(answer: Answer, *, delta: Json, filters: Json, with_usage: bool, finish_reason: str | None = None) -> bytes:
    choice: Json = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None, "content_filter_results": filters}
    frame = _frame(answer, kind="chat.completion.chunk", choices=[choice])
    return _event(frame | {"usage": None} if with_usage else frame)


def _frame(answer: Answer, *, kind: str, choices: list[Json]) -> Json:
    return {
        "id": answer.id,
        "object": kind,
        "created": answer.created,
        "model": answer.model,
        "system_fingerprint": answer.fingerprint,
        "choices": choices,
    }


def _usage(answer: Answer) -> Json:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _event(body: Json) -> bytes:
    return b"data: " + _encode(body) + b"\n\n"
