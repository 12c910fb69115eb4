"""Ordinary SDKs against the stage as a process: `AzureOpenAI` and `OpenAI`, whole answers and streams."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import openai
import pytest

KEY = "a-key-of-this-test"
KEY_ENV = "CHANGEOVER_TEST_KEY"
STABLE, SHORTER = "summariser-prod-v0115", "summariser-prod-v0601"
REASONER, EMBEDDER = "reasoner-prod-v1001", "embedder-prod-v0201"
DOCUMENT = "The reader opens a file (in text mode), which must exist. It never writes. The file is closed at the end."
WAIT_S = 20


@dataclass(frozen=True, kw_only=True)
class Stage:
    process: subprocess.Popen[str]
    url: str

    def azure(self) -> openai.AzureOpenAI:
        return openai.AzureOpenAI(azure_endpoint=self.url, api_key=KEY, api_version="2024-10-21", max_retries=0)

    def v1(self, *, key: str = KEY) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/openai/v1", api_key=key, max_retries=0)

    def turn(self, deployment: str, condition: str, **more: object) -> None:
        standing = {"condition": condition, **more}
        reply = httpx2.put(f"{self.url}/sim/deployments/{deployment}", json=standing, headers={"api-key": KEY}, trust_env=False)
        reply.raise_for_status()


def start(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "changeover.azure_sim", *arguments],
        env=dict(os.environ) if environment is None else environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def close(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    process = start("--key-env", KEY_ENV, "--lifeline", environment={**os.environ, KEY_ENV: KEY})
    yield process
    if process.poll() is None:
        process.kill()
        process.wait(WAIT_S)
    close(process)


@pytest.fixture
def stage(process: subprocess.Popen[str]) -> Stage:
    assert process.stdout is not None
    return Stage(process=process, url=json.loads(process.stdout.readline())["url"])


@pytest.fixture(scope="module")
def standing() -> Iterator[Stage]:
    """One stage for all tests that leave it as they found it."""
    process = start("--key-env", KEY_ENV, "--lifeline", environment={**os.environ, KEY_ENV: KEY})
    assert process.stdout is not None
    yield Stage(process=process, url=json.loads(process.stdout.readline())["url"])
    process.terminate()
    _, said = process.communicate(timeout=WAIT_S)
    assert said == "", "nothing that was asked for is a fault of the stage"


def messages() -> list[Any]:
    return [{"role": "system", "content": "Summarise."}, {"role": "user", "content": DOCUMENT}]


def test_both_clients_get_whole_answers_and_see_azures_own_fields(standing: Stage) -> None:
    with standing.azure() as azure, standing.v1() as v1:
        dated = azure.chat.completions.create(model=STABLE, messages=messages())
        plain = v1.chat.completions.create(model=SHORTER, messages=messages())
    assert dated.choices[0].message.content == "The reader opens a file (in text mode), which must exist."
    assert dated.model == "summariser-2026-01-15"
    assert (dated.model_extra or {})["prompt_filter_results"][0]["prompt_index"] == 0
    assert plain.choices[0].message.content == "The reader opens a file"
    assert plain.usage is not None
    assert plain.usage.completion_tokens == 6


def test_a_stream_is_read_to_its_end_with_usage_when_asked(standing: Stage) -> None:
    with standing.azure() as client:
        chunks = list(
            client.chat.completions.create(model=STABLE, messages=messages(), stream=True, stream_options={"include_usage": True})
        )
    assert chunks[0].choices == []
    assert chunks[-1].usage is not None
    said = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert said == "The reader opens a file (in text mode), which must exist."
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"


def test_refusals_arrive_as_the_sdks_own_errors(standing: Stage) -> None:
    with standing.azure() as client, standing.v1(key="wrong") as stranger:
        with pytest.raises(openai.NotFoundError) as missing:
            client.chat.completions.create(model="nobody", messages=messages())
        with pytest.raises(openai.AuthenticationError):
            stranger.chat.completions.create(model=STABLE, messages=messages())
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model=STABLE, messages=[])
    assert missing.value.code == "DeploymentNotFound"
    assert missing.value.request_id


@pytest.mark.parametrize(("condition", "status", "code"), [("retired", 410, "ModelDeprecated"), ("limited", 429, "RateLimitReached")])
def test_a_retired_or_limited_deployment_refuses_while_others_serve(standing: Stage, condition: str, status: int, code: str) -> None:
    standing.turn(STABLE, condition, requests=1)
    with standing.azure() as client:
        with pytest.raises(openai.APIStatusError) as refused:
            client.chat.completions.create(model=STABLE, messages=messages())
        assert client.chat.completions.create(model=SHORTER, messages=messages()).choices
    assert (refused.value.status_code, refused.value.code) == (status, code)


def test_every_api_answers_the_sdk(standing: Stage) -> None:
    with standing.azure() as azure, standing.v1() as v1:
        vector = azure.embeddings.create(model=EMBEDDER, input=DOCUMENT).data[0].embedding
        first = v1.responses.create(model=STABLE, input=DOCUMENT)
        second = azure.responses.create(model=STABLE, input="Say it once more, please.", previous_response_id=first.id)
        events = list(v1.responses.create(model=STABLE, input=DOCUMENT, stream=True))
        completed = v1.completions.create(model=STABLE, prompt=DOCUMENT)
        file = v1.files.create(file=("calls.jsonl", b"{}\n"), purpose="batch")
        assert v1.files.content(file.id).read() == b"{}\n"
        assert v1.moderations.create(input=DOCUMENT).results[0].flagged is False
    assert len(vector) == 256
    assert first.output_text == completed.choices[0].text == "The reader opens a file (in text mode), which must exist."
    assert second.usage is not None
    assert first.usage is not None
    assert second.usage.input_tokens > first.usage.total_tokens
    assert events[-1].type == "response.completed"


def test_a_reasoning_version_refuses_by_name(standing: Stage) -> None:
    with standing.v1() as client:
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model=REASONER, messages=messages(), max_tokens=50)
        answer = client.chat.completions.create(model=REASONER, messages=messages(), max_completion_tokens=500)
    assert (refused.value.code, refused.value.param) == ("unsupported_parameter", "max_tokens")
    assert answer.usage is not None
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.completion_tokens_details.reasoning_tokens


@pytest.mark.parametrize("stream", [False, True])
def test_a_cut_answer_is_a_broken_connection(standing: Stage, stream: bool) -> None:
    standing.turn(STABLE, "cut", requests=1)
    with standing.v1() as client, pytest.raises((httpx2.RemoteProtocolError, openai.APIConnectionError)):
        list(client.chat.completions.create(model=STABLE, messages=messages(), stream=stream))


def test_a_hanging_deployment_outlasts_a_callers_patience(standing: Stage) -> None:
    standing.turn(STABLE, "hang", requests=1)
    with standing.v1() as client, pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model=STABLE, messages=messages(), timeout=0.05)


def test_it_ends_when_its_lifeline_is_cut(stage: Stage) -> None:
    assert stage.process.stdin is not None
    stage.process.stdin.close()
    assert stage.process.wait(WAIT_S) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_when_asked_to(stage: Stage, number: signal.Signals) -> None:
    stage.process.send_signal(number)
    assert stage.process.wait(WAIT_S) == 0
    assert stage.process.stderr is not None
    assert stage.process.stderr.read() == ""


def test_without_a_key_it_says_what_to_set() -> None:
    process = start("--key-env", KEY_ENV, environment={name: value for name, value in os.environ.items() if name != KEY_ENV})
    _, said = process.communicate(timeout=WAIT_S)
    assert process.returncode == 2
    assert KEY_ENV in said
