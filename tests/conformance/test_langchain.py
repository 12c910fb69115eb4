"""`langchain-openai` cannot tell the gateway from the provider."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import pytest
from langchain_core.load import dumps
from langchain_openai import AzureChatOpenAI, AzureOpenAIEmbeddings, ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, SecretStr

from tests.conformance.likeness import likeness
from tests.conformance.rig import API_VERSION, EMBEDDER, KEY, WRITER, Ends, Rig
from tests.conformance.test_openai import DOCUMENT

SECRET: Final = SecretStr(KEY)
AZURE_FIELDS: Final[dict[str, Any]] = {"api_version": API_VERSION, "api_key": SECRET, "max_retries": 0}


class FileSummary(BaseModel):
    """A summary of what a file is used for."""

    title: str
    files: int


def plain(ends: Ends, **more: Any) -> ChatOpenAI:
    return ChatOpenAI(base_url=f"{ends.stage}/openai/v1", api_key=SECRET, model=WRITER, max_retries=0, **more)


def azure(ends: Ends, **more: Any) -> AzureChatOpenAI:
    """It sends ``model: null``; the path alone names the deployment."""
    return AzureChatOpenAI(azure_endpoint=ends.stage, azure_deployment=WRITER, **AZURE_FIELDS, **more)


def said(*messages: Any) -> list[str]:
    return [likeness(dumps(message)) for message in messages]


def embedded(ends: Ends) -> list[str]:
    model = OpenAIEmbeddings(
        base_url=f"{ends.stage}/openai/v1", api_key=SECRET, model=EMBEDDER, max_retries=0, check_embedding_ctx_length=False
    )
    return [repr(model.embed_documents([DOCUMENT, "Another text."])), repr(model.embed_query(DOCUMENT))]


def embedded_by_azure(ends: Ends) -> list[str]:
    model = AzureOpenAIEmbeddings(azure_endpoint=ends.stage, azure_deployment=EMBEDDER, check_embedding_ctx_length=False, **AZURE_FIELDS)
    return [repr(model.embed_query(DOCUMENT))]


async def _streamed_async(ends: Ends) -> list[str]:
    return said(*[chunk async for chunk in plain(ends).astream(DOCUMENT)])


CASES: Final[dict[str, Callable[[Ends], list[str]]]] = {
    "chat": lambda ends: said(plain(ends).invoke(DOCUMENT)),
    "chat stream": lambda ends: said(*plain(ends).stream(DOCUMENT)),
    "chat stream, async": lambda ends: asyncio.run(_streamed_async(ends)),
    "chat with a tool": lambda ends: said(plain(ends).bind_tools([FileSummary], tool_choice="required").invoke(DOCUMENT)),
    "chat with a schema": lambda ends: said(plain(ends).with_structured_output(FileSummary, include_raw=True).invoke(DOCUMENT)),
    "azure chat": lambda ends: said(azure(ends).invoke(DOCUMENT)),
    "azure chat stream": lambda ends: said(*azure(ends).stream(DOCUMENT)),
    "azure chat stream with usage": lambda ends: said(*azure(ends, stream_usage=True).stream(DOCUMENT)),
    "responses": lambda ends: said(plain(ends, use_responses_api=True).invoke(DOCUMENT)),
    "responses stream": lambda ends: said(*plain(ends, use_responses_api=True).stream(DOCUMENT)),
    "embeddings": embedded,
    "azure embeddings": embedded_by_azure,
}


@pytest.mark.parametrize("name", CASES)
def test_a_case_gives_the_same_direct_and_through_the_gateway(rig: Rig, name: str) -> None:
    expected = CASES[name](rig.direct)
    assert CASES[name](rig.gateway) == expected
    assert len(expected) > 3 or "stream" not in name
