"""Several requests on one connection, and how a connection ends."""

import asyncio

from tests.integration.gateway.rig import BODY, Received, Wire, request, served, until, whole

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def numbered(number: int) -> bytes:
    return request(b'{"model":"summarise","messages":[],"seed":%d}' % number)


async def test_pipelined_answers_come_in_the_order_of_their_requests() -> None:
    async def slow_first(received: Received, wire: Wire) -> None:
        if received.fields["seed"] == 0:
            for _ in range(50):
                await asyncio.sleep(0)
        await wire.send(whole(b'{"seed":%d}' % received.fields["seed"]))

    async with served(slow_first) as (house, provider):
        client = await house.client()
        await client.send(b"".join(numbered(number) for number in range(5)))
        assert [(await client.answer()).body for _ in range(5)] == [b'{"seed":%d}' % number for number in range(5)]
        assert [received.fields["seed"] for received in provider.received] == list(range(5))
        assert provider.connections == 1, "the next request is sent when the last is answered"


async def test_thousands_of_requests_in_one_read_are_all_answered() -> None:
    async with served() as (house, _):
        client = await house.client()
        await client.send(HEALTH * 3000)
        for _ in range(3000):
            await client.reader.readuntil(b'{"status":"ok"}')


async def test_a_request_in_pieces_behind_another_waits_its_turn() -> None:
    async with served() as (house, provider):
        client = await house.client()
        data = numbered(2)
        await client.send(numbered(1) + data[:40])
        assert (await client.answer()).status == 200
        assert len(provider.received) == 1
        await client.send(data[40:])
        assert (await client.answer()).status == 200


async def test_a_bad_request_behind_a_good_one_is_answered_second() -> None:
    async with served() as (house, provider):
        client = await house.client()
        await client.send(numbered(1) + b"nonsense\r\n\r\n")
        assert (await client.answer()).status == 200
        assert (await client.answer()).status == 400
        assert await client.rest() == b""
        assert len(provider.received) == 1


async def test_connection_close_is_honoured() -> None:
    async with served() as (house, _):
        client = await house.client()
        answer = await client.ask(request(extra=b"Connection: close\r\n"))
        assert (answer.status, answer.names[b"connection"]) == (200, b"close")
        assert await client.rest() == b""


async def test_http_1_0_gets_a_body_without_chunks_and_the_end_of_the_connection() -> None:
    async with served() as (house, _):
        body = b'{"model":"summarise","messages":[],"stream":true}'
        said = await house.raw(b"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        head, _, rest = said.partition(b"\r\n\r\n")
        assert b"transfer-encoding" not in head
        assert b"connection: close" in head
        assert rest.startswith(b"data: {")
        assert rest.endswith(b"data: [DONE]\n\n")


async def test_a_caller_that_expects_to_be_asked_is_asked_for_its_body() -> None:
    async with served() as (house, _):
        client = await house.client()
        data = request(extra=b"Expect: 100-continue\r\n")
        await client.send(data[: -len(BODY)])
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(BODY)
        assert (await client.answer()).status == 200


async def test_a_body_that_came_along_is_not_asked_for() -> None:
    async with served() as (house, _):
        assert (await house.ask(request(extra=b"Expect: 100-continue\r\n"))).interim == []


async def test_a_refusal_comes_instead_of_the_question_for_the_body() -> None:
    async with served() as (house, _):
        client = await house.client()
        await client.send(b"POST /nothing HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n")
        answer = await client.answer()
        assert (answer.status, answer.interim) == (404, [])
        assert await client.rest() == b""


async def test_a_question_for_the_body_waits_behind_an_answer() -> None:
    asked = asyncio.Event()

    async def held(_: Received, wire: Wire) -> None:
        await asked.wait()
        await wire.send(whole())

    async with served(held) as (house, provider):
        client = await house.client()
        second = request(extra=b"Expect: 100-continue\r\n")
        await client.send(request() + second[: -len(BODY)])
        await until(lambda: provider.received)
        asked.set()
        assert (await client.answer()).status == 200
        await client.send(BODY)
        answer = await client.answer()
        assert (answer.status, answer.interim) == (200, [100])


async def test_a_refusal_of_a_whole_request_keeps_the_connection() -> None:
    async with served() as (house, _):
        client = await house.client()
        assert (await client.ask(request(b"{"))).status == 400
        assert (await client.ask(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", "GET")).status == 404
        answer = await client.ask(b"DELETE /v1/models HTTP/1.1\r\nHost: x\r\n\r\n", "DELETE")
        assert (answer.status, answer.names[b"allow"]) == (405, b"GET, HEAD")
        assert (await client.ask(request())).status == 200
