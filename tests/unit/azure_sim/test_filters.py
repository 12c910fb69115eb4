"""The content filter finds what a mark in the prompt tells it to find: before the answer, behind it, or only to note it."""

import json
from typing import Any

import pytest

from changeover.azure_sim.resource import Resource
from tests.unit.azure_sim.wire import DOCUMENT, KEY, V1, Call, a_stage, ask, ask_one, chat

NAME = "prod-v0115"
FIRST = "The reader opens a file (in text mode), which must exist."


@pytest.fixture
def resource() -> Resource:
    return Resource(a_stage(), key=KEY)


def marked(mark: str, **more: Any) -> Call:
    return Call(json=chat(f"[sim:{mark}] {DOCUMENT}", **more))


@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_prompt_is_answered_400_with_what_was_found(resource: Resource, stream: bool) -> None:
    reply = ask_one(resource, marked("block-prompt-hate", stream=stream))
    error = reply.json()["error"]
    assert reply.status_code == 400
    assert (error["code"], error["type"], error["param"], error["status"]) == ("content_filter", None, "prompt", 400)
    assert error["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    found = error["innererror"]["content_filter_result"]
    assert found["hate"] == {"filtered": True, "severity": "high"}
    assert found["violence"] == {"filtered": False, "severity": "safe"}
    assert found["jailbreak"] == {"filtered": False, "detected": False}


def test_a_jailbreak_is_detected_rather_than_weighed(resource: Resource) -> None:
    blocked, noted = ask(resource, marked("block-prompt-jailbreak"), marked("annotate-prompt-jailbreak"))
    assert blocked.json()["error"]["innererror"]["content_filter_result"]["jailbreak"] == {"filtered": True, "detected": True}
    assert noted.json()["prompt_filter_results"][0]["content_filter_results"]["jailbreak"] == {"filtered": False, "detected": True}


def test_a_blocked_completion_is_a_200_without_content(resource: Resource) -> None:
    reply = ask_one(resource, marked("block-completion"))
    [choice] = reply.json()["choices"]
    assert (reply.status_code, choice["finish_reason"], choice["message"]) == (200, "content_filter", {"role": "assistant"})
    assert choice["content_filter_results"]["violence"] == {"filtered": True, "severity": "high"}


def test_a_stream_ends_where_the_filter_steps_in(resource: Resource) -> None:
    reply = ask_one(resource, marked("block-completion-sexual", stream=True))
    *_, piece, last = [json.loads(line.removeprefix("data: ")) for line in reply.text.split("\n\n")[:-2]]
    assert piece["choices"][0]["content_filter_results"]["sexual"]["filtered"] is False
    assert last["choices"][0]["finish_reason"] == "content_filter"
    assert last["choices"][0]["content_filter_results"]["sexual"] == {"filtered": True, "severity": "high"}


def test_what_is_only_noted_stops_nothing(resource: Resource) -> None:
    body = ask_one(resource, marked("annotate-completion-self_harm")).json()
    [choice] = body["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("stop", FIRST)
    assert choice["content_filter_results"]["self_harm"] == {"filtered": False, "severity": "low"}


def test_a_filtered_response_is_incomplete_and_a_blocked_input_is_refused(resource: Resource) -> None:
    path, ask_for = V1.replace("chat/completions", "responses"), f"] {DOCUMENT}"
    filtered, refused = ask(
        resource,
        Call(path=path, json={"model": NAME, "input": f"[sim:block-completion{ask_for}"}),
        Call(path=path, json={"model": NAME, "input": f"[sim:block-prompt{ask_for}"}),
    )
    assert (filtered.json()["status"], filtered.json()["incomplete_details"]) == ("incomplete", {"reason": "content_filter"})
    assert filtered.json()["content_filters"][0]["blocked"] is True
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "content_filter")


def test_embeddings_are_filtered_on_their_input(resource: Resource) -> None:
    from changeover.azure_sim.embedding_request import read_embedding

    assert read_embedding(b'{"input": ["a", "[sim:block-prompt] b"]}').marks().block_prompt == {"violence"}


def test_text_that_is_no_mark_is_left_alone(resource: Resource) -> None:
    document = "It says [sim:block-everything] in the text. It never writes. The file is closed at the end."
    body = ask_one(resource, Call(json=chat(document))).json()
    assert body["choices"][0]["message"]["content"] == "It says [sim:block-everything] in the text."
