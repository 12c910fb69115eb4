"""Requests that other servers disagree about: each is answered once, as wanted, and a refused one reaches nobody."""

import re

import msgspec
import pytest

from changeover.exchange.observation import Outcome
from tests.integration.gateway.houses import endpoint
from tests.integration.gateway.rig import BODY, Provider, answers, request, rig, served, table_for

ANSWERS = re.compile(rb"HTTP/1.1 \d{3} ")
CLOSE = b"Connection: close\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CODED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


def post(
    headers: bytes, body: bytes, *, path: bytes = b"/v1/chat/completions", version: bytes = b"HTTP/1.1", host: bytes = b"Host: x\r\n"
) -> bytes:
    base = b"Content-Type: application/json\r\nAuthorization: Bearer sk-test\r\n"
    return b"POST %b %b\r\n%b%b%b\r\n%b" % (path, version, host, base, headers, body)


VALID = post(LENGTH, BODY)
REFUSED = {
    "both framings": (post(LENGTH + CODED, BODY), 400),
    "both framings, the other way round": (post(CODED + LENGTH, CHUNKS), 400),
    "two lengths": (post(LENGTH + b"Content-Length: 5\r\n", BODY), 400),
    "two equal lengths": (post(LENGTH + LENGTH, BODY), 400),
    "a list of lengths": (post(b"Content-Length: 36, 36\r\n", BODY), 400),
    "a length with a sign": (post(b"Content-Length: +36\r\n", BODY), 400),
    "a length of 20 digits": (post(b"Content-Length: 99999999999999999999\r\n", BODY), 400),
    "a space before the colon": (post(b"Content-Length : 36\r\n", BODY), 400),
    "an unknown coding": (post(b"Transfer-Encoding: xchunked\r\n", CHUNKS), 400),
    "chunked not last": (post(b"Transfer-Encoding: chunked, identity\r\n", CHUNKS), 400),
    "chunked with another": (post(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS), 400),
    "codings in two headers": (post(CODED + b"Transfer-Encoding: identity\r\n", CHUNKS), 400),
    "codings in two headers, the last of them chunked": (post(b"Transfer-Encoding: identity\r\n" + CODED, CHUNKS), 400),
    "chunked in two headers": (post(CODED + CODED, CHUNKS), 400),
    "a length, and a coding in two headers": (post(LENGTH + CODED + b"Transfer-Encoding: identity\r\n", CHUNKS), 400),
    "a length, and an empty coding": (post(LENGTH + b"Transfer-Encoding:\r\n", BODY), 400),
    "a length in a trailer": (post(CODED, CHUNKS[:-2] + b"Content-Length: 5\r\n\r\n"), 400),
    "a coding in a trailer": (post(CODED, CHUNKS[:-2] + b"Transfer-Encoding: identity\r\n\r\n"), 400),
    "a negative length": (post(b"Content-Length: -36\r\n", BODY), 400),
    "an empty length": (post(b"Content-Length:\r\n", BODY), 400),
    "a folded header": (post(b"X-A: b\r\n c\r\n" + LENGTH, BODY), 400),
    "bare line feeds": (VALID.replace(b"\r\n", b"\n"), 400),
    "a bare carriage return": (post(b"X-A: b\rc\r\n" + LENGTH, BODY), 400),
    "a NUL": (post(b"X-A: b\x00c\r\n" + LENGTH, BODY), 400),
    "a chunk size with 0x": (post(CODED, b"0x" + CHUNKS), 400),
    "a chunk size over 2^63": (post(CODED, b"fffffffffffffffff\r\n"), 400),
    "chunks with bare line feeds": (post(CODED, CHUNKS.replace(b"\r\n", b"\n")), 400),
    "HTTP/1.0 with chunks": (post(CODED, CHUNKS, version=b"HTTP/1.0"), 400),
    "HTTP/2.0": (post(LENGTH, BODY, version=b"HTTP/2.0"), 505),
    "an HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "an absolute URL": (post(LENGTH, BODY, path=b"http://evil/v1/chat/completions"), 400),
    "a large header": (post(b"X-A: %b\r\n" % (b"a" * 100_000) + LENGTH, BODY), 431),
    "a large header without end": (post(b"X-A: " + b"a" * 100_000, b""), 431),
    "too many headers": (post(b"X-A: 1\r\n" * 200 + LENGTH, BODY), 431),
    "a long URL": (post(LENGTH, BODY, path=b"/v1/chat/completions?" + b"a" * 9000), 414),
    "no Host": (post(LENGTH, BODY, host=b""), 400),
    "no Host, and nothing else either": (b"GET /v1/models HTTP/1.1\r\n\r\n", 400),
    "two Hosts and no body": (b"GET /v1/models HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
    "an absolute URL and no body": (b"GET http://evil/v1/models HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "two Hosts": (post(LENGTH, BODY, host=b"Host: x\r\nHost: y\r\n"), 400),
    "an empty header name": (post(b": x\r\n" + LENGTH, BODY), 400),
    "a lower-case method": (VALID.replace(b"POST", b"post"), 400),
    "an upgrade": (post(b"Connection: upgrade\r\nUpgrade: websocket\r\n" + LENGTH, BODY), 400),
    "CONNECT": (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "an unknown expectation": (post(b"Expect: tea\r\n" + LENGTH, BODY), 417),
    "a compressed body": (post(b"Content-Encoding: gzip\r\n" + LENGTH, BODY), 415),
    "not HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 64, 400),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_doubtful_request_is_refused_once_and_reaches_nobody(name: str) -> None:
    data, status = REFUSED[name]
    async with served() as (house, provider):
        said = await house.raw(data)
        assert len(ANSWERS.findall(said)) == 1
        assert said.startswith(b"HTTP/1.1 %d " % status), said
        assert b'{"error":{"message":"' in said
        assert b"connection: close\r\n" in said
        assert provider.raw == 0
        assert all(seen.outcome is Outcome.REFUSED for seen in house.notes.observations)
        assert await house.lives()


@pytest.mark.parametrize("name", REFUSED)
async def test_a_doubtful_request_is_refused_alike_in_small_pieces(name: str) -> None:
    data, status = REFUSED[name]
    if len(data) > 1000:
        data = data[:3000]  # the long ones only differ in length
        status = None
    async with served() as (house, provider):
        client = await house.client()
        transport = client.writer.transport
        for start in range(len(data)):
            transport.write(data[start : start + 1])
        if status is not None:
            said = await client.rest()
            assert len(ANSWERS.findall(said)) == 1
            assert said.startswith(b"HTTP/1.1 %d " % status), said
        assert provider.raw == 0
        assert await house.lives()


SERVED = {
    "a length": VALID,
    "chunks": post(CODED, CHUNKS),
    "leading zeros": post(b"Content-Length: 00%d\r\n" % len(BODY), BODY),
    "a chunk extension": post(CODED, CHUNKS.replace(b"\r\n", b";a=b\r\n", 1)),
    "one byte a chunk": post(CODED, b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"),
    "an empty header value": post(b"X-A:\r\n" + LENGTH, BODY),
    "a length and Connection: close": post(LENGTH + CLOSE, BODY),
    "HTTP/1.0 without Host": post(LENGTH, BODY, version=b"HTTP/1.0", host=b""),
}


@pytest.mark.parametrize("name", SERVED)
async def test_a_valid_request_is_served_however_it_is_cut(name: str) -> None:
    data = SERVED[name]
    async with served() as (house, provider):
        assert (await house.ask(data)).status == 200
        client = await house.client()
        for start in range(len(data)):
            client.writer.transport.write(data[start : start + 1])
        assert (await client.answer()).status == 200
        assert [received.fields for received in provider.received] == [{"model": "blue", "messages": []}] * 2


async def test_trailers_are_no_headers() -> None:
    trailers = b"0\r\nX-Changeover-Unit: forged\r\nAuthorization: Bearer x\r\nX-Extra: 1\r\n\r\n"
    async with served() as (house, provider):
        assert (await house.ask(post(CODED, CHUNKS.replace(b"0\r\n\r\n", trailers)))).status == 200
        assert b"x-extra" not in provider.received[0].names
        assert not (await house.notes.only()).sticky


@pytest.mark.parametrize("name", REFUSED)
async def test_what_follows_a_doubtful_request_is_never_served(name: str) -> None:
    data, _ = REFUSED[name]
    async with served() as (house, provider):
        said = await house.raw(data + VALID)
        assert len(ANSWERS.findall(said)) == 1
        assert provider.raw == 0


async def test_trailers_open_no_door_and_set_no_unit() -> None:
    trailers = b"0\r\nX-Changeover-Unit: forged\r\napi-key: ck-" + b"a" * 43 + b"\r\n\r\n"
    data = post(CODED, CHUNKS.replace(b"0\r\n\r\n", trailers))
    async with Provider(answers) as provider:
        table = msgspec.structs.replace(table_for({"blue": endpoint(provider)}), keys_required=True)
        async with rig(table) as house:
            said = await house.raw(data)
        assert said.startswith(b"HTTP/1.1 401 ")
        assert provider.raw == 0


async def test_a_chunk_extension_of_a_hundred_thousand_bytes_is_not_kept() -> None:
    async with served() as (house, provider):
        assert (await house.ask(post(CODED, CHUNKS.replace(b"\r\n", b";" + b"a" * 100_000 + b"\r\n", 1)))).status == 200
        assert provider.raw < 1000


async def test_two_requests_whose_urls_come_in_pieces_are_two_requests() -> None:
    first, second = VALID, VALID.replace(b"/v1/chat", b"/openai/v1/chat")
    async with served() as (house, provider):
        client = await house.client()
        data = first + second
        at = len(first) + 12
        for start, end in ((0, 9), (9, 20), (20, at), (at, at + 5), (at + 5, len(data))):
            await client.send(data[start:end])
            assert await house.lives()
        assert [(await client.answer()).status for _ in range(2)] == [200, 200]
        assert len(provider.received) == 2


async def test_endless_chunk_framing_is_refused() -> None:
    async with served() as (house, provider):
        said = await house.raw(post(CODED, b"5;" + b"a" * (2 << 20)))
        assert said.startswith(b"HTTP/1.1 413 ")
        assert len(ANSWERS.findall(said)) == 1
        assert provider.raw == 0


async def test_an_endless_trailer_is_refused() -> None:
    async with served() as (house, provider):
        said = await house.raw(post(CODED, CHUNKS[:-2] + b"X-A: " + b"a" * (2 << 20)))
        assert said.startswith(b"HTTP/1.1 413 ")
        assert provider.raw == 0


async def test_a_duplicate_model_key_cannot_name_another_model() -> None:
    body = b'{"model":"blue","messages":[],"model":"summarise"}'
    async with served() as (house, provider):
        assert (await house.ask(request(body))).status == 200
        assert provider.received[0].body.count(b"model") == 1
        assert provider.received[0].fields["model"] == "blue"


async def test_an_escaped_model_key_is_the_model() -> None:
    async with served() as (house, provider):
        assert (await house.ask(request(b'{"mod\\u0065l":"summarise","messages":[]}'))).status == 200
        assert provider.received[0].body.count(b"summarise") == 0
        assert provider.received[0].fields["model"] == "blue"


async def test_get_with_a_body_answers_and_keeps_the_order() -> None:
    async with served() as (house, _):
        client = await house.client()
        await client.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + request())
        assert (await client.answer("GET")).status == 200
        assert (await client.answer()).status == 200
