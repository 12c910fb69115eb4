"""A version of the reasoning type refuses what such versions refuse, in the very words, and counts tokens for thinking."""

from typing import Any

import pytest

from changeover.azure_sim.resource import Resource
from changeover.azure_sim.stage import Stage, StagedDeployment
from tests.unit.azure_sim.wire import AT_ONCE, KEY, Call, ask, ask_one, chat, dated

RESPONSES = "/openai/v1/responses"


@pytest.fixture
def resource() -> Resource:
    staged: dict[str, Any] = {"version": "2026-10-01", "method": "first-sentence", "latency": AT_ONCE}
    return Resource(
        Stage(
            account="a",
            deployments=(
                StagedDeployment(name="thinks", model="reasoner", reasoning=True, **staged),
                StagedDeployment(name="plain", **staged),
            ),
        ),
        key=KEY,
    )


def thinking(**more: Any) -> Call:
    return Call(path=dated("thinks"), json=chat(**more))


def responding(model: str = "thinks", **more: Any) -> Call:
    return Call(path=RESPONSES, json={"model": model, "input": "It reads. It never writes at all.", **more})


@pytest.mark.parametrize(
    ("call", "param", "code", "message"),
    [
        (
            thinking(max_tokens=5),
            "max_tokens",
            "unsupported_parameter",
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        ),
        (
            thinking(temperature=0.2),
            "temperature",
            "unsupported_value",
            "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
        ),
        (thinking(top_p=0.9), "top_p", "unsupported_parameter", "Unsupported parameter: 'top_p' is not supported with this model."),
        (thinking(stop="x"), "stop", "unsupported_parameter", "Unsupported parameter: 'stop' is not supported with this model."),
        (
            thinking(logprobs=True),
            "logprobs",
            "unsupported_parameter",
            "Unsupported parameter: 'logprobs' is not supported with this model.",
        ),
        (responding(temperature=0.2), "temperature", None, "Unsupported parameter: 'temperature' is not supported with this model."),
        (
            responding("plain", reasoning={"effort": "low"}),
            "reasoning.effort",
            "unsupported_parameter",
            "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
        ),
        (
            Call(path=dated("plain"), json=chat(reasoning_effort="low")),
            None,
            None,
            "Unrecognized request argument supplied: reasoning_effort",
        ),
    ],
)
def test_a_parameter_that_the_version_has_not_is_refused_by_name(
    resource: Resource, call: Call, param: str | None, code: str | None, message: str
) -> None:
    reply = ask_one(resource, call)
    assert reply.status_code == 400
    assert reply.json() == {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


@pytest.mark.parametrize("name", ["presence_penalty", "frequency_penalty", "top_logprobs", "logit_bias", "parallel_tool_calls"])
def test_the_other_settings_of_sampling_are_refused_too(resource: Resource, name: str) -> None:
    value: Any = {"logit_bias": {"1": 2.0}, "parallel_tool_calls": True}.get(name, 1)
    reply = ask_one(resource, thinking(**{name: value}))
    assert reply.json()["error"]["param"] == name


def test_the_defaults_are_no_offence_and_other_versions_take_them_all(resource: Resource) -> None:
    settings: dict[str, Any] = {"max_tokens": 50, "temperature": 0.2, "top_p": 0.9, "presence_penalty": 0.5, "stop": ["x"]}
    replies = ask(resource, thinking(temperature=1, top_p=None, n=1), Call(path=dated("plain"), json=chat(**settings)))
    assert [reply.status_code for reply in replies] == [200, 200]


def test_thinking_costs_tokens_by_the_effort_asked_for(resource: Resource) -> None:
    replies = ask(resource, *(thinking(reasoning_effort=effort) for effort in ("minimal", "low", "high")), thinking())
    usages = [reply.json()["usage"] for reply in replies]
    thought = [usage["completion_tokens_details"]["reasoning_tokens"] for usage in usages]
    assert 0 < thought[0] < thought[1] < thought[3] < thought[2]
    said = {usage["completion_tokens"] - tokens for usage, tokens in zip(usages, thought, strict=True)}
    assert len(said) == 1
    assert said.pop() > 0


def test_thinking_is_taken_from_the_tokens_allowed_first(resource: Resource) -> None:
    reply = ask_one(resource, thinking(max_completion_tokens=10)).json()
    assert (reply["choices"][0]["message"]["content"], reply["choices"][0]["finish_reason"]) == ("", "length")
    assert reply["usage"]["completion_tokens"] == reply["usage"]["completion_tokens_details"]["reasoning_tokens"] == 10


def test_a_response_shows_that_there_was_thinking(resource: Resource) -> None:
    body = ask_one(resource, responding(reasoning={"effort": "low"})).json()
    assert [item["type"] for item in body["output"]] == ["reasoning", "message"]
    assert body["usage"]["output_tokens_details"]["reasoning_tokens"] > 0
