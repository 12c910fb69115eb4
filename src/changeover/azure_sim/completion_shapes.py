"""What do the bytes of a (legacy) completion look like?"""

from changeover.azure_sim.answer import STREAM_END, Answer, Frames, Json, data_event, encode
from changeover.azure_sim.shapes import prompt_filter_results, usage


def text_completion(answer: Answer) -> bytes:
    text = "" if answer.filtered else answer.text
    frame = _frame(answer, text=text, filters=answer.marks.completion_results(), finish_reason=answer.finish.value)
    return encode(frame | {"prompt_filter_results": prompt_filter_results(answer), "usage": usage(answer)})


def text_completion_events(answer: Answer, *, with_usage: bool) -> Frames:
    """The stream. As with chat, its first event has no choices."""
    nothing: Json = {"usage": None} if with_usage else {}
    first: Json = {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": prompt_filter_results(answer)}
    last = _frame(answer, text="", filters=answer.marks.completion_results(), finish_reason=answer.finish.value)
    said = data_event(_frame(answer, text=None, filters={}, finish_reason=None) | {"usage": usage(answer)}) if with_usage else b""
    return Frames(
        opening=data_event(first),
        pieces=tuple(
            data_event(_frame(answer, text=piece, filters=answer.marks.annotated_results(), finish_reason=None) | nothing)
            for piece in answer.pieces
        ),
        closing=data_event(last | nothing) + said + STREAM_END,
    )


def _frame(answer: Answer, *, text: str | None, filters: Json, finish_reason: str | None) -> Json:
    choice: Json = {"text": text, "index": 0, "finish_reason": finish_reason, "logprobs": None, "content_filter_results": filters}
    return {
        "id": f"cmpl-{answer.token}",
        "object": "text_completion",
        "created": answer.created,
        "model": answer.model,
        "system_fingerprint": answer.fingerprint,
        "choices": [] if text is None else [choice],
    }
