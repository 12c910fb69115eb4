"""The caller's own SDK against the gateway: nothing but the base URL changes."""

import contextlib
from collections.abc import AsyncGenerator

import openai
import pytest
from openai.types.chat import ChatCompletionUserMessageParam

from tests.integration.gateway.rig import CONTENT, LAST_CHUNK, ROLE, STREAM_HEAD, Behaviour, answers, chunk, says, served, whole

MESSAGES: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "Summarise this."}]


@contextlib.asynccontextmanager
async def sdk(behave: Behaviour = answers) -> AsyncGenerator[openai.AsyncOpenAI]:
    async with (
        served(behave) as (house, _),
        openai.AsyncOpenAI(base_url=f"http://127.0.0.1:{house.port}/v1", api_key="sk-caller", max_retries=0) as client,
    ):
        yield client


async def test_the_openai_client_is_served_in_json_and_in_streams() -> None:
    async with sdk() as client:
        answer = await client.chat.completions.create(model="summarise", messages=MESSAGES)
        assert (answer.model, answer.choices[0].message.content) == ("gpt-4o-2024-11-20", "Yes.")
        assert answer.usage is not None
        stream = await client.chat.completions.create(model="summarise", messages=MESSAGES, stream=True)
        parts = [event.choices[0].delta.content async for event in stream]  # an event without a choice would break here
        assert parts == ["", "Yes", None]
        assert [model.id async for model in client.models.list()] == ["summarise"]


async def test_the_azure_client_is_served_and_its_path_names_the_task() -> None:
    async with served() as (house, _):
        endpoint = f"http://127.0.0.1:{house.port}"
        async with openai.AsyncAzureOpenAI(
            azure_endpoint=endpoint, api_key="k", api_version="2024-10-21", azure_deployment="summarise"
        ) as client:
            answer = await client.chat.completions.create(model="ignored", messages=MESSAGES)
            assert answer.choices[0].message.content == "Yes."


async def test_the_client_raises_its_own_errors() -> None:
    async with sdk(says(whole(b'{"error":{"code":"DeploymentNotFound","message":"gone"}}', status=b"404 Not Found"))) as client:
        with pytest.raises(openai.NotFoundError) as unknown:
            await client.chat.completions.create(model="translate", messages=MESSAGES)
        assert unknown.value.code == "model_not_found"
        with pytest.raises(openai.NotFoundError) as gone:
            await client.chat.completions.create(model="summarise", messages=MESSAGES)
        assert gone.value.code == "DeploymentNotFound"


async def test_the_client_raises_when_a_stream_breaks() -> None:
    async with sdk(says(STREAM_HEAD + chunk(ROLE) + chunk(CONTENT) + LAST_CHUNK)) as client:
        stream = await client.chat.completions.create(model="summarise", messages=MESSAGES, stream=True)
        with pytest.raises(openai.APIError) as broken:
            _ = [event async for event in stream]
        assert broken.value.code == "upstream_cut"
