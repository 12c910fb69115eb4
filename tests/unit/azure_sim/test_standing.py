"""A deployment can be told to go wrong, in every way there is, for some requests or until the next word."""

import asyncio
import json
from typing import Any

import pytest

from changeover.azure_sim.data_plane import DataPlane
from changeover.azure_sim.resource import Resource
from tests.unit.azure_sim.wire import DOCUMENT, KEY, Call, a_stage, ask, ask_one, chat, dated

NAME, OTHER = "prod-v0115", "prod-v0901"
LAST = "The file is closed at the end."


@pytest.fixture
def resource() -> Resource:
    return Resource(a_stage(), key=KEY)


def told(name: str = NAME, **standing: Any) -> Call:
    return Call(path=f"/sim/deployments/{name}", method="PUT", json=standing)


def sent(resource: Resource, *, path: str = dated(NAME), **body: Any) -> tuple[list[dict[str, Any]], bool]:
    """What the application sends on one request, and whether it finished its answer. The caller leaves after its request."""
    messages: list[dict[str, Any]] = []
    inbox = iter([{"type": "http.request", "body": json.dumps(body or chat()).encode()}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(inbox)

    async def send(message: Any) -> None:
        messages.append(message)

    path, _, query = path.partition("?")
    scope = {"type": "http", "method": "POST", "path": path, "query_string": query.encode(), "headers": [(b"api-key", KEY.encode())]}
    asyncio.run(DataPlane(resource)(scope, receive, send))
    finished = bool(messages) and messages[-1]["type"] == "http.response.body" and not messages[-1].get("more_body", False)
    return messages, finished


def said(messages: list[dict[str, Any]]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages)


@pytest.mark.parametrize(
    ("condition", "status", "code"),
    [
        ("retired", 410, "ModelDeprecated"),
        ("retired-400", 400, "OperationNotSupported"),
        ("missing", 404, "DeploymentNotFound"),
        ("paused", 423, "DeploymentPaused"),
        ("limited", 429, "RateLimitReached"),
        ("failing", 500, "InternalServerError"),
        ("unavailable", 503, "ServiceUnavailable"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_condition_refuses_with_its_status_whole_or_streamed(
    resource: Resource, condition: str, status: int, code: str, stream: bool
) -> None:
    _, refused, elsewhere = ask(resource, told(condition=condition), Call(json=chat(stream=stream)), Call(path=dated(OTHER), json=chat()))
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert elsewhere.status_code == 200


def test_the_older_form_of_retirement_names_operation_and_model(resource: Resource) -> None:
    _, refused = ask(resource, told(condition="retired-400"), Call(json=chat()))
    assert "The chatCompletion operation does not work with the specified model, summariser." in refused.text


@pytest.mark.parametrize(
    ("standing", "headers"),
    [
        ({"condition": "limited"}, {"retry-after": "1", "retry-after-ms": "1000"}),
        ({"condition": "limited", "retry_after_ms": 2500}, {"retry-after": "3", "retry-after-ms": "2500"}),
        ({"condition": "limited", "retry_after": "86400"}, {"retry-after": "86400"}),
        ({"condition": "limited", "retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}),
        ({"condition": "unavailable"}, {}),
        ({"condition": "unavailable", "retry_after": "5"}, {"retry-after": "5"}),
    ],
)
def test_the_time_to_wait_is_said_as_told(resource: Resource, standing: Any, headers: dict[str, str]) -> None:
    _, refused = ask(resource, told(**standing), Call(json=chat()))
    assert {name: refused.headers[name] for name in ("retry-after", "retry-after-ms") if name in refused.headers} == headers


def test_a_condition_for_some_requests_ends_by_itself(resource: Resource) -> None:
    _, *replies = ask(resource, told(condition="failing", requests=2), *[Call(json=chat())] * 3)
    assert [reply.status_code for reply in replies] == [500, 500, 200]


def test_a_new_word_replaces_the_old_one_and_what_stands_can_be_read(resource: Resource) -> None:
    look = Call(path=f"/sim/deployments/{NAME}", method="GET")
    _, _, first, _, second = ask(
        resource, told(condition="limited", retry_after="9"), Call(json=chat()), look, told(condition="paused"), look
    )
    assert first.json() == {"deployment": NAME, "condition": "limited", "retry_after": "9", "received": 1}
    assert second.json() == {"deployment": NAME, "condition": "paused", "received": 1}


@pytest.mark.parametrize("standing", [{"condition": "tired"}, {"colour": "red"}, {"method": "hashed-words"}, {"served_model": 7}])
def test_what_cannot_be_told_is_refused_and_changes_nothing(resource: Resource, standing: Any) -> None:
    refused, served = ask(resource, told(**standing), Call(json=chat()))
    assert (refused.status_code, served.status_code) == (400, 200)


def test_a_silent_upgrade_shows_in_model_fingerprint_and_text(resource: Resource) -> None:
    before, _, after = ask(
        resource, Call(json=chat()), told(served_model="summariser-2026-09-01", method="last-sentence"), Call(json=chat())
    )
    assert (before.json()["model"], after.json()["model"]) == ("summariser-2026-01-15", "summariser-2026-09-01")
    assert before.json()["system_fingerprint"] != after.json()["system_fingerprint"]
    assert after.json()["choices"][0]["message"]["content"] == LAST


# Spillover


def test_a_deployment_at_its_limit_spills_over_and_says_who_answered(resource: Resource) -> None:
    _, spilled = ask(resource, told(condition="limited", spillover_to=OTHER), Call(json=chat()))
    assert spilled.status_code == 200
    assert spilled.json()["model"] == "summariser-2026-09-01"
    assert spilled.headers["x-ms-deployment-name"] == OTHER
    assert spilled.headers["x-ms-spillover-from-deployment"] == NAME


def test_a_caller_may_ask_for_spillover_itself(resource: Resource) -> None:
    spill = (("x-ms-spillover-deployment", OTHER),)
    served, _, spilled = ask(resource, Call(json=chat(), headers=spill), told(condition="failing"), Call(json=chat(), headers=spill))
    assert "x-ms-spillover-from-deployment" not in served.headers
    assert spilled.headers["x-ms-deployment-name"] == OTHER


def test_spillover_that_fails_too_says_so(resource: Resource) -> None:
    _, _, refused = ask(resource, told(condition="limited", spillover_to=OTHER), told(OTHER, condition="unavailable"), Call(json=chat()))
    assert (refused.status_code, refused.headers["x-ms-spillover-error"]) == (503, "503")


def test_a_retired_deployment_spills_nothing(resource: Resource) -> None:
    _, refused = ask(resource, told(condition="retired", spillover_to=OTHER), Call(json=chat()))
    assert refused.status_code == 410


# Answers that go wrong


def test_a_cut_stream_stops_after_its_pieces_and_is_never_finished(resource: Resource) -> None:
    ask_one(resource, told(condition="cut", after_pieces=2))
    messages, finished = sent(resource, **chat(stream=True))
    assert not finished
    assert said(messages).count(b'"content":"') == 1 + 2  # the role's empty one, then two pieces
    assert b"[DONE]" not in said(messages)


@pytest.mark.parametrize(("after_pieces", "missing"), [(1, 2), (0, 1)])
def test_a_cut_answer_stops_short_of_its_length(resource: Resource, after_pieces: int, missing: int) -> None:
    ask_one(resource, told(condition="cut", after_pieces=after_pieces))
    messages, finished = sent(resource)
    promised = int(dict(messages[0]["headers"])[b"content-length"])
    assert not finished
    assert len(said(messages)) == (promised // 2 if missing == 2 else promised - 1)


@pytest.mark.parametrize("stream", [False, True])
def test_a_hanging_deployment_takes_the_request_and_says_nothing(resource: Resource, stream: bool) -> None:
    ask_one(resource, told(condition="hang"))
    assert sent(resource, **chat(stream=stream)) == ([], False)


def test_a_slow_deployment_answers_in_the_end(resource: Resource) -> None:
    _, served = ask(resource, told(condition="slow", delay_ms=1), Call(json=chat()))
    assert served.status_code == 200


def test_an_error_can_come_inside_a_200_whole_or_in_the_middle_of_a_stream(resource: Resource) -> None:
    _, whole, streamed = ask(resource, told(condition="error-in-200"), Call(json=chat()), Call(json=chat(stream=True)))
    assert (whole.status_code, whole.json()["error"]["type"]) == (200, "server_error")
    assert (streamed.status_code, "[DONE]" in streamed.text) == (200, False)
    assert json.loads(streamed.text.split("\n\n")[-2].removeprefix("data: "))["error"]["code"] == "InternalServerError"


def test_an_error_in_a_response_stream_is_an_event_of_its_own(resource: Resource) -> None:
    asked = {"model": NAME, "input": DOCUMENT, "stream": True}
    _, streamed = ask(resource, told(condition="error-in-200"), Call(path="/openai/v1/responses", json=asked))
    assert streamed.text.split("\n\n")[-2].startswith('event: error\ndata: {"type":"error"')
    assert "response.completed" not in streamed.text
