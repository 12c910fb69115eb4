"""Reading never crashes, and rewriting changes the model's name, the request for usage, and nothing else."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from changeover.wire.chat import WireError, read_chat_request, rewrite_chat_request
from changeover.wire.reply import ReplyFacts, read_reply

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8
)
OBJECTS = st.dictionaries(
    st.text(max_size=8) | st.sampled_from(["stream", "stream_options", "user", "usage", "choices", "error"]), VALUES, max_size=6
)
REPLY_PARTS = ["model", "system_fingerprint", "choices", "usage", "prompt_filter_results", "error"]


def exactly(body: bytes) -> Any:
    """The document with every number as its text."""
    return json.loads(body, parse_float=str, parse_int=str)


def sent_or_refusal(body: bytes, path_task: str | None) -> bytes | WireError:
    try:
        return rewrite_chat_request(read_chat_request(body, path_task=path_task), model="gpt", include_usage=True)
    except WireError as error:
        return error


@given(fields=OBJECTS, old=st.text(min_size=1), new=st.none() | st.text(), ascii_only=st.booleans(), include_usage=st.booleans())
def test_a_rewritten_request_is_the_same_but_for_model_and_usage(
    fields: dict[str, Any], old: str, new: str | None, ascii_only: bool, include_usage: bool
) -> None:
    body = json.dumps({**fields, "model": old}, ensure_ascii=ascii_only).encode()
    request = read_chat_request(body)
    assert request.model == old
    before, after = exactly(body), exactly(rewrite_chat_request(request, model=new, include_usage=include_usage))
    assert after.pop("model") == (old if new is None else new)
    before.pop("model")
    options, sent_options = before.pop("stream_options", None), after.pop("stream_options", None)
    assert after == before
    if include_usage and (options is None or isinstance(options, dict)):
        assert sent_options == {**(options or {}), "include_usage": True}
    else:
        assert sent_options == options


@given(body=st.binary(max_size=200) | OBJECTS.map(lambda fields: json.dumps(fields).encode()), path_task=st.none() | st.just("mail"))
def test_any_bytes_are_read_or_refused(body: bytes, path_task: str | None) -> None:
    answer = sent_or_refusal(body, path_task)
    assert answer.status == 400 if isinstance(answer, WireError) else "model" in json.loads(answer)


@given(st.binary(max_size=200) | st.dictionaries(st.sampled_from(REPLY_PARTS), VALUES).map(lambda parts: json.dumps(parts).encode()))
def test_any_answer_is_read_without_complaint(body: bytes) -> None:
    assert isinstance(read_reply(body), ReplyFacts)
