"""The `openai` package cannot tell the gateway from the provider: the same call gives the same objects, or the same error."""

from typing import Any

import openai
import pytest

from tests.conformance.calls import CLIENTS, Calls
from tests.conformance.likeness import likeness, likenesses, without_null_usage
from tests.conformance.rig import EMBEDDER, REASONER, WRITER, Ends, Rig

DOCUMENT = "The reader opens 3 files (in text mode), which must exist — naïve café. It never writes. The file is closed at the end."
CHAT = "chat.completions.create"
COMPLETION = "completions.create"
EMBEDDING = "embeddings.create"
RESPONSE = "responses.create"
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "files": {"type": "integer"}, "mode": {"enum": ["binary", "text"]}},
    "required": ["title", "files", "mode"],
    "additionalProperties": False,
}
CHAT_TOOL = {"type": "function", "function": {"name": "file_summary", "parameters": SCHEMA}}
RESPONSE_TOOL = {"type": "function", "name": "file_summary", "parameters": SCHEMA, "strict": True}
JSON_SCHEMA = {"type": "json_schema", "json_schema": {"name": "summary", "schema": SCHEMA, "strict": True}}


def chat(document: str = DOCUMENT, *, model: str = WRITER, **more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": "Summarise."}, {"role": "user", "content": document}]
    return {"model": model, "messages": messages, **more}


def completion(document: str = DOCUMENT, **more: Any) -> dict[str, Any]:
    return {"model": WRITER, "prompt": document, **more}


def embedding(texts: str | list[str] = DOCUMENT, **more: Any) -> dict[str, Any]:
    return {"model": EMBEDDER, "input": texts, **more}


def response(document: str = DOCUMENT, *, model: str = WRITER, **more: Any) -> dict[str, Any]:
    return {"model": model, "input": document, **more}


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": (CHAT, chat()),
    "chat with fields the gateway does not know": (CHAT, chat(extra_body={"a_new_field": {"deep": [1]}}, user="u-1", seed=7)),
    "chat cut at its tokens": (CHAT, chat(max_tokens=3)),
    "chat stream": (CHAT, chat(stream=True)),
    "chat stream with usage": (CHAT, chat(stream=True, stream_options={"include_usage": True})),
    "chat with a tool": (CHAT, chat(tools=[CHAT_TOOL], tool_choice="required")),
    "chat with a named tool": (CHAT, chat(tools=[CHAT_TOOL], tool_choice={"type": "function", "function": {"name": "file_summary"}})),
    "chat stream with a tool": (CHAT, chat(stream=True, tools=[CHAT_TOOL], tool_choice="required")),
    "chat with a schema": (CHAT, chat(response_format=JSON_SCHEMA)),
    "chat filtered": (CHAT, chat(f"[sim:block-completion-hate] {DOCUMENT}")),
    "chat stream filtered": (CHAT, chat(f"[sim:block-completion] {DOCUMENT}", stream=True)),
    "chat annotated": (CHAT, chat(f"[sim:annotate-prompt] [sim:annotate-completion-sexual] {DOCUMENT}")),
    "chat with reasoning": (CHAT, chat(model=REASONER, reasoning_effort="low", max_completion_tokens=500)),
    "completion": (COMPLETION, completion()),
    "completion stream": (COMPLETION, completion(stream=True)),
    "completion stream with usage": (COMPLETION, completion(stream=True, stream_options={"include_usage": True})),
    "embedding": (EMBEDDING, embedding()),
    "embeddings of several": (EMBEDDING, embedding([DOCUMENT, "Another text."], dimensions=64)),
    "embedding as numbers": (EMBEDDING, embedding(encoding_format="float")),
    "response": (RESPONSE, response(instructions="Summarise.", metadata={"app": "mail"})),
    "response stream": (RESPONSE, response(stream=True)),
    "response with a tool": (RESPONSE, response(tools=[RESPONSE_TOOL], tool_choice="required")),
    "response stream with a tool": (RESPONSE, response(stream=True, tools=[RESPONSE_TOOL], tool_choice="required")),
    "response filtered": (RESPONSE, response(f"[sim:block-completion] {DOCUMENT}")),
    "response stream cut at its tokens": (RESPONSE, response(stream=True, max_output_tokens=3)),
    "response with reasoning": (RESPONSE, response(model=REASONER, reasoning={"effort": "low"})),
}
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "a prompt that is filtered": (CHAT, chat(f"[sim:block-prompt-jailbreak] {DOCUMENT}")),
    "a parameter that the version refuses": (CHAT, chat(model=REASONER, max_tokens=10)),
    "a value that the version refuses": (CHAT, chat(model=REASONER, temperature=0.2)),
    "a chat without messages": (CHAT, {"model": WRITER, "messages": []}),
    "an operation that the model has not": (CHAT, chat(model=EMBEDDER)),
    "a stream of a filtered prompt": (CHAT, chat(f"[sim:block-prompt] {DOCUMENT}", stream=True)),
    "an embedding with too many dimensions": (EMBEDDING, embedding(dimensions=4096)),
    "a response that the version refuses": (RESPONSE, response(model=REASONER, temperature=0.2)),
    "a response after one that nobody gave": (RESPONSE, response(previous_response_id="resp_nobody")),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", CALLS)
def test_a_call_gives_the_same_objects(rig: Rig, sdk: Calls, client: str, name: str) -> None:
    method, arguments = CALLS[name]
    expected, found = (likenesses(sdk.ask(client, ends, method, **arguments)) for ends in (rig.direct, rig.gateway))
    if arguments.get("stream") and method != RESPONSE and "stream_options" not in arguments:
        found = [without_null_usage(each) for each in found]
    assert found == expected
    assert len(expected) > 3 or not arguments.get("stream"), "the stream must be one"


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_call_gives_the_same_error(rig: Rig, sdk: Calls, client: str, name: str) -> None:
    method, arguments = REFUSED[name]
    assert refusal(sdk, client, rig.gateway, method, arguments) == refusal(sdk, client, rig.direct, method, arguments)


def refusal(sdk: Calls, client: str, ends: Ends, method: str, arguments: dict[str, Any]) -> tuple[object, ...]:
    with pytest.raises(openai.APIStatusError) as caught:
        sdk.ask(client, ends, method, **arguments)
    error = caught.value
    return type(error), error.status_code, error.code, error.param, error.body, str(error)


@pytest.mark.parametrize("client", ["OpenAI", "AzureOpenAI"])
@pytest.mark.parametrize("name", ["chat", "chat with a tool", "completion", "embedding", "response"])
def test_the_raw_bytes_and_the_providers_headers_are_the_same(rig: Rig, sdk: Calls, client: str, name: str) -> None:
    method, arguments = CALLS[name]
    raw = method.replace(".create", ".with_raw_response.create")
    [direct], [through] = sdk.ask(client, rig.direct, raw, **arguments), sdk.ask(client, rig.gateway, raw, **arguments)
    assert likeness(through.http_response.text) == likeness(direct.http_response.text)
    own = {name: value for name, value in direct.headers.items() if name.startswith(("x-ms-", "x-r", "apim-"))}
    assert set(own) <= set(through.headers)
    same = [name for name in own if not name.endswith("request-id") and "remaining" not in name]
    assert {name: through.headers[name] for name in same} == {name: own[name] for name in same}
    assert through.headers["content-type"] == direct.headers["content-type"]


@pytest.mark.parametrize(
    "name", ["chat stream", "chat stream with usage", "chat stream with a tool", "completion stream", "response stream"]
)
def test_a_streams_raw_bytes_are_the_same_but_for_usage_that_is_null(rig: Rig, sdk: Calls, name: str) -> None:
    method, arguments = CALLS[name]
    raw = method.replace(".create", ".with_raw_response.create")
    direct, through = (raw_text(sdk, ends, raw, arguments) for ends in (rig.direct, rig.gateway))
    if method != RESPONSE and "stream_options" not in arguments:
        through = without_null_usage(through)
    assert likeness(through) == likeness(direct)


def raw_text(sdk: Calls, ends: Ends, method: str, arguments: dict[str, Any]) -> str:
    [answer] = sdk.ask("OpenAI", ends, method, **arguments)
    return answer.http_response.read().decode()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_conversation_by_response_ids_goes_on_where_it_began(rig: Rig, sdk: Calls, client: str) -> None:
    assert conversation(sdk, client, rig.gateway) == conversation(sdk, client, rig.direct)


def conversation(sdk: Calls, client: str, ends: Ends) -> list[str]:
    [first] = sdk.ask(client, ends, RESPONSE, **response())
    [second] = sdk.ask(client, ends, RESPONSE, **response("And now? Say it again, please.", previous_response_id=first.id))
    [third] = sdk.ask(client, ends, RESPONSE, **response("Once more, please, with feeling.", previous_response_id=second.id))
    assert second.previous_response_id == first.id
    assert first.usage.input_tokens < second.usage.input_tokens < third.usage.input_tokens
    return likenesses([first, second, third])


def test_a_stored_response_is_fetched_and_deleted(rig: Rig, sdk: Calls) -> None:
    for ends in (rig.direct, rig.gateway):
        [made] = sdk.ask("OpenAI", ends, RESPONSE, **response())
        [fetched] = sdk.ask("OpenAI", ends, "responses.retrieve", response_id=made.id)
        assert fetched.to_json() == made.to_json()
        sdk.ask("OpenAI", ends, "responses.delete", response_id=made.id)
        with pytest.raises(openai.NotFoundError):
            sdk.ask("OpenAI", ends, "responses.retrieve", response_id=made.id)


def test_the_models_are_the_tasks(rig: Rig, sdk: Calls) -> None:
    [listed] = sdk.ask("OpenAI", rig.gateway, "models.list")
    assert {WRITER, REASONER, EMBEDDER} <= {model.id for model in listed.data}
