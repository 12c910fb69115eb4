"""The data plane answers in the shapes of Azure OpenAI, refusals included."""

import json
from typing import Any

import pytest

from changeover.azure_sim.http_call import BODY_BYTES_MAX
from changeover.azure_sim.resource import Resource
from tests.unit.azure_sim.wire import DOCUMENT, KEY, V1, Call, a_stage, ask, ask_one, chat, dated

FIRST = "The reader opens a file (in text mode), which must exist."
LAST = "The file is closed at the end."


@pytest.fixture
def resource() -> Resource:
    return Resource(a_stage(), key=KEY)


def events_of(text: str) -> list[Any]:
    """The decoded events of a stream; its end must be ``[DONE]``."""
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_an_answer_has_the_shape_that_azure_gives_it(resource: Resource) -> None:
    reply = ask_one(resource, Call(json=chat()))
    body = reply.json()
    assert reply.status_code == 200
    assert body["model"] == "summariser-2026-01-15"
    assert body["object"] == "chat.completion"
    assert body["system_fingerprint"].startswith("fp_")
    assert body["choices"][0]["message"] == {"role": "assistant", "content": FIRST, "refusal": None, "annotations": []}
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["choices"][0]["content_filter_results"]["hate"] == {"filtered": False, "severity": "safe"}
    assert body["prompt_filter_results"][0]["content_filter_results"]["jailbreak"] == {"filtered": False, "detected": False}
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens"] == -(-len(FIRST) // 4)


def test_headers_name_region_deployment_request_and_rest_of_the_allowance(resource: Resource) -> None:
    headers = ask_one(resource, Call(json=chat())).headers
    assert headers["x-ms-region"] == "Test Region"
    assert headers["x-ms-deployment-name"] == "prod-v0115"
    assert headers["x-request-id"] == headers["apim-request-id"]
    assert headers["x-ratelimit-limit-requests"] == "6000"
    assert headers["x-ratelimit-remaining-requests"] == "5999"
    assert int(headers["x-ratelimit-remaining-tokens"]) < int(headers["x-ratelimit-limit-tokens"])
    assert "modelled" in headers["x-changeover-sim"]


def test_the_path_names_the_deployment_on_the_dated_surface_and_the_body_on_v1(resource: Resource) -> None:
    by_path, by_body = ask(
        resource, Call(path=dated("prod-v0901"), json=chat(model="prod-v0115")), Call(path=V1, json=chat(model="prod-v0115"))
    )
    assert by_path.json()["choices"][0]["message"]["content"] == LAST
    assert by_body.json()["choices"][0]["message"]["content"] == FIRST


def test_the_key_is_taken_as_api_key_and_as_bearer_token(resource: Resource) -> None:
    replies = ask(resource, Call(json=chat()), Call(json=chat(), key=None, bearer=KEY))
    assert [reply.status_code for reply in replies] == [200, 200]


@pytest.mark.parametrize("call", [Call(key="wrong"), Call(key=None), Call(key=None, bearer="wrong")])
def test_a_wrong_or_missing_key_is_refused(resource: Resource, call: Call) -> None:
    reply = ask_one(resource, call)
    assert reply.status_code == 401
    assert reply.json()["error"]["code"] == "401"


def test_the_fingerprint_is_stable_for_a_version_and_differs_between_versions(resource: Resource) -> None:
    one, again, other = ask(resource, Call(json=chat()), Call(json=chat()), Call(path=dated("prod-v0901"), json=chat()))
    assert one.json()["system_fingerprint"] == again.json()["system_fingerprint"]
    assert one.json()["system_fingerprint"] != other.json()["system_fingerprint"]
    assert one.json()["id"] != again.json()["id"]


def test_a_stream_opens_without_choices_and_ends_with_done(resource: Resource) -> None:
    reply = ask_one(resource, Call(json=chat(stream=True)))
    assert reply.headers["content-type"].startswith("text/event-stream")
    opening, role, *pieces, finish = events_of(reply.text)
    assert opening["choices"] == []
    assert (opening["id"], opening["model"]) == ("", "")
    assert opening["prompt_filter_results"][0]["prompt_index"] == 0
    assert role["choices"][0]["delta"]["role"] == "assistant"
    assert "".join(event["choices"][0]["delta"]["content"] for event in pieces) == FIRST
    assert len(pieces) > 1
    assert all(event["choices"][0]["content_filter_results"]["violence"]["severity"] == "safe" for event in pieces)
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert not any("usage" in event for event in (role, *pieces, finish))


def test_a_stream_carries_usage_only_for_those_who_asked(resource: Resource) -> None:
    reply = ask_one(resource, Call(json=chat(stream=True, stream_options={"include_usage": True})))
    opening, *between, last = events_of(reply.text)
    assert "usage" not in opening
    assert all(event["usage"] is None for event in between)
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] > 0


def test_an_answer_is_cut_at_the_tokens_asked_for(resource: Resource) -> None:
    reply = ask_one(resource, Call(json=chat(max_tokens=3)))
    choice = reply.json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == (FIRST[:12], "length")


def test_the_last_user_message_is_summarised_whatever_its_form(resource: Resource) -> None:
    parts = {
        "messages": [
            {"role": "user", "content": "Ignore me. I am old. Really old."},
            {"role": "user", "content": [{"type": "text", "text": DOCUMENT}]},
        ]
    }
    assert ask_one(resource, Call(json=parts)).json()["choices"][0]["message"]["content"] == FIRST


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        (Call(path=dated("nobody"), json=chat()), 404, "DeploymentNotFound"),
        (Call(path=V1, json=chat(model="nobody")), 404, "DeploymentNotFound"),
        (Call(path=dated("prod-v0115", ""), json=chat()), 404, "404"),
        (Call(path=dated("prod-v0115", "?api-version="), json=chat()), 404, "404"),
        (Call(path="/openai/nothing"), 404, "404"),
        (Call(method="GET"), 404, "404"),
        (Call(body=b'{"messages": ['), 400, None),
        (Call(json={"messages": "no list"}), 400, None),
        (Call(json={"messages": []}), 400, None),
        (Call(json=chat(document="  ")), 400, None),
        (Call(json=chat(n=2)), 400, None),
        (Call(path=V1, json=chat()), 400, None),
        (Call(body=b" " * (BODY_BYTES_MAX + 1)), 413, "RequestEntityTooLarge"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_azures_form(resource: Resource, call: Call, status: int, code: str | None) -> None:
    reply = ask_one(resource, call)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert reply.json()["error"]["message"]
    assert reply.headers["x-request-id"]


@pytest.mark.parametrize(
    ("condition", "status", "code"),
    [
        ("retired", 410, "ModelDeprecated"),
        ("paused", 423, "DeploymentPaused"),
        ("limited", 429, "RateLimitReached"),
        ("failing", 500, "InternalServerError"),
    ],
)
def test_a_deployment_can_be_put_into_any_condition_and_back(resource: Resource, condition: str, status: int, code: str) -> None:
    turn = Call(path="/sim/deployments/prod-v0115", method="PUT", json={"condition": condition})
    back = Call(path="/sim/deployments/prod-v0115", method="PUT", json={"condition": "serving"})
    turned, refused, other, _, served = ask(
        resource, turn, Call(json=chat()), Call(path=dated("prod-v0901"), json=chat()), back, Call(json=chat())
    )
    assert turned.json() == {"deployment": "prod-v0115", "condition": condition, "received": 0}
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert [other.status_code, served.status_code] == [200, 200]


def test_an_unknown_condition_is_refused_with_those_there_are(resource: Resource) -> None:
    reply = ask_one(resource, Call(path="/sim/deployments/prod-v0115", method="PUT", json={"condition": "tired"}))
    assert reply.status_code == 400
    assert "retired" in reply.json()["error"]["message"]


def test_a_minutes_allowance_used_up_is_answered_429_with_the_time_to_wait() -> None:
    resource = Resource(a_stage(capacity=1), key=KEY, monotonic=lambda: 0.0)
    *served, refused = ask(resource, *[Call(json=chat())] * 7)
    assert [reply.status_code for reply in served] == [200] * 6
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after-ms"]) <= 10_001
    assert int(refused.headers["retry-after"]) >= 1


def test_models_lists_the_versions_behind_the_deployments(resource: Resource) -> None:
    reply = ask_one(resource, Call(path="/openai/v1/models", method="GET"))
    assert [model["id"] for model in reply.json()["data"]] == ["summariser-2026-01-15", "summariser-2026-09-01"]


def test_two_resources_of_one_seed_draw_the_same_times_and_ids() -> None:
    one, other = (ask_one(Resource(a_stage(), key=KEY, seed=7), Call(json=chat())).json()["id"] for _ in range(2))
    assert one == other
