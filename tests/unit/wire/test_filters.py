"""What a content filter found is told by side, category and severity, and whether it acted."""

import json
from typing import Any

import pytest

from changeover.wire.filters import EVENTS_MAX, FilterEvent, filter_events, is_quiet, merged, prompt_events
from changeover.wire.reply import read_reply

SAFE = {"hate": {"filtered": False, "severity": "safe"}, "jailbreak": {"filtered": False, "detected": False}}
MIXED = {
    **SAFE,
    "violence": {"filtered": True, "severity": "high"},
    "self-harm": {"filtered": False, "severity": "low"},
    "protected_material_text": {"filtered": False, "detected": True},
    "custom_blocklists": [{"filtered": False, "id": "a"}, {"filtered": True, "id": "b"}],
}


def found(side: Any) -> tuple[FilterEvent, ...]:
    return (
        FilterEvent(side=side, category="violence", severity="high", filtered=True),
        FilterEvent(side=side, category="self_harm", severity="low"),
        FilterEvent(side=side, category="protected_material_text", detected=True),
        FilterEvent(side=side, category="custom_blocklists", filtered=True),
    )


def read(body: object) -> tuple[FilterEvent, ...]:
    return read_reply(json.dumps(body).encode()).filters


def test_each_side_of_a_chat_answer_is_told_apart() -> None:
    safe, mixed = {"content_filter_results": SAFE}, {"content_filter_results": MIXED}
    body = {"prompt_filter_results": [{"prompt_index": 0, **safe}, {"prompt_index": 1, **mixed}], "choices": [safe, mixed]}
    assert read(body) == found("prompt") + found("completion")


@pytest.mark.parametrize("key", ["content_filter_result", "content_filter_results"])
def test_a_refused_prompt_says_why(key: str) -> None:
    error = {"code": "content_filter", "message": "x", "innererror": {"code": "ResponsibleAIPolicyViolation", key: MIXED}}
    assert read({"error": error}) == found("prompt")
    assert read({"error": {"code": "content_filter", key: MIXED}}) == found("prompt")


def test_a_response_says_the_side_of_each_entry() -> None:
    filters = [{"source_type": "prompt", "content_filter_results": MIXED}, {"source_type": "completion", "content_filter_results": MIXED}]
    assert read({"object": "response", "content_filters": filters}) == found("prompt") + found("completion")


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" ,", " : ")])
def test_safe_annotations_are_no_events_however_they_are_spaced(separators: tuple[str, str]) -> None:
    text = json.dumps(SAFE, separators=separators).encode()
    assert is_quiet(text)
    assert tuple(filter_events(text, "prompt")) == ()
    assert not is_quiet(json.dumps(MIXED, separators=separators).encode())


@pytest.mark.parametrize("finding", [{"filtered": False, "detected": True}, {"filtered": True, "severity": "safe"}, {"filtered": True}])
def test_a_finding_without_a_severity_is_one_too(finding: dict[str, object]) -> None:
    assert len(tuple(filter_events(json.dumps({"jailbreak": finding}).encode(), "prompt"))) == 1


STRANGE = [b"", b"null", b"[]", b"3", b"{", b'{"a":true}', b'[true,{"filtered":true}]', b'{"a":{"filtered":"true"}}']


@pytest.mark.parametrize("results", STRANGE)
def test_strange_results_are_no_events(results: bytes) -> None:
    assert tuple(filter_events(results, "prompt")) == ()
    assert tuple(prompt_events(results)) == ()


def test_what_was_seen_before_is_not_told_twice_and_there_is_an_end() -> None:
    one = FilterEvent(side="prompt", category="hate", filtered=True)
    assert merged((one,), iter([one, one])) == (one,)
    many = (FilterEvent(side="prompt", category=str(index)) for index in range(EVENTS_MAX + 5))
    assert len(merged((one,), many)) == EVENTS_MAX
