"""Every API of the provider: read where we know it, byte for byte where we need not, and routed by the task that is named."""

import contextlib
import gzip
import zlib
from collections.abc import AsyncGenerator

import msgspec
import pytest

from changeover.exchange.observation import Outcome, Tokens
from changeover.gateway.health import ISSUED_MAX, Health
from changeover.traffic.table import Side
from changeover.versions import Account, SecretReference
from tests.integration.gateway.houses import endpoint, pair, trial, with_route
from tests.integration.gateway.rig import (
    ANSWER,
    CONTENT,
    DONE,
    EVENTS,
    LAST_CHUNK,
    STREAM_HEAD,
    STREAM_REQUEST,
    USAGE_EVENT,
    Behaviour,
    Provider,
    Received,
    Rig,
    Wire,
    answers,
    chunk,
    request,
    rig,
    says,
    served,
    table_for,
    whole,
)

RESPONSE = (
    b'{"id":"resp_1","object":"response","status":"completed","model":"gpt-4o-2024-11-20","error":null,"output":[],'
    b'"usage":{"input_tokens":7,"output_tokens":3,"input_tokens_details":{"cached_tokens":2}}}'
)
RESPONSE_STREAM = (
    b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1","object":"response","status":"in_progress"}}\n\n'
    b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Yes"}\n\n'
    b'event: response.completed\ndata: {"type":"response.completed","response":' + RESPONSE + b"}\n\n"
)
EMBEDDING = (
    b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AAAA"}],"model":"e",'
    b'"usage":{"prompt_tokens":4,"total_tokens":4}}'
)
COMPLETION = (
    b'{"id":"c","object":"text_completion","model":"m","choices":[{"text":"Yes","index":0,"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":5,"completion_tokens":1}}'
)
JSON = b'{"model":"summarise","input":"Hello","unknown":[1.0]}'


@pytest.mark.parametrize(
    ("path", "reply", "line", "tokens"),
    [
        (b"/v1/responses", RESPONSE, b"/openai/responses?api-version=2024-10-21", Tokens(prompt=7, completion=3, cached=2)),
        (b"/openai/responses?api-version=2025-04-01-preview", RESPONSE, b"/openai/responses?api-version=2025-04-01-preview", None),
        (b"/v1/embeddings", EMBEDDING, b"/openai/deployments/blue/embeddings?api-version=2024-10-21", Tokens(prompt=4)),
        (b"/v1/completions", COMPLETION, b"/openai/deployments/blue/completions?api-version=2024-10-21", Tokens(prompt=5, completion=1)),
    ],
)
async def test_first_class_surfaces_are_read(path: bytes, reply: bytes, line: bytes, tokens: Tokens | None) -> None:
    async with served(says(whole(reply))) as (house, provider):
        answer = await house.ask(request(JSON, path=path))
        assert (answer.status, answer.body) == (200, reply)
        assert provider.received[0].line == b"POST %b HTTP/1.1" % line
        assert provider.received[0].body == JSON.replace(b'"summarise"', b'"blue"')
        seen = await house.notes.only()
        assert (seen.outcome, seen.served, seen.side) == (Outcome.ANSWERED, "blue", Side.STABLE)
        assert tokens is None or seen.tokens == tokens


async def test_a_streamed_response_ends_with_its_own_last_event() -> None:
    body = b'{"model":"summarise","input":"Hello","stream":true}'
    async with served(says(STREAM_HEAD + chunk(RESPONSE_STREAM) + LAST_CHUNK)) as (house, _):
        assert (await house.ask(request(body, path=b"/v1/responses"))).body == RESPONSE_STREAM
        seen = await house.notes.only()
        assert (seen.outcome, seen.tokens, seen.streamed) == (Outcome.ANSWERED, Tokens(prompt=7, completion=3, cached=2), True)
    cut = RESPONSE_STREAM[: RESPONSE_STREAM.index(b"event: response.completed")]
    async with served(says(STREAM_HEAD + chunk(cut) + LAST_CHUNK)) as (house, _):
        await house.ask(request(body, path=b"/v1/responses"))
        assert (await house.notes.only()).outcome is Outcome.FAILED


# Responses that are continued


def continuing(response_id: str) -> bytes:
    return b'{"model":"summarise","input":"more","previous_response_id":"%b"}' % response_id.encode()


async def test_a_response_is_continued_by_who_made_it_and_left_out_of_the_evidence() -> None:
    async with Provider(says(whole(RESPONSE))) as green, Provider(says(whole(RESPONSE.replace(b"resp_1", b"resp_2")))) as blue:
        endpoints = {"blue": endpoint(blue), "green": endpoint(green)}
        async with rig(table_for(endpoints, permille=1000)) as house:
            client = await house.client()
            await client.ask(request(JSON, path=b"/v1/responses"))
            house.gateway.use(table_for(endpoints, permille=1, revision=4))
            await client.ask(request(continuing("resp_1"), path=b"/v1/responses"))
            await client.ask(request(continuing("resp_of_somebody"), path=b"/v1/responses"))
            first, second, third = await house.notes.count(3)
            assert (first.served, first.forced, first.candidate_probability) == ("green", False, 1.0)
            assert (second.served, second.side, second.forced, second.is_error) == ("green", Side.CANDIDATE, True, False)
            assert (third.served, third.side, third.forced) == ("blue", Side.STABLE, True)


async def test_a_response_of_a_candidate_that_was_rolled_back_is_continued_by_the_stable() -> None:
    async with Provider(says(whole(RESPONSE))) as green, Provider(says(whole(RESPONSE))) as blue:
        table = table_for({"blue": endpoint(blue), "green": endpoint(green)}, permille=1000)
        async with rig(table) as house:
            client = await house.client()
            await client.ask(request(JSON, path=b"/v1/responses"))
            rolled_back = with_route(table, candidate=None, candidate_permille=0)
            house.gateway.use(msgspec.structs.replace(rolled_back, revision=4))
            await client.ask(request(continuing("resp_1"), path=b"/v1/responses"))
            assert [seen.served for seen in await house.notes.count(2)] == ["green", "blue"]
            assert len(green.received) == 1


async def test_a_stored_response_is_fetched_from_who_made_it() -> None:
    async with trial(says(whole(RESPONSE))) as (house, green, blue):
        client = await house.client()
        await client.ask(request(JSON, path=b"/v1/responses"))
        answer = await client.ask(b"GET /v1/responses/resp_1 HTTP/1.1\r\nHost: x\r\n\r\n", "GET")
        assert (answer.status, answer.body) == (200, RESPONSE)
        assert green.received[1].line == b"GET /openai/responses/resp_1?api-version=2024-10-21 HTTP/1.1"
        assert blue.received == []


async def test_a_forced_request_is_asked_of_nobody_else() -> None:
    async def behave(received: Received, wire: Wire) -> None:
        await (says(whole(RESPONSE)) if b"previous" not in received.body else says(then="reset"))(received, wire)

    async with trial(behave) as (house, _, blue):
        client = await house.client()
        await client.ask(request(JSON, path=b"/v1/responses"))
        assert (await client.ask(request(continuing("resp_1"), path=b"/v1/responses"))).status == 502
        assert blue.received == []


def test_only_so_many_responses_are_remembered_and_those_in_use_the_longest() -> None:
    health = Health()
    for number in range(ISSUED_MAX):
        health.issued(str(number), "t", "blue")
    assert health.issuer("0") == ("t", "blue")
    health.issued("one more", "t", "green")
    assert health.issuer("0") == ("t", "blue")
    assert health.issuer("1") is None


# What passes through


FORM = (
    b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF\x00\xff\r\n\r\n'
    b'--B\r\nContent-Disposition: form-data; name="model"\r\n\r\nsummarise\r\n--B--\r\n'
)


async def test_a_form_is_routed_by_its_model_and_keeps_every_other_byte() -> None:
    spoken = b"1\n00:00:00,000 --> 00:00:01,000\nYes.\n"
    async with served(says(whole(spoken, kind=b"text/plain"))) as (house, provider):
        head = b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\n"
        answer = await house.ask(head + b"Content-Length: %d\r\n\r\n" % len(FORM) + FORM)
        assert (answer.status, answer.body) == (200, spoken)
        assert provider.received[0].body == FORM.replace(b"summarise", b"blue")
        assert provider.received[0].line.startswith(b"POST /openai/deployments/blue/audio/transcriptions?")
        assert (await house.notes.only()).served == "blue"


async def test_bytes_that_are_no_text_pass_as_they_come() -> None:
    sound = bytes(range(256)) * 2000
    async with served(says(whole(sound, kind=b"audio/mpeg"))) as (house, _):
        assert (await house.ask(request(JSON, path=b"/v1/audio/speech"))).body == sound


async def test_what_fails_and_keeps_nothing_is_asked_elsewhere() -> None:
    async with pair(says(whole(b"{}", status=b"503 Service Unavailable")), says(whole(b'{"data":[]}'))) as (house, *_):
        answer = await house.ask(request(JSON, path=b"/v1/images/generations"))
        assert (answer.status, answer.names[b"x-changeover-deployment"]) == (200, b"spare")


async def test_what_might_have_been_carried_out_is_not_asked_elsewhere() -> None:
    async with pair(says(then="reset")) as (house, _, spare):
        assert (await house.ask(request(b"{}", path=b"/t/summarise/v1/batches"))).status == 502
        assert spare.received == []


@contextlib.asynccontextmanager
async def with_an_account(behave: Behaviour) -> AsyncGenerator[tuple[Rig, Provider, Provider]]:
    """A task on ``blue``, and an account for the rest."""
    async with Provider(answers) as blue, Provider(behave) as rest:
        table = table_for({"blue": endpoint(blue)})
        account = Account(name="rest", kind="openai", endpoint=endpoint(rest), auth=SecretReference(source="env", name="KEY"))
        table = msgspec.structs.replace(table, accounts={**table.accounts, "rest": account}, unrouted_account="rest")
        async with rig(table) as house:
            yield house, blue, rest


async def test_what_no_task_claims_goes_to_the_declared_account_unchanged() -> None:
    async with with_an_account(says(whole(b'{"data":[]}'))) as (house, blue, rest):
        client = await house.client()
        body = b'{ "model":"gpt-9", "messages":[] }'
        assert (await client.ask(request(body))).status == 200
        assert rest.received[0].line == b"POST /v1/chat/completions HTTP/1.1"
        assert rest.received[0].body == body
        assert rest.received[0].names[b"authorization"] == b"Bearer the-accounts-own-key"
        answer = await client.ask(b"GET /v1/files?limit=2 HTTP/1.1\r\nHost: x\r\n\r\n", "GET")
        assert (answer.status, answer.names[b"x-changeover-account"]) == (200, b"rest")
        assert rest.received[1].line == b"GET /v1/files?limit=2 HTTP/1.1"
        await client.ask(b"DELETE /v1/files/file-1 HTTP/1.1\r\nHost: x\r\n\r\n", "DELETE")
        assert rest.received[2].line == b"DELETE /v1/files/file-1 HTTP/1.1"
        assert blue.received == []
        assert {(seen.task, seen.side, seen.outcome) for seen in await house.notes.count(3)} == {(None, None, Outcome.ANSWERED)}


async def test_a_head_request_has_a_head_only() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n"
    async with with_an_account(says(head)) as (house, *_):
        client = await house.client()
        for _turn in range(2):
            answer = await client.ask(b"HEAD /v1/files/file-1 HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD")
            assert (answer.status, answer.names[b"content-length"], answer.body) == (200, b"500", b"")


async def test_a_model_of_the_list_can_be_asked_for() -> None:
    async with served() as (house, _):
        answer = await house.ask(b"GET /v1/models/summarise HTTP/1.1\r\nHost: x\r\n\r\n", "GET")
        assert msgspec.json.decode(answer.body)["id"] == "summarise"
        answer = await house.ask(b"GET /v1/models/gpt-9 HTTP/1.1\r\nHost: x\r\n\r\n", "GET")
        assert (answer.status, answer.error["code"]) == (404, "model_not_found")


# Compressed all the same


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        (b"gzip", gzip.compress(ANSWER)),
        (b"deflate", zlib.compress(ANSWER)),
        (b"deflate", zlib.compress(ANSWER)[2:-4]),
    ],
)
async def test_a_compressed_reply_passes_unchanged_and_is_read_all_the_same(coding: bytes, packed: bytes) -> None:
    async with served(says(whole(packed, extra=b"content-encoding: %b\r\n" % coding))) as (house, provider):
        assert (await house.ask(request())).body == packed
        assert provider.received[0].names[b"accept-encoding"] == b"identity"
        seen = await house.notes.only()
        assert (seen.outcome, seen.tokens, seen.error) == (Outcome.ANSWERED, Tokens(prompt=7, completion=3), None)


@pytest.mark.parametrize("ended", [True, False])
async def test_a_compressed_stream_is_read_and_needs_its_end(ended: bool) -> None:
    packed = gzip.compress(b"".join(EVENTS) + USAGE_EVENT + (DONE if ended else b""))
    head = STREAM_HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n")
    async with served(says(head + chunk(packed[:40]), chunk(packed[40:]) + LAST_CHUNK)) as (house, _):
        client = await house.client()
        await client.send(STREAM_REQUEST)
        if ended:
            assert (await client.answer()).body == packed
        seen = await house.notes.only()
        assert (seen.outcome, seen.tokens) == (Outcome.ANSWERED if ended else Outcome.FAILED, Tokens(prompt=7, completion=3))


async def test_a_bomb_does_not_burst_here() -> None:
    packed = gzip.compress(b'{"a":"' + b" " * 50_000_000 + b'"}')
    async with served(says(whole(packed, extra=b"content-encoding: gzip\r\n"))) as (house, _):
        assert (await house.ask(request())).body == packed
        assert (await house.notes.only()).error == "reply_encoded"
        assert CONTENT not in packed
