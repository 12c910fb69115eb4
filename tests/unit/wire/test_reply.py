"""An answer's facts are what it says; what it does not say is unknown, never zero."""

import json
from typing import Any

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
    assert read(body) == ReplyFacts(fingerprint="fp", finish_reason="stop", filtered=True, tokens=Usage(completion=5, reasoning=2))


def test_empty_names_are_unknown() -> None:
    facts = read(answer(model="", system_fingerprint=""))
    assert (facts.model, facts.fingerprint) == (None, None)
