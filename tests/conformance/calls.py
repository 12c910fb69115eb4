"""How is one call made with each client of the `openai` package? The same words for all four: plain and Azure, sync and async."""

import asyncio
from contextlib import AsyncExitStack, ExitStack
from operator import attrgetter
from typing import Any, Final, Self

import openai

from tests.conformance.rig import API_VERSION, KEY, Ends

CLIENTS: Final = ("OpenAI", "AzureOpenAI", "AsyncOpenAI", "AsyncAzureOpenAI")
NO_RETRY: Final = 0


class Calls:
    """Clients are made once for each end, as applications do, and closed with this."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._sync = ExitStack()
        self._async = AsyncExitStack()
        self._made: dict[tuple[str, str], Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sync.close()
        self._runner.run(self._async.aclose())
        self._runner.close()

    def ask(self, client: str, ends: Ends, method: str, **arguments: Any) -> list[Any]:
        """The objects that ``method`` (``chat.completions.create``) gives: one, or those of a stream."""
        call = attrgetter(method)(self.client(client, ends))
        if client.startswith("Async"):
            return self._runner.run(_gather(call, arguments))
        given = call(**arguments)
        return list(given) if arguments.get("stream") and "raw_response" not in method else [given]

    def client(self, client: str, ends: Ends) -> Any:
        """The client of that name, on the stage."""
        if "Azure" in client:
            return self._keep(client, ends.stage, azure_endpoint=ends.stage, api_version=API_VERSION)
        return self._keep(client, f"{ends.stage}/openai/v1", base_url=f"{ends.stage}/openai/v1")

    def replaying(self, ends: Ends) -> openai.OpenAI:
        """The plain client on the recordings."""
        return self._keep("OpenAI", f"{ends.replay}/v1", base_url=f"{ends.replay}/v1")

    def _keep(self, client: str, url: str, **where: str) -> Any:
        made = self._made.get((client, url))
        if made is None:
            made = self._made[client, url] = getattr(openai, client)(api_key=KEY, max_retries=NO_RETRY, **where)
            if client.startswith("Async"):
                self._runner.run(self._async.enter_async_context(made))
            else:
                self._sync.enter_context(made)
        return made


async def _gather(call: Any, arguments: dict[str, Any]) -> list[Any]:
    given = await call(**arguments)
    return [each async for each in given] if arguments.get("stream") else [given]
