"""An answer's facts are what it says; what it does not say is unknown, never zero."""

import json
from typing import Any

import msgspec
import pytest

from changeover.wire.reply import NO_FACTS, ReplyFacts, Usage, read_reply

SAFE = {"hate": {"filtered": False, "severity": "safe"}, "jailbreak": {"filtered": False, "detected": False}}
HARSH = {"hate": {"filtered": True, "severity": "high"}}


def answer(**parts: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": '"filtered":true'}, "finish_reason": "stop"}
    return {"id": "x", "model": "gpt-4o-2024-11-20", "system_fingerprint": "fp_1", "choices": [choice], **parts}


def read(body: object) -> ReplyFacts:
    return read_reply(json.dumps(body).encode())


def test_an_azure_answer_is_read_whole() -> None:
    body = answer(
        prompt_filter_results=[{"prompt_index": 0, "content_filter_results": SAFE}],
        choices=[{"index": 0, "message": {"content": "x"}, "finish_reason": "length", "content_filter_results": SAFE}],
        usage={
            "prompt_tokens": 11,
            "completion_tokens": 7,
            "total_tokens": 18,
            "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    )
    assert read(body) == ReplyFacts(
        model="gpt-4o-2024-11-20",
        fingerprint="fp_1",
        finish_reason="length",
        filtered=False,
        tokens=Usage(prompt=11, completion=7, cached=4, reasoning=0),
    )


def test_unreported_tokens_are_unknown() -> None:
    assert read(answer()).tokens is None
    assert read(answer(usage=None)).tokens is None
    assert read(answer(usage={"prompt_tokens": 3, "completion_tokens": None})).tokens == Usage(prompt=3)


@pytest.mark.parametrize(
    "parts",
    [
        {"choices": [{"finish_reason": "stop", "content_filter_results": HARSH}]},
        {"prompt_filter_results": [{"content_filter_results": HARSH}]},
        {"choices": [{"finish_reason": "content_filter"}]},
        {"choices": [{"finish_reason": "stop"}, {"finish_reason": "content_filter"}]},
        {"choices": [{"finish_reason": "stop", "content_filter_results": {"custom_blocklists": [{"filtered": True, "id": "b"}]}}]},
    ],
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", " : ")])
def test_a_filter_that_acted_is_seen_wherever_it_says_so(parts: dict[str, Any], separators: tuple[str, str]) -> None:
    assert read_reply(json.dumps(answer(**parts), separators=separators).encode()).filtered is True


def test_model_text_cannot_pose_as_a_filter() -> None:
    assert read(answer()).filtered is False
    posing = {"custom": {"filtered": False, "detail": '{"filtered":true}'}}
    assert read(answer(choices=[{"finish_reason": "stop", "content_filter_results": posing}])).filtered is False


def test_without_annotations_and_without_an_end_filtering_is_unknown() -> None:
    assert read({"model": "m", "choices": [{"finish_reason": None}]}).filtered is None


def test_a_filtered_prompt_is_filtered_and_carries_its_code() -> None:
    body = {"error": {"code": "content_filter", "param": "prompt", "status": 400, "innererror": {"content_filter_result": HARSH}}}
    facts = read(body)
    assert (facts.filtered, facts.error) == (True, "content_filter")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": "DeploymentNotFound"}, "DeploymentNotFound"),
        ({"code": 429}, "429"),
        ({"code": None, "type": "server_error"}, "server_error"),
        ({"message": "no"}, "error"),
        ("no", "error"),
        (None, None),
        ({}, None),
    ],
)
def test_an_error_is_named_by_its_code(error: object, code: str | None) -> None:
    assert read({"error": error}).error == code


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"<html>", b'{"choices":', b"\xff", b'{"a":' + b"[" * 5000, b'{"model":"\xff"}', b'{"model":"\\ud800"}']
)
def test_what_is_no_answer_says_nothing(body: bytes) -> None:
    assert read_reply(body) == NO_FACTS


def test_a_part_of_a_strange_type_hides_no_other() -> None:
    body = {
        "model": 4,
        "system_fingerprint": "fp",
        "choices": [{"finish_reason": 3, "content_filter_results": HARSH}, "x", {"finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": "many",
            "completion_tokens": 5,
            "prompt_tokens_details": 3,
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
    }
    found = read(body)
    assert {event.category for event in found.filters if event.filtered} == {"hate"}
    assert msgspec.structs.replace(found, filters=()) == ReplyFacts(
        fingerprint="fp", finish_reason="stop", filtered=True, tokens=Usage(completion=5, reasoning=2)
    )


def test_empty_names_are_unknown() -> None:
    facts = read(answer(model="", system_fingerprint=""))
    assert (facts.model, facts.fingerprint) == (None, None)


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "gpt-4o-2024-11-20",
    "error": None,
    "incomplete_details": None,
    "output": [{"type": "message", "content": [{"type": "output_text", "text": '"status":"failed"'}]}],
    "usage": {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 2},
    },
}
TOKENS = Usage(prompt=9, completion=3, cached=4, reasoning=2)


@pytest.mark.parametrize(
    ("parts", "end", "filtered"),
    [
        ({}, "completed", False),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "max_output_tokens", False),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter", True),
        ({"incomplete_details": 3}, "completed", False),
        ({"content_filters": [{"source_type": "prompt", "content_filter_results": SAFE}]}, "completed", False),
    ],
)
def test_a_response_is_read_in_its_own_words(parts: dict[str, Any], end: str, filtered: bool) -> None:
    assert read({**RESPONSE, **parts}) == ReplyFacts(
        model="gpt-4o-2024-11-20", finish_reason=end, filtered=filtered, tokens=TOKENS, response_id="resp_1"
    )


def test_a_response_that_failed_says_its_error() -> None:
    found = read({**RESPONSE, "status": "failed", "error": {"code": "server_error", "message": "x"}})
    assert (found.error, found.finish_reason) == ("server_error", "failed")


def test_a_strange_response_still_says_who_it_is() -> None:
    found = read({**RESPONSE, "model": 3, "usage": {**RESPONSE["usage"], "input_tokens": "many"}})  # type: ignore[dict-item]
    assert (found.response_id, found.finish_reason, found.tokens) == ("resp_1", "completed", Usage(completion=3, cached=4, reasoning=2))


def test_only_a_response_has_an_id_to_be_continued_by() -> None:
    assert read(answer()).response_id is None
    assert read({**RESPONSE, "object": "chat.completion"}).response_id is None


def test_embeddings_have_usage_without_a_completion_and_no_end() -> None:
    body = {"object": "list", "model": "text-embedding-3-small", "data": [{"embedding": "AAAA", "index": 0}]}
    found = read({**body, "usage": {"prompt_tokens": 5, "total_tokens": 5}})
    assert found == ReplyFacts(model="text-embedding-3-small", tokens=Usage(prompt=5))


def test_a_completion_is_read_like_a_chat() -> None:
    body = {"object": "text_completion", "model": "m", "choices": [{"text": "Hi", "finish_reason": "length"}]}
    found = read({**body, "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
    assert found == ReplyFacts(model="m", finish_reason="length", filtered=False, tokens=Usage(prompt=1, completion=2))


def test_what_the_answer_before_said_of_its_filters_is_not_said_of_this_one() -> None:
    quiet, harsh, silent = answer(prompt_filter_results=prompt(SAFE)), answer(prompt_filter_results=prompt(HARSH)), answer()
    for body, filtered in ((quiet, False), (harsh, True), (harsh, True), (quiet, False), (silent, False), (harsh, True)):
        facts = read(body)
        assert (facts.filtered, bool(facts.filters)) == (filtered, filtered)


def prompt(results: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"prompt_index": 0, "content_filter_results": results}]
