"""What a provider's connection may say, and what its caller then gets."""

import asyncio

import pytest

from changeover.exchange.observation import Outcome, Tokens
from changeover.gateway.limits import Limits
from tests.integration.gateway.rig import (
    ANSWER,
    CHUNKED_JSON_HEAD,
    CONTENT,
    DONE,
    EVENTS,
    LAST_CHUNK,
    STREAM_HEAD,
    STREAM_REQUEST,
    Provider,
    Received,
    Wire,
    answers,
    chunk,
    request,
    rig,
    says,
    served,
    table_for,
    until,
    whole,
)

FORGED = whole(b'{"forged":true}')


async def test_bytes_after_a_reply_are_left_out_and_the_connection_is_not_used_again() -> None:
    for reply in (whole() + FORGED, whole() + b"junk", CHUNKED_JSON_HEAD + chunk(ANSWER) + LAST_CHUNK + FORGED):
        async with served(says(reply)) as (house, provider):
            client = await house.client()
            for _ in range(2):
                assert (await client.ask(request())).body == ANSWER
            assert provider.connections == 2


async def test_bytes_on_an_idle_connection_end_it() -> None:
    async def behave(_: Received, wire: Wire) -> None:
        await wire.send(whole())
        await asyncio.sleep(0)
        await wire.send(FORGED)
        await wire.gone()
        wire.close()

    async with served(behave) as (house, provider):
        client = await house.client()
        for _ in range(3):
            assert (await client.ask(request())).body == ANSWER
        assert provider.connections == 3


UNREADABLE = {
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "both framings": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "an unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "a coding that is not chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nab",
    "a length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nab",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "an endless head": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000,
    "an endless header": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 200_000,
    "a bad chunk": CHUNKED_JSON_HEAD + chunk(b'{"a":') + b"zz\r\n",
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_an_unreadable_reply_is_an_error_of_the_deployment(name: str) -> None:
    async with served(says(UNREADABLE[name], then="wait")) as (house, _):
        client = await house.client()
        answer = await client.ask(request())
        assert (answer.status, answer.error["code"], answer.error["type"]) == (502, "upstream_invalid", "server_error")
        assert "blue" in answer.error["message"]
        seen = await house.notes.only()
        assert (seen.outcome, seen.status, seen.error, seen.served) == (Outcome.FAILED, 502, "upstream_invalid", None)
        assert await house.lives()


async def test_interim_replies_are_skipped() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    async with served(says(interim, interim + whole())) as (house, provider):
        client = await house.client()
        for _ in range(2):
            answer = await client.ask(request())
            assert (answer.status, answer.body, answer.interim) == (200, ANSWER, [])
            assert b"link" not in answer.names
        assert provider.connections == 1


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_a_reply_without_a_body_has_none_for_the_caller(status: bytes) -> None:
    async with served(says(b"HTTP/1.1 %b\r\nx-a: b\r\n\r\n" % status)) as (house, provider):
        client = await house.client()
        for _ in range(2):
            answer = await client.ask(request())
            assert (answer.status, answer.body) == (int(status[:3]), b"")
            assert b"content-length" not in answer.names
        assert provider.connections == 1


@pytest.mark.parametrize("cut", [(ANSWER,), (ANSWER[:50], ANSWER[50:])])
async def test_a_reply_that_ends_with_its_connection_is_whole(cut: tuple[bytes, ...]) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
    async with served(says(head, *cut, then="close")) as (house, provider):
        client = await house.client()
        for _ in range(2):
            answer = await client.ask(request())
            assert (answer.status, answer.body) == (200, ANSWER)
        assert provider.connections == 2
        assert {seen.tokens for seen in await house.notes.count(2)} == {Tokens(prompt=7, completion=3)}


async def test_half_a_document_that_ends_with_its_connection_is_an_error() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
    async with served(says(head + ANSWER[:80], then="close")) as (house, _):
        answer = await house.ask(request())
        assert (answer.status, answer.error["code"]) == (502, "upstream_reset")


async def test_a_chunked_json_reply_yields_its_usage() -> None:
    async with served(says(CHUNKED_JSON_HEAD, chunk(ANSWER[:30]), chunk(ANSWER[30:]) + LAST_CHUNK)) as (house, _):
        answer = await house.ask(request())
        assert answer.body == ANSWER
        assert (await house.notes.only()).tokens == Tokens(prompt=7, completion=3)


async def test_a_providers_trailers_are_dropped() -> None:
    async with served(says(CHUNKED_JSON_HEAD + chunk(ANSWER) + b"0\r\nX-Changeover-Side: candidate\r\nX-T: 1\r\n\r\n")) as (
        house,
        provider,
    ):
        client = await house.client()
        for _ in range(2):
            answer = await client.ask(request())
            assert answer.names.keys().isdisjoint({b"x-t"})
            assert answer.names[b"x-changeover-side"] == b"stable"
        assert provider.connections == 1


@pytest.mark.parametrize("framing", ["length", "chunks", "connection"])
async def test_a_reply_too_long_to_hold_is_passed_on_as_it_comes(framing: str) -> None:
    body = b'{"text":"' + b"a" * 700_000 + b'"}'
    pieces = [body[start : start + 10_000] for start in range(0, len(body), 10_000)]
    if framing == "length":
        sent = [whole(body)]
    elif framing == "chunks":
        sent = [CHUNKED_JSON_HEAD, *map(chunk, pieces), LAST_CHUNK]
    else:
        sent = [b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n", *pieces]
    async with served(says(*sent, then="close" if framing == "connection" else "keep")) as (house, _):
        client = await house.client()
        assert (await client.ask(request())).body == body
        assert (await client.ask(request())).body == body


async def test_a_long_reply_that_is_cut_breaks_the_callers_connection() -> None:
    sent = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900000\r\n\r\n" + b"a" * 600_000
    async with served(says(sent, then="reset")) as (house, _):
        client = await house.client()
        await client.send(request())
        said = await client.rest()
        assert said.count(b"HTTP/1.1 ") <= 1
        assert len(said) < 900_000
        seen = await house.notes.only()
        assert (seen.outcome, seen.error) == (Outcome.FAILED, "upstream_reset")


@pytest.mark.parametrize(
    ("status", "outcome", "error"),
    [
        (b"400 Bad Request", Outcome.REJECTED, "SomeCode"),
        (b"404 Not Found", Outcome.FAILED, "missing"),
        (b"429 Too Many Requests", Outcome.FAILED, "SomeCode"),
        (b"503 Service Unavailable", Outcome.FAILED, "SomeCode"),
    ],
)
async def test_a_providers_refusal_arrives_as_it_is_and_is_told_apart(status: bytes, outcome: Outcome, error: str) -> None:
    body = b'{"error":{"code":"SomeCode","message":"no"}}'
    extra = b"retry-after: 86400\r\nretry-after-ms: 5\r\nx-should-retry: false\r\n"
    async with served(says(whole(body, status=status, extra=extra))) as (house, _):
        answer = await house.ask(request())
        assert (answer.status, answer.body) == (int(status[:3]), body)
        assert (answer.names[b"retry-after"], answer.names[b"retry-after-ms"]) == (b"86400", b"5")
        assert answer.names[b"x-should-retry"] == b"false"
        seen = await house.notes.only()
        assert (seen.outcome, seen.status, seen.error) == (outcome, int(status[:3]), error)


async def test_a_filtered_prompt_is_an_answer() -> None:
    body = b'{"error":{"code":"content_filter","innererror":{"content_filter_result":{"hate":{"filtered":true}}}}}'
    async with served(says(whole(body, status=b"400 Bad Request"))) as (house, _):
        assert (await house.ask(request())).status == 400
        seen = await house.notes.only()
        assert (seen.outcome, seen.filtered, seen.served) == (Outcome.ANSWERED, True, "blue")


async def test_a_compressed_reply_arrives_as_it_is_and_is_marked_unread() -> None:
    async with served(says(whole(b"\x1f\x8b\x08", extra=b"Content-Encoding: gzip\r\n"))) as (house, _):
        answer = await house.ask(request())
        assert (answer.body, answer.names[b"content-encoding"]) == (b"\x1f\x8b\x08", b"gzip")
        seen = await house.notes.only()
        assert (seen.outcome, seen.error, seen.tokens) == (Outcome.ANSWERED, "reply_encoded", None)


async def test_a_stream_that_was_asked_for_may_be_answered_in_json() -> None:
    async with served(says(whole())) as (house, _):
        assert (await house.ask(STREAM_REQUEST)).body == ANSWER
        assert not (await house.notes.only()).streamed


async def test_connection_close_of_the_provider_is_its_own() -> None:
    async with served(says(whole(extra=b"Connection: close\r\n"))) as (house, provider):
        client = await house.client()
        for _ in range(2):
            assert b"connection" not in (await client.ask(request())).names
        assert provider.connections == 2


async def test_a_connection_that_went_stale_is_replaced_and_the_request_sent_once_more() -> None:
    async def behave(received: Received, wire: Wire) -> None:
        if len(provider.received) == 2:
            wire.reset()  # the second request finds a connection that is no more
        else:
            await answers(received, wire)

    async with Provider(behave) as provider, rig(table_for({"blue": f"http://127.0.0.1:{provider.port}"})) as house:
        client = await house.client()
        assert (await client.ask(request())).status == 200
        assert (await client.ask(request())).status == 200
        assert (len(provider.received), provider.connections) == (3, 2)
        assert [seen.attempts for seen in await house.notes.count(2)] == [1, 2]


async def test_a_fresh_connection_that_breaks_is_not_tried_again() -> None:
    async with served(says(then="reset")) as (house, provider):
        answer = await house.ask(request())
        assert (answer.status, answer.error["code"]) == (502, "upstream_reset")
        assert len(provider.received) == 1


async def test_a_stale_connection_is_replaced_once_only() -> None:
    async def behave(received: Received, wire: Wire) -> None:
        await (answers(received, wire) if len(provider.received) == 1 else says(then="reset")(received, wire))

    async with Provider(behave) as provider, rig(table_for({"blue": f"http://127.0.0.1:{provider.port}"})) as house:
        client = await house.client()
        assert (await client.ask(request())).status == 200
        assert (await client.ask(request())).status == 502
        assert len(provider.received) == 3


async def test_no_byte_of_a_reply_is_the_one_that_must_not_be_cut() -> None:
    reply = whole(b'{"choices":[]}')
    for length in range(len(reply)):
        async with served(says(reply[:length], then="close")) as (house, _):
            answer = await house.ask(request())
            assert (answer.status, answer.error["code"]) == (502, "upstream_reset"), reply[:length]
            assert (await house.notes.only()).outcome is Outcome.FAILED


async def test_a_reply_may_come_a_byte_at_a_time() -> None:
    async def behave(_: Received, wire: Wire) -> None:
        for byte in STREAM_HEAD + b"".join(map(chunk, EVENTS)) + chunk(DONE) + LAST_CHUNK:
            await wire.send(bytes([byte]))
            await asyncio.sleep(0)

    async with served(behave) as (house, _):
        assert (await house.ask(STREAM_REQUEST)).body == b"".join(EVENTS) + DONE
        seen = await house.notes.only()
        assert seen.outcome is Outcome.ANSWERED
        assert CONTENT in b"".join(EVENTS)


async def test_the_pool_keeps_no_more_than_its_limit_and_nothing_old() -> None:
    gate = asyncio.Event()

    async def behave(received: Received, wire: Wire) -> None:
        await gate.wait()
        await answers(received, wire)

    async with served(behave, limits=Limits(pool_idle_max=2)) as (house, provider):
        clients = [await house.client() for _ in range(4)]
        for client in clients:
            await client.send(request())
        await until(lambda: len(provider.received) == 4)
        gate.set()
        for client in clients:
            assert (await client.answer()).status == 200
        (pool,) = house.gateway.pools
        assert pool.idle == 2
        house.gateway.sweep(asyncio.get_running_loop().time() + 1e6)
        assert pool.idle == 0
