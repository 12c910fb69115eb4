"""Responses that this data plane did not see: the control plane is asked who issued them, and nobody else waits."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import msgspec
import pytest

from changeover.exchange.issuer import hash_response
from changeover.exchange.observation import Outcome
from changeover.gateway import inquiry
from changeover.ports.planes import Issuer, LinkDownError
from changeover.traffic.table import RoutingTable, Side
from tests.integration.gateway.houses import endpoint
from tests.integration.gateway.rig import Provider, Rig, answers, request, rig, says, table_for, until, whole

RESPONSE = b'{"id":"resp_new","object":"response","status":"completed","model":"gpt-4o-2024-11-20","output":[]}'
PATH = b"/v1/responses"


class Book:
    """Knows that the candidate made ``resp_1``. While ``gate`` is clear it does not answer."""

    def __init__(self, *, down: bool = False) -> None:
        self.asked: list[str] = []
        self.down = down
        self.gate = asyncio.Event()
        self.gate.set()

    async def issuer(self, response: str) -> Issuer | None:
        self.asked.append(response)
        await self.gate.wait()
        if self.down:
            raise LinkDownError("the link was cut")
        return Issuer(task="summarise", deployment="green") if response == hash_response("resp_1") else None


@contextlib.asynccontextmanager
async def two(book: Book, *, permille: int) -> AsyncGenerator[tuple[Rig, Provider, Provider, RoutingTable]]:
    """A task on ``blue`` with ``green`` on trial."""
    async with Provider(says(whole(RESPONSE))) as blue, Provider(says(whole(RESPONSE))) as green:
        table = table_for({"blue": endpoint(blue), "green": endpoint(green)}, permille=permille)
        async with rig(table, issuers=book) as house:
            yield house, blue, green, table


def continuing(response_id: str, model: str = '"summarise"') -> bytes:
    return request(f'{{"model":{model},"input":"more","previous_response_id":"{response_id}"}}'.encode(), path=PATH)


async def test_what_the_control_plane_knows_is_asked_once_and_then_known_here() -> None:
    book = Book()
    async with two(book, permille=1) as (house, blue, _, _):
        client = await house.client()
        await client.ask(continuing("resp_1"))
        await client.ask(continuing("resp_1"))
        seen = await house.notes.count(2)
        assert [(one.served, one.side, one.forced) for one in seen] == [("green", Side.CANDIDATE, True)] * 2
        assert (book.asked, blue.received) == ([hash_response("resp_1")], [])


async def test_the_task_is_learnt_too_and_a_stored_response_is_fetched_from_its_issuer() -> None:
    async with two(Book(), permille=1) as (house, _, _, _):
        answer = await house.ask(b"DELETE /v1/responses/resp_1 HTTP/1.1\r\nHost: x\r\n\r\n", "DELETE")
        assert (answer.status, answer.names[b"x-changeover-deployment"]) == (200, b"green")
        assert (await house.ask(continuing("resp_1", "null"))).names[b"x-changeover-task"] == b"summarise"


async def test_what_nobody_knows_goes_to_the_stable() -> None:
    book = Book()
    async with two(book, permille=999) as (house, _, _, _):
        await house.ask(continuing("resp_of_somebody"))
        assert (await house.notes.only()).served == "blue"
        assert len(book.asked) == 1


@pytest.mark.parametrize("down", [True, False])
async def test_a_control_plane_that_is_away_or_silent_costs_a_moment(down: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiry, "ASK_S", 0.01)
    book = Book(down=down)
    if not down:
        book.gate.clear()
    async with Provider(says(whole(RESPONSE))) as blue, rig(table_for({"blue": endpoint(blue)}), issuers=book) as house:
        assert (await house.ask(continuing("resp_1"))).status == 200
        assert (await house.notes.only()).served == "blue"


async def test_others_are_served_while_somebody_waits() -> None:
    book = Book()
    book.gate.clear()
    async with Provider(answers) as blue, rig(table_for({"blue": endpoint(blue)}), issuers=book) as house:
        waiting = await house.client()
        await waiting.send(continuing("resp_1"))
        await until(lambda: book.asked)
        assert (await house.ask(request())).status == 200
        book.gate.set()
        assert (await waiting.answer()).status == 200


async def test_too_many_inquiries_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiry, "ASKS_MAX", 1)
    book = Book()
    book.gate.clear()
    async with Provider(says(whole(RESPONSE))) as blue, rig(table_for({"blue": endpoint(blue)}), issuers=book) as house:
        waiting = await house.client()
        await waiting.send(continuing("resp_1"))
        await until(lambda: book.asked)
        assert (await house.ask(continuing("resp_2"))).status == 200
        assert len(book.asked) == 1
        book.gate.set()
        assert (await waiting.answer()).status == 200


async def test_a_caller_who_leaves_while_it_waits_is_observed_once_and_nobody_is_asked_for_it() -> None:
    book = Book()
    book.gate.clear()
    async with Provider(says(whole(RESPONSE))) as blue, rig(table_for({"blue": endpoint(blue)}), issuers=book) as house:
        client = await house.client()
        await client.send(continuing("resp_1"))
        await until(lambda: book.asked)
        client.leave()
        assert (await house.notes.only()).outcome is Outcome.ABANDONED
        book.gate.set()
        await until(lambda: house.gateway.health.issuer("resp_1"))
        assert (blue.received, len(house.notes.observations)) == ([], 1)


async def test_a_table_that_came_meanwhile_is_the_one_that_is_served_from() -> None:
    book = Book()
    book.gate.clear()
    async with two(book, permille=500) as (house, _, _, table):
        client = await house.client()
        await client.send(continuing("resp_1"))
        await until(lambda: book.asked)
        route = msgspec.structs.replace(table.routes["summarise"], candidate=None, candidate_permille=0)
        house.gateway.use(msgspec.structs.replace(table, revision=4, routes={"summarise": route}))
        book.gate.set()
        assert (await client.answer()).status == 200
        seen = await house.notes.only()
        assert (seen.served, seen.revision) == ("blue", 4)


async def test_an_answer_tells_by_which_hash_it_is_found_again() -> None:
    async with Provider(says(whole(RESPONSE))) as blue, rig(table_for({"blue": endpoint(blue)})) as house:
        await house.ask(request(b'{"model":"summarise","input":"x"}', path=PATH))
        assert (await house.notes.only()).response == hash_response("resp_new")
        assert "resp_new" not in repr(house.notes.observations)
