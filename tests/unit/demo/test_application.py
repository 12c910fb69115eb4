"""The application is an ordinary caller: it hides no failure and knows no version."""

import asyncio
import random
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx2
from openai import AsyncOpenAI

from changeover.azure_sim.data_plane import DataPlane
from changeover.azure_sim.resource import Resource
from changeover.azure_sim.stage import Condition
from changeover.demo.application import Application
from changeover.evaluation.rouge import rouge_l_f1
from changeover.evaluation.stdlib_texts import Text
from tests.unit.azure_sim.wire import KEY, a_stage

TASK = "prod-v0115"
TEXTS = [
    Text(
        name=f"a.py:{number}",
        document=f"Text {number} opens a file. It is read to its end. It is closed.",
        reference=f"Open file {number}.",
    )
    for number in range(5)
]
RATE = 100_000.0
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class StandIn:
    """A gateway as the application sees one: answers of the stage, each with a request id of its own."""

    def __init__(self, *, with_ids: bool = True, cut: bool = False) -> None:
        self.resource = Resource(a_stage(capacity=1_000_000), key=KEY)
        self._plane = DataPlane(self.resource)
        self._with_ids = with_ids
        self._cut = cut
        self.ids: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        async def send_on(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start" and self._with_ids:
                self.ids.append(f"id-{len(self.ids)}")
                message["headers"].append((b"x-changeover-request-id", self.ids[-1].encode()))
            if self._cut and message.get("body", b"").startswith(b"data: ") and b"[DONE]" in message["body"]:
                message = {**message, "body": b""}
            await send(message)

        await self._plane(scope, receive, send_on)


Answers = list[tuple[str, Text, str]]


def run(gateway: StandIn, *, requests: int, seed: int = 1) -> tuple[Application, Answers]:
    """The application after at least ``requests`` of them ended in one way or another."""

    async def play() -> tuple[Application, Answers]:
        answers: Answers = []
        transport = httpx2.AsyncClient(transport=httpx2.ASGITransport(gateway), base_url="http://gateway/openai/v1")
        client = AsyncOpenAI(base_url="http://gateway/openai/v1", api_key=KEY, max_retries=0, http_client=transport)
        application = Application(
            client, task=TASK, texts=TEXTS, dice=random.Random(seed), rate=RATE, answered=lambda *answer: answers.append(answer)
        )
        running = asyncio.create_task(application.run())
        while len(answers) + application.failed < requests and not running.done():  # noqa: ASYNC110 - turns of the loop, no wait
            await asyncio.sleep(0)
        application.stop()
        await running
        await application.close()
        return application, answers

    return asyncio.run(play())


def test_whole_answers_and_streams_say_the_same_and_carry_their_request_ids() -> None:
    gateway = StandIn()
    application, answers = run(gateway, requests=80)
    assert application.failed == 0
    assert application.sent == len(answers) == len(gateway.ids)
    assert 0 < application.streamed < application.sent
    assert {request_id for request_id, _, _ in answers} == set(gateway.ids)
    assert all(answer == f"Text {text.name[5:]} opens a file." for _, text, answer in answers)
    assert all(rouge_l_f1(answer, text.reference) > 0 for _, text, answer in answers)


def test_answers_are_counted_by_the_model_they_carry() -> None:
    application, answers = run(StandIn(), requests=40)
    assert application.served == {"summariser-2026-01-15": len(answers)}


def test_all_texts_are_drawn_again_and_again() -> None:
    _, answers = run(StandIn(), requests=80)
    assert {text.name for _, text, _ in answers} == {text.name for text in TEXTS}


def test_a_refused_request_is_a_failure_with_its_reason() -> None:
    gateway = StandIn()
    gateway.resource.deployment(TASK).condition = Condition.FAILING
    application, answers = run(gateway, requests=5)
    assert answers == []
    assert application.failed == application.sent
    assert "InternalServerError" in application.failures[0]
    assert len(application.failures) <= 3


def test_an_answer_without_a_request_id_is_a_failure() -> None:
    application, answers = run(StandIn(with_ids=False), requests=5)
    assert answers == []
    assert "x-changeover-request-id" in application.failures[0]


def test_a_stream_that_breaks_off_is_a_failure() -> None:
    application, answers = run(StandIn(cut=True), requests=60)
    assert application.failed == application.streamed > 0
    assert len(answers) == application.sent - application.streamed
    assert "without a finish reason" in application.failures[0]
