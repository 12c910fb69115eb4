"""Who asks for the summaries? An ordinary application with an ordinary SDK: it knows a base URL and a task's name, and no version."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import httpx2
import openai
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from changeover.evaluation.stdlib_texts import Text

REQUEST_ID_HEADER: Final = "x-changeover-request-id"
INSTRUCTION: Final = "Summarise the following documentation in one line."
STREAMED_SHARE: Final = 0.3
CONCURRENCY: Final = 24
TIMEOUT_S: Final = 20.0
BEHIND_MAX_S: Final = 0.25
"""An application that has fallen further behind its pace than this does not try to catch up."""
FAILURES_TOLD_MAX: Final = 3
_FAILURES: Final = (openai.OpenAIError, httpx2.HTTPError, ValueError)
"""The SDK lets a connection lost in mid-stream and an answer that is no JSON through as they are."""

Answered = Callable[[str, Text, str], object]
"""Called with the request's id, the text and the answer."""


def sdk_client(base_url: str) -> AsyncOpenAI:
    """The SDK as anyone would make it, but without its retries, so that no failure stays hidden."""
    return AsyncOpenAI(base_url=base_url, api_key="the gateway needs none", max_retries=0, timeout=TIMEOUT_S)


class Application:
    """Sends ``rate`` requests a second for one task until stopped. Texts and the choice to stream are drawn from ``dice``."""

    def __init__(
        self, client: AsyncOpenAI, *, task: str, texts: Sequence[Text], dice: random.Random, rate: float, answered: Answered
    ) -> None:
        self._client = client
        self._task = task
        self._texts = texts
        self._dice = dice
        self._interval_s = 1 / rate
        self._answered = answered
        self._due = 0.0
        self._stopping = False
        self.sent = 0
        self.streamed = 0
        self.failed = 0
        self.failures: list[str] = []
        self.served: Counter[str] = Counter()

    async def run(self) -> None:
        """Until ``stop``, and until every request under way has its answer."""
        self._due = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(self._work())

    def stop(self) -> None:
        """Send nothing more."""
        self._stopping = True

    async def close(self) -> None:
        await self._client.close()

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(self._wait_s())
            if self._stopping:
                return
            text = self._dice.choice(self._texts)
            ask = self._streamed if self._dice.random() < STREAMED_SHARE else self._whole
            self.sent += 1
            await self._ask(ask, text)

    def _wait_s(self) -> float:
        """Take the next place in the pace: how long until it is due."""
        now = asyncio.get_running_loop().time()
        self._due = max(self._due + self._interval_s, now - BEHIND_MAX_S)
        return max(0.0, self._due - now)

    async def _ask(self, ask: Callable[[Text], Awaitable[tuple[str, str, str]]], text: Text) -> None:
        try:
            request_id, model, answer = await ask(text)
        except _FAILURES as error:
            self.failed += 1
            if len(self.failures) < FAILURES_TOLD_MAX:
                self.failures.append(f"{text.name}: {error!r}")
            return
        self.served[model] += 1
        self._answered(request_id, text, answer)

    async def _whole(self, text: Text) -> tuple[str, str, str]:
        raw = await self._client.chat.completions.with_raw_response.create(model=self._task, messages=_messages(text))
        reply: ChatCompletion = raw.parse()
        return _request_id(raw.headers), reply.model, reply.choices[0].message.content or ""

    async def _streamed(self, text: Text) -> tuple[str, str, str]:
        self.streamed += 1
        raw = await self._client.chat.completions.with_raw_response.create(model=self._task, messages=_messages(text), stream=True)
        model, finished, pieces = "", False, list[str]()
        async for chunk in raw.parse():
            model = chunk.model or model
            for choice in chunk.choices:
                pieces.append(choice.delta.content or "")
                finished = finished or choice.finish_reason is not None
        if not finished:
            raise openai.OpenAIError("the stream ended without a finish reason")
        return _request_id(raw.headers), model, "".join(pieces)


def _request_id(headers: Mapping[str, str]) -> str:
    request_id = headers.get(REQUEST_ID_HEADER)
    if request_id is None:
        raise openai.OpenAIError(f"the answer has no {REQUEST_ID_HEADER}")
    return request_id


def _messages(text: Text) -> list[ChatCompletionMessageParam]:
    return [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": text.document}]
