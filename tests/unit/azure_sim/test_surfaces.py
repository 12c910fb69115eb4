"""Both surfaces serve every API: responses, completions, embeddings, models, moderations, files."""

import base64
import json
import struct
from typing import Any

import msgspec
import pytest

from changeover.azure_sim.resource import Resource
from changeover.azure_sim.stage import Stage, summariser_stage
from tests.unit.azure_sim.wire import AT_ONCE, DOCUMENT, KEY, Call, ask, ask_one, chat

WRITER, REASONER, EMBEDDER = "summariser-prod-v0115", "reasoner-prod-v1001", "embedder-prod-v0201"
FIRST = "The reader opens a file (in text mode), which must exist."
VERSION = "?api-version=2025-04-01-preview"
SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "pages": {"type": "integer"},
        "mode": {"enum": ["binary", "text"]},
        "file": {"type": "boolean"},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
        "note": {"type": ["string", "null"]},
        "kind": {"const": "summary"},
    },
    "$defs": {"tag": {"anyOf": [{"type": "number"}, {"type": "null"}]}},
}


@pytest.fixture
def resource() -> Resource:
    staged = tuple(msgspec.structs.replace(each, latency=AT_ONCE) for each in summariser_stage().deployments)
    return Resource(Stage(account="aoai-test", deployments=staged), key=KEY)


def on(api: str, json: Any, *, deployment: str = WRITER, v1: bool = False) -> Call:
    """A call of ``api`` on the surface whose deployment stands in the path, where there is one."""
    if v1 or api == "responses":
        root = "/openai/v1/" if v1 else "/openai/"
        return Call(path=f"{root}{api}{'' if v1 else VERSION}", json={"model": deployment, **json})
    return Call(path=f"/openai/deployments/{deployment}/{api}{VERSION}", json=json)


def named_events(text: str) -> list[tuple[str, Any]]:
    events = [event.split("\n") for event in text.split("\n\n") if event]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in events]


# Responses


@pytest.mark.parametrize("v1", [True, False])
def test_a_response_carries_the_text_and_its_own_words_for_tokens(resource: Resource, v1: bool) -> None:
    body = ask_one(resource, on("responses", {"input": DOCUMENT, "instructions": "Summarise."}, v1=v1)).json()
    assert (body["object"], body["status"], body["model"]) == ("response", "completed", "summariser-2026-01-15")
    assert body["output"][0]["content"][0]["text"] == FIRST
    usage = body["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["output_tokens"] == -(-len(FIRST) // 4)


def test_a_responses_input_may_be_a_list_of_messages_and_what_tools_gave(resource: Resource) -> None:
    items = [
        {"role": "user", "content": "Ignore me. I am old. Really old."},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "42"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": DOCUMENT}]},
    ]
    body = ask_one(resource, on("responses", {"input": items})).json()
    assert body["output"][0]["content"][0]["text"] == FIRST


def test_a_response_stream_names_and_numbers_its_events(resource: Resource) -> None:
    reply = ask_one(resource, on("responses", {"input": DOCUMENT, "stream": True}))
    events = named_events(reply.text)
    names = [name for name, _ in events]
    assert names[:2] == ["response.created", "response.in_progress"]
    assert names[-1] == "response.completed"
    assert [event["sequence_number"] for _, event in events] == list(range(len(events)))
    assert all(event["type"] == name for name, event in events)
    deltas = [event["delta"] for name, event in events if name == "response.output_text.delta"]
    assert "".join(deltas) == FIRST
    assert len(deltas) > 1
    assert (events[0][1]["response"]["status"], events[0][1]["response"]["usage"]) == ("in_progress", None)
    assert events[-1][1]["response"]["usage"]["output_tokens"] > 0


def test_a_response_follows_another_of_the_same_deployment_only(resource: Resource) -> None:
    first = ask_one(resource, on("responses", {"input": DOCUMENT})).json()
    follow = {"input": [], "previous_response_id": first["id"]}
    second, elsewhere, unknown = ask(
        resource,
        on("responses", follow),
        on("responses", follow, deployment="summariser-prod-v0601"),
        on("responses", {"input": "x", "previous_response_id": "resp_nobody"}),
    )
    assert second.json()["output"][0]["content"][0]["text"] == FIRST
    assert second.json()["usage"]["input_tokens"] >= first["usage"]["total_tokens"]
    for refused, identity in ((elsewhere, first["id"]), (unknown, "resp_nobody")):
        assert refused.status_code == 400
        assert refused.json()["error"] == {
            "message": f"Previous response with id '{identity}' not found.",
            "type": "invalid_request_error",
            "param": "previous_response_id",
            "code": "previous_response_not_found",
        }


def test_a_response_that_is_not_stored_cannot_be_followed(resource: Resource) -> None:
    first = ask_one(resource, on("responses", {"input": DOCUMENT, "store": False})).json()
    assert ask_one(resource, on("responses", {"input": "x", "previous_response_id": first["id"]})).status_code == 400


def test_a_stored_response_can_be_read_and_deleted(resource: Resource) -> None:
    made = ask_one(resource, on("responses", {"input": DOCUMENT})).json()
    path = f"/openai/v1/responses/{made['id']}"
    read, deleted, gone = ask(resource, Call(path=path, method="GET"), Call(path=path, method="DELETE"), Call(path=path, method="GET"))
    assert read.json() == made
    assert deleted.json() == {"id": made["id"], "object": "response", "deleted": True}
    assert gone.status_code == 404


# Tools and schemas


@pytest.mark.parametrize(("choice", "finish"), [("required", "tool_calls"), ({"type": "function", "function": {"name": "keep"}}, "stop")])
def test_a_tool_that_must_be_called_is_called_with_arguments_from_the_text(resource: Resource, choice: Any, finish: str) -> None:
    tools = [{"type": "function", "function": {"name": "keep", "parameters": SCHEMA}}]
    document = "The text file has 12 pages. It never writes. The file is closed at the end."
    choices = ask_one(resource, on("chat/completions", chat(document, tools=tools, tool_choice=choice))).json()["choices"]
    call = choices[0]["message"]["tool_calls"][0]
    assert (choices[0]["finish_reason"], choices[0]["message"]["content"], call["function"]["name"]) == (finish, None, "keep")
    assert json.loads(call["function"]["arguments"]) == {
        "title": "The text file has 12 pages.",
        "pages": 12,
        "mode": "text",
        "file": True,
        "tags": [12.0],
        "note": "The text file has 12 pages.",
        "kind": "summary",
    }


def test_tools_that_may_be_called_are_not(resource: Resource) -> None:
    tools = [{"type": "function", "function": {"name": "keep", "parameters": SCHEMA}}]
    choices = ask_one(resource, on("chat/completions", chat(tools=tools))).json()["choices"]
    assert choices[0]["message"]["content"] == FIRST


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "other"}}])
def test_a_tool_that_is_not_there_is_refused(resource: Resource, choice: Any) -> None:
    reply = ask_one(resource, on("chat/completions", chat(tool_choice=choice)))
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "tool_choice")


def test_a_streamed_tool_call_comes_in_pieces_that_are_its_arguments(resource: Resource) -> None:
    tools = [{"type": "function", "function": {"name": "keep", "parameters": SCHEMA}}]
    reply = ask_one(resource, on("chat/completions", chat(tools=tools, tool_choice="required", stream=True)))
    events = [json.loads(line.removeprefix("data: ")) for line in reply.text.split("\n\n")[1:-2]]
    calls = [call for event in events for call in event["choices"][0]["delta"].get("tool_calls", [])]
    assert calls[0]["function"] == {"name": "keep", "arguments": ""}
    assert json.loads("".join(call["function"]["arguments"] for call in calls))["mode"] == "text"
    assert events[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_response_calls_its_tool_as_an_item_of_its_own(resource: Resource) -> None:
    tool = {"tools": [{"type": "function", "name": "keep", "parameters": SCHEMA}], "tool_choice": "required"}
    whole, streamed = ask(
        resource, on("responses", {"input": DOCUMENT, **tool}), on("responses", {"input": DOCUMENT, **tool, "stream": True})
    )
    item = whole.json()["output"][0]
    assert (item["type"], item["name"], json.loads(item["arguments"])["kind"]) == ("function_call", "keep", "summary")
    deltas = [event["delta"] for name, event in named_events(streamed.text) if name == "response.function_call_arguments.delta"]
    assert "".join(deltas) == item["arguments"]


@pytest.mark.parametrize(
    ("api", "more"),
    [
        ("chat/completions", {"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA}}}),
        ("responses", {"text": {"format": {"type": "json_schema", "name": "s", "schema": SCHEMA}}}),
    ],
)
def test_a_schema_is_answered_in_json_by_that_schema(resource: Resource, api: str, more: Any) -> None:
    asked = {"input": DOCUMENT, **more} if api == "responses" else chat(**more)
    body = ask_one(resource, on(api, asked)).json()
    text = body["output"][0]["content"][0]["text"] if api == "responses" else body["choices"][0]["message"]["content"]
    assert set(json.loads(text)) == set(SCHEMA["properties"])


# Completions


def test_a_completion_is_the_summary_of_its_prompt_whole_and_streamed(resource: Resource) -> None:
    asked = {"prompt": DOCUMENT}
    usage = {"stream": True, "stream_options": {"include_usage": True}}
    whole, v1, streamed = ask(resource, on("completions", asked), on("completions", asked, v1=True), on("completions", {**asked, **usage}))
    assert whole.json()["choices"][0]["text"] == v1.json()["choices"][0]["text"] == FIRST
    assert (whole.json()["object"], whole.json()["usage"]["completion_tokens"]) == ("text_completion", -(-len(FIRST) // 4))
    events = [json.loads(line.removeprefix("data: ")) for line in streamed.text.split("\n\n")[:-2]]
    assert "".join(choice["text"] for event in events for choice in event["choices"]) == FIRST
    assert events[-1]["usage"]["completion_tokens"] == -(-len(FIRST) // 4)
    assert streamed.text.endswith("data: [DONE]\n\n")


def test_an_operation_that_a_model_has_not_is_refused(resource: Resource) -> None:
    replies = ask(
        resource,
        on("completions", {"prompt": DOCUMENT}, deployment=REASONER),
        on("embeddings", {"input": DOCUMENT}),
        on("chat/completions", chat(), deployment=EMBEDDER),
    )
    assert [(reply.status_code, reply.json()["error"]["code"]) for reply in replies] == [(400, "OperationNotSupported")] * 3
    assert "embeddings operation does not work with the specified model, summariser." in replies[1].text


# Embeddings


def vectors(resource: Resource, texts: list[str], **more: Any) -> list[list[float]]:
    body = ask_one(resource, on("embeddings", {"input": texts, **more}, deployment=EMBEDDER)).json()
    return [each["embedding"] for each in body["data"]]


def likeness(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_vectors_have_length_one_and_texts_that_share_telling_words_lie_close(resource: Resource) -> None:
    about_files, also, about_cats = vectors(
        resource, ["The parser reads a configuration file.", "A configuration file is what the parser reads.", "Cats purr at the sun."]
    )
    assert likeness(about_files, about_files) == pytest.approx(1.0)
    assert likeness(about_files, also) > 0.5
    assert likeness(about_files, about_cats) < 0.2


def test_base64_holds_the_same_numbers_as_32_bit_floats(resource: Resource) -> None:
    [numbers] = vectors(resource, [DOCUMENT])
    body = ask_one(resource, on("embeddings", {"input": DOCUMENT, "encoding_format": "base64"}, deployment=EMBEDDER, v1=True)).json()
    raw = base64.b64decode(body["data"][0]["embedding"])
    assert list(struct.unpack(f"<{len(raw) // 4}f", raw)) == pytest.approx(numbers, abs=1e-6)
    assert (body["model"], body["usage"]["prompt_tokens"]) == ("embedder-2026-02-01", -(-len(DOCUMENT) // 4))


def test_fewer_dimensions_and_token_numbers_are_taken(resource: Resource) -> None:
    one, other = (
        ask_one(resource, on("embeddings", {"input": given, "dimensions": 8}, deployment=EMBEDDER)).json()
        for given in ([1, 2, 3], [[1, 2, 3]])
    )
    assert one["data"] == other["data"]
    assert len(one["data"][0]["embedding"]) == 8
    assert one["usage"]["prompt_tokens"] == 3


@pytest.mark.parametrize(
    "asked", [{"input": []}, {"input": ""}, {"input": ["a", ""]}, {"input": "a", "dimensions": 0}, {"input": "a", "dimensions": 257}]
)
def test_what_cannot_be_embedded_is_refused(resource: Resource, asked: Any) -> None:
    assert ask_one(resource, on("embeddings", asked, deployment=EMBEDDER)).status_code == 400


# The rest


def test_a_model_can_be_looked_up_with_its_last_day(resource: Resource) -> None:
    found, missing = ask(
        resource,
        Call(path="/openai/v1/models/reasoner-2026-10-01", method="GET"),
        Call(path=f"/openai/models/nothing{VERSION}", method="GET"),
    )
    assert (found.json()["id"], found.json()["shutdown_date"]) == ("reasoner-2026-10-01", None)
    assert (missing.status_code, missing.json()["error"]["param"]) == (404, "model")


def test_moderation_flags_what_carries_a_mark(resource: Resource) -> None:
    body = ask_one(resource, Call(path="/openai/v1/moderations", json={"input": ["Fine.", "[sim:annotate-prompt-hate] Not."]})).json()
    assert [result["flagged"] for result in body["results"]] == [False, True]
    assert body["results"][1]["categories"]["hate"] is True


def test_a_file_is_kept_listed_read_and_deleted_byte_for_byte(resource: Resource) -> None:
    content = b'{"custom_id": "1"}\r\n\r\n--not the end\x00\xff\n'
    form = (
        b'--b0undary\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        b'--b0undary\r\ncontent-disposition: form-data; name="file"; filename="calls.jsonl"\r\n\r\n' + content + b"\r\n--b0undary--\r\n"
    )
    root = "/openai/v1/files"
    made = ask_one(resource, Call(path=root, body=form, content_type="multipart/form-data; boundary=b0undary")).json()
    assert (made["filename"], made["purpose"], made["bytes"]) == ("calls.jsonl", "batch", len(content))
    path = f"{root}/{made['id']}"
    shown, listed, read, deleted, gone = ask(
        resource, *(Call(path=each, method="GET") for each in (path, root, f"{path}/content")), Call(path=path, method="DELETE"),
        Call(path=path, method="GET"),
    )  # fmt: skip
    assert shown.json() == listed.json()["data"][0] == made
    assert read.content == content
    assert deleted.json()["deleted"] is True
    assert gone.status_code == 404


def test_an_upload_without_a_file_is_refused(resource: Resource) -> None:
    assert (
        ask_one(resource, Call(path="/openai/v1/files", body=b"nothing", content_type="multipart/form-data; boundary=b")).status_code == 400
    )


@pytest.mark.parametrize(
    "path",
    [
        "/openai/v1/chat",
        "/openai/chat/completions?api-version=2024-10-21",
        "/openai/responses",
        "/v1/chat/completions",
        "/openai/v1/files/a/b/c",
    ],
)
def test_what_azure_has_not_is_not_found(resource: Resource, path: str) -> None:
    assert ask_one(resource, Call(path=path, json=chat())).status_code == 404
