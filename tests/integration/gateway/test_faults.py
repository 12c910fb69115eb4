"""The fault matrix: whatever a deployment does instead of answering, its caller gets an answer from the next one."""

import asyncio
import socket
from time import monotonic

import pytest

from changeover.exchange.observation import Outcome
from changeover.gateway.limits import Limits
from tests.integration.gateway.houses import endpoint, failing_over, pair
from tests.integration.gateway.rig import (
    ANSWER,
    CHUNKED_JSON_HEAD,
    CONTENT,
    DONE,
    EVENTS,
    LAST_CHUNK,
    ROLE,
    STREAM_HEAD,
    STREAM_REQUEST,
    Answer,
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
    until,
    whole,
)

STREAMED = b"".join(EVENTS) + DONE
ASKED_USAGE = request(b'{"model":"summarise","messages":[],"stream":true,"stream_options":{"include_usage":true}}')
START = b'data: {"id":"","model":"","choices":[],"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}\n\n'
SHORT = b'{"error":{"code":"429","message":"slow down"}}'
DATE = b"retry-after: Fri, 15 Jan 2027 08:00:30 GMT\r\n"
JSON_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
EVENTS_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


def error(code: str, message: str = "no", kind: str = "null") -> bytes:
    return b'{"error":{"code":"%b","message":"%b","type":%b}}' % (code.encode(), message.encode(), kind.encode())


WRONG_OPERATION = error("OperationNotSupported", "The chatCompletion operation does not work with the specified model, gpt-4o.")
PAUSED = error("DeploymentPaused")
OVERLOADED = b'{"error":{"message":"overloaded","type":"server_error","code":null}}'
SURPLUS = JSON_HEAD + b"content-length: 40\r\n\r\n" + ANSWER

# What the deployment says, how it then leaves, and the code of the observation.
EITHER: dict[str, tuple[Behaviour, str]] = {
    "a reset before the head": (says(then="reset"), "upstream_reset"),
    "an end before the head": (says(then="close"), "upstream_reset"),
    "a reset in the head": (says(b"HTTP/1.1 200 OK\r\ncontent-", then="reset"), "upstream_reset"),
    "429, short": (says(whole(SHORT, status=b"429 Too Many Requests", extra=b"retry-after-ms: 20\r\n")), "429"),
    "429, in seconds": (says(whole(SHORT, status=b"429 Too Many Requests", extra=b"retry-after: 9\r\n")), "429"),
    "429 without a word on waiting": (says(whole(SHORT, status=b"429 Too Many Requests")), "429"),
    "429, long": (says(whole(SHORT, status=b"429 Too Many Requests", extra=b"retry-after: 86400\r\n")), "429"),
    "429, a date": (says(whole(SHORT, status=b"429 Too Many Requests", extra=DATE)), "429"),
    "408": (says(whole(b"", status=b"408 Request Timeout")), "status_408"),
    "500": (says(whole(error("InternalServerError"), status=b"500 Internal Server Error")), "InternalServerError"),
    "500 without a body": (says(whole(b"", status=b"500 Internal Server Error")), "status_500"),
    "503": (says(whole(b"<html>", status=b"503 Service Unavailable", kind=b"text/html")), "status_503"),
    "404 DeploymentNotFound": (says(whole(error("DeploymentNotFound"), status=b"404 Not Found")), "missing"),
    "410": (says(whole(error("ModelDeprecated"), status=b"410 Gone")), "retired"),
    "400 of a retired model": (says(whole(WRONG_OPERATION, status=b"400 Bad Request")), "retired"),
    "423": (says(whole(PAUSED, status=b"423 Locked")), "paused"),
    "424": (says(whole(error("ModelNotReady"), status=b"424 Failed Dependency")), "not_ready"),
    "404 in the words of OpenAI": (says(whole(error("model_not_found"), status=b"404 Not Found")), "missing"),
    "a status that says nothing": (says(whole(b"", status=b"599 ?")), "status_599"),
    "codings in two headers": (
        says(JSON_HEAD + b"transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(ANSWER) + LAST_CHUNK),
        "upstream_invalid",
    ),
    "no HTTP": (says(b"SSH-2.0-OpenSSH_9.2\r\n", then="wait"), "upstream_invalid"),
    "a giant header": (says(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 200_000, then="wait"), "upstream_invalid"),
    "a moved page": (says(b"HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n"), "status_302"),
    "an answer that is a page": (says(whole(b"<html>Sign in</html>", kind=b"text/html")), "upstream_invalid"),
}
WHOLE: dict[str, tuple[Behaviour, str]] = {
    "a reset after the head": (says(JSON_HEAD + b"content-length: 300\r\n\r\n", then="reset"), "upstream_reset"),
    "a reset in the body": (says(JSON_HEAD + b"content-length: 300\r\n\r\n" + ANSWER[:50], then="reset"), "upstream_reset"),
    "a body shorter than its length": (says(JSON_HEAD + b"content-length: 9000\r\n\r\n" + ANSWER, then="close"), "upstream_reset"),
    "a body longer than its length": (says(SURPLUS), "upstream_invalid"),
    "a body that ends with its connection, cut": (says(JSON_HEAD + b"\r\n" + ANSWER[:90], then="close"), "upstream_reset"),
    "truncated JSON of the right length": (says(whole(ANSWER[:-20])), "upstream_invalid"),
    "an empty body": (says(whole(b"")), "upstream_invalid"),
    "a length in a trailer": (says(CHUNKED_JSON_HEAD + chunk(ANSWER) + b"0\r\ncontent-length: 9\r\n\r\n"), "upstream_invalid"),
    "a list": (says(whole(b"[]")), "upstream_invalid"),
    "invalid UTF-8": (says(whole(ANSWER.replace(b"Yes.", b"Y\xff.."))), "upstream_invalid"),
    "chunks cut": (says(CHUNKED_JSON_HEAD + chunk(ANSWER[:40]), then="close"), "upstream_reset"),
    "a bad chunk": (says(CHUNKED_JSON_HEAD + chunk(ANSWER[:40]) + b"zz\r\n"), "upstream_invalid"),
    "an error inside a 200": (says(whole(OVERLOADED)), "server_error"),
    "an error inside a 200, limited": (says(whole(error("rate_limit_exceeded"))), "rate_limit_exceeded"),
}
STREAM: dict[str, tuple[Behaviour, str]] = {
    "a reset after the head": (says(STREAM_HEAD, then="reset"), "upstream_reset"),
    "an end after the head": (says(STREAM_HEAD, then="close"), "upstream_reset"),
    "a clean end without an event": (says(STREAM_HEAD + LAST_CHUNK), "upstream_cut"),
    "a reset after the start-up frame": (says(STREAM_HEAD + chunk(START), then="reset"), "upstream_reset"),
    "a clean end after the start-up frame": (says(STREAM_HEAD + chunk(START) + LAST_CHUNK), "upstream_cut"),
    "a clean end after the role": (says(STREAM_HEAD + chunk(START) + chunk(ROLE) + LAST_CHUNK), "upstream_cut"),
    "an error as the first event": (says(STREAM_HEAD + chunk(b"data: " + OVERLOADED + b"\n\n") + LAST_CHUNK), "server_error"),
    "an error after the start-up frame": (
        says(STREAM_HEAD + chunk(START) + chunk(b"data: " + OVERLOADED + b"\n\n") + LAST_CHUNK),
        "server_error",
    ),
    "truncated JSON in the first event": (says(STREAM_HEAD + chunk(CONTENT[:60] + b"\n\n") + chunk(DONE) + LAST_CHUNK), "upstream_invalid"),
    "a stream shorter than its length": (says(EVENTS_HEAD + b"content-length: 9000\r\n\r\n" + START, then="close"), "upstream_reset"),
    "a stream longer than its length": (says(EVENTS_HEAD + b"content-length: 150\r\n\r\n" + START + CONTENT + DONE), "upstream_cut"),
    "a stream that ends with its connection, cut": (says(EVENTS_HEAD + b"\r\n" + START, then="close"), "upstream_cut"),
    "a bad chunk": (says(STREAM_HEAD + chunk(START) + b"zz\r\n", then="wait"), "upstream_invalid"),
    "an error of its own kind": (says(STREAM_HEAD + chunk(b"event: error\ndata: {}\n\n") + LAST_CHUNK), "error"),
    "invalid UTF-8": (says(STREAM_HEAD + chunk(CONTENT.replace(b"Yes", b"Y\xffs"))), "upstream_invalid"),
    "a character cut by the end": (says(STREAM_HEAD + chunk(START + b"data: \xe2\x82") + LAST_CHUNK), "upstream_invalid"),
    "an error inside a 200 in JSON": (says(whole(OVERLOADED)), "server_error"),
}
CELLS = [(request(), name, *cell) for name, cell in {**EITHER, **WHOLE}.items()] + [
    (STREAM_REQUEST, name, *cell) for name, cell in {**EITHER, **STREAM}.items()
]
MATRIX = pytest.mark.parametrize(
    ("asked", "behave", "code"),
    [(asked, behave, code) for asked, _, behave, code in CELLS],
    ids=[f"{'stream' if asked is STREAM_REQUEST else 'whole'}: {name}" for asked, name, *_ in CELLS],
)


def is_right(answer: Answer, asked: bytes) -> bool:
    return (answer.status, answer.body) == (200, STREAMED if asked is STREAM_REQUEST else ANSWER)


async def assert_served_by_the_spare(house: Rig, answer: Answer, asked: bytes, code: str) -> None:
    assert is_right(answer, asked), answer
    assert answer.names[b"x-changeover-deployment"] == b"spare"
    assert answer.names[b"x-changeover-failover"] == b"blue"
    assert answer.names[b"x-changeover-side"] == b"stable"
    seen = await house.notes.only()
    assert (seen.outcome, seen.assigned, seen.served, seen.error) == (Outcome.ANSWERED, "blue", "spare", code)
    assert seen.is_error, "an answer by a stand-in is an error of the deployment that was to give it"


@MATRIX
async def test_a_fault_before_content_is_answered_by_the_next_deployment(asked: bytes, behave: Behaviour, code: str) -> None:
    async with pair(behave) as (house, blue, spare):
        client = await house.client()
        await assert_served_by_the_spare(house, await client.ask(asked), asked, code)
        assert (len(blue.received), len(spare.received)) == (1, 1)
        assert (await house.notes.only()).attempts == 2
        assert is_right(await client.ask(asked), asked), "the caller's connection lives on"


@MATRIX
async def test_a_fault_with_nobody_behind_is_never_taken_for_success(asked: bytes, behave: Behaviour, code: str) -> None:
    async with served(behave) as (house, _):
        answer = await house.ask(asked)
        assert answer.status != 200 or b"error" in answer.body
        assert b"[DONE]" not in answer.body
        seen = await house.notes.only()
        assert (seen.outcome, seen.served, seen.error, seen.is_error) == (Outcome.FAILED, None, code, True)


async def test_a_deployment_that_refuses_connections_is_stood_in_for() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    for asked in (request(), STREAM_REQUEST):
        async with (
            Provider(answers) as spare,
            rig(failing_over({"blue": f"http://127.0.0.1:{port}", "spare": endpoint(spare)})) as house,
        ):
            await assert_served_by_the_spare(house, await house.ask(asked), asked, "connect_failed")
            assert (await house.notes.only()).attempts == 1, "what was not sent was no attempt"


async def hangs(_: Received, wire: Wire) -> None:
    await wire.gone()
    wire.close()


async def hangs_in_the_body(_: Received, wire: Wire) -> None:
    await wire.send(JSON_HEAD + b"content-length: %d\r\n\r\n" % len(ANSWER) + ANSWER[:50])
    await hangs(_, wire)


async def hangs_after_the_start(_: Received, wire: Wire) -> None:
    await wire.send(STREAM_HEAD + chunk(START))
    await hangs(_, wire)


LIMITS = Limits()


@pytest.mark.parametrize(
    ("asked", "behave", "patience_s", "code"),
    [
        (request(), hangs, LIMITS.first_byte_whole_s, "first_byte_timeout"),
        (request(), hangs_in_the_body, LIMITS.chunk_idle_s, "idle_timeout"),
        (STREAM_REQUEST, hangs, LIMITS.first_byte_stream_s, "first_byte_timeout"),
        (STREAM_REQUEST, hangs_after_the_start, LIMITS.chunk_idle_s, "idle_timeout"),
    ],
)
async def test_a_deployment_that_hangs_is_stood_in_for(asked: bytes, behave: Behaviour, patience_s: float, code: str) -> None:
    async with pair(behave) as (house, blue, _):
        client = await house.client()
        await client.send(asked)
        await until(lambda: blue.received)
        await settled(house)
        house.gateway.sweep(monotonic() + patience_s - 1)
        assert house.notes.observations == []
        house.gateway.sweep(monotonic() + patience_s + 1)
        await assert_served_by_the_spare(house, await client.answer(), asked, code)


@pytest.mark.parametrize(("asked", "head", "drop"), [(STREAM_REQUEST, STREAM_HEAD, b":"), (request(), CHUNKED_JSON_HEAD, b" ")])
async def test_a_deployment_that_drips_is_not_waited_for_longer_than_for_one_that_hangs(asked: bytes, head: bytes, drop: bytes) -> None:
    async def drips(_: Received, wire: Wire) -> None:
        await wire.send(head)
        while not wire.writer.is_closing():
            await wire.send(chunk(drop))
            await asyncio.sleep(0.001)

    async with pair(drips, limits=Limits(chunk_idle_s=1e9)) as (house, blue, _):
        client = await house.client()
        await client.send(asked)
        await until(lambda: blue.received)
        await settled(house)
        house.gateway.sweep(monotonic() + LIMITS.first_content_s + 1)
        await assert_served_by_the_spare(house, await client.answer(), asked, "first_content_timeout")


@pytest.mark.parametrize("asked", [request(), STREAM_REQUEST])
async def test_a_deployment_that_drips_to_the_end_has_answered(asked: bytes) -> None:
    async def drips(received: Received, wire: Wire) -> None:
        whole_reply = STREAM_HEAD + b"".join(map(chunk, (*EVENTS, DONE))) + LAST_CHUNK if received.fields.get("stream") else whole()
        for start in range(0, len(whole_reply), 3):
            await wire.send(whole_reply[start : start + 3])
            await asyncio.sleep(0)

    async with pair(drips) as (house, _, spare):
        assert is_right(await house.ask(asked), asked)
        assert (await house.notes.only()).outcome is Outcome.ANSWERED
        assert spare.received == []


@pytest.mark.parametrize("then", ["reset", "close", "keep"])
async def test_after_content_nobody_else_is_asked_and_the_stream_ends_in_an_error(then: str) -> None:
    async def behave(_: Received, wire: Wire) -> None:
        await wire.send(STREAM_HEAD + chunk(START) + chunk(ROLE) + chunk(CONTENT))
        await go_on.wait()
        await says(*([LAST_CHUNK] if then == "keep" else []), then=then)(_, wire)

    go_on = asyncio.Event()
    async with pair(behave) as (house, _, spare):
        client = await house.client()
        await client.send(STREAM_REQUEST)
        assert (START + ROLE + CONTENT) in await client.reader.readuntil(CONTENT)
        go_on.set()
        said = await client.reader.readuntil(LAST_CHUNK)
        assert b'data: {"error"' in said
        assert b"[DONE]" not in said
        assert spare.received == []
        seen = await house.notes.only()
        assert (seen.outcome, seen.served) == (Outcome.FAILED, None)
        assert seen.error == ("upstream_cut" if then == "keep" else "upstream_reset")


AFTER_CONTENT: dict[str, tuple[bytes, str, str]] = {
    # What is sent once content has flowed, how the deployment then leaves, and the code of the observation.
    "a reset": (b"", "reset", "upstream_reset"),
    "a reset in an event": (chunk(CONTENT[:40]), "reset", "upstream_reset"),
    "an end of the connection": (b"", "close", "upstream_reset"),
    "a clean end": (LAST_CHUNK, "keep", "upstream_cut"),
    "a clean end in an event": (chunk(CONTENT[:40]) + LAST_CHUNK, "keep", "upstream_cut"),
    "a bad chunk": (b"zz\r\n" + DONE, "wait", "upstream_invalid"),
    "a chunk cut": (b"ff\r\n" + CONTENT, "close", "upstream_reset"),
    "invalid UTF-8": (chunk(CONTENT.replace(b"Yes", b"Y\xffs")) + chunk(DONE) + LAST_CHUNK, "keep", "upstream_invalid"),
    "truncated JSON in an event": (chunk(CONTENT[:60] + b"\n\n") + chunk(DONE) + LAST_CHUNK, "keep", "upstream_invalid"),
    "no JSON in an event": (chunk(b"data: Bad Gateway\n\n") + chunk(DONE) + LAST_CHUNK, "keep", "upstream_invalid"),
    "an event of an error": (chunk(b"data: " + OVERLOADED + b"\n\n") + LAST_CHUNK, "keep", "server_error"),
    "an event of an error, then a reset": (chunk(b"data: " + OVERLOADED + b"\n\n"), "reset", "upstream_reset"),
}


@pytest.mark.parametrize("asked", [STREAM_REQUEST, ASKED_USAGE], ids=["usage hidden", "usage asked for"])
@pytest.mark.parametrize("name", AFTER_CONTENT)
async def test_no_fault_after_content_looks_like_an_end_or_is_asked_elsewhere(name: str, asked: bytes) -> None:
    rest, then, code = AFTER_CONTENT[name]

    async def behave(_: Received, wire: Wire) -> None:
        await wire.send(STREAM_HEAD + chunk(CONTENT))
        await go_on.wait()
        await says(*([rest] if rest else []), then=then)(_, wire)

    go_on = asyncio.Event()
    async with pair(behave) as (house, _, spare):
        client = await house.client()
        await client.send(asked)
        await client.reader.readuntil(CONTENT)
        go_on.set()
        said = await client.reader.readuntil(LAST_CHUNK)
        assert b'"error":{' in said
        assert b"[DONE]" not in said
        assert spare.received == []
        seen = await house.notes.only()
        assert (seen.outcome, seen.served, seen.error, seen.is_error) == (Outcome.FAILED, None, code, True)
        assert (await client.ask(request(b"{}"))).status == 400, "the connection lives on"


async def test_a_stream_that_breaks_behind_its_last_event_was_whole() -> None:
    for then in ("reset", "close"):
        async with pair(says(STREAM_HEAD + b"".join(map(chunk, (*EVENTS, DONE))), then=then)) as (house, *_):
            assert (await house.ask(STREAM_REQUEST)).body == STREAMED
            seen = await house.notes.only()
            assert (seen.outcome, seen.served, seen.error) == (Outcome.ANSWERED, "blue", None)


async def test_invalid_utf_8_after_content_ends_the_stream_in_an_error() -> None:
    async def behave(_: Received, wire: Wire) -> None:
        await wire.send(STREAM_HEAD + chunk(CONTENT))
        await go_on.wait()
        await wire.send(chunk(CONTENT.replace(b"Yes", b"Y\xffs")) + chunk(DONE) + LAST_CHUNK)

    go_on = asyncio.Event()
    async with pair(behave) as (house, *_):
        client = await house.client()
        await client.send(STREAM_REQUEST)
        await client.reader.readuntil(CONTENT)
        go_on.set()
        said = await client.reader.readuntil(LAST_CHUNK)
        assert b"\xff" not in said
        assert b'"code":"upstream_invalid"' in said
        assert (await house.notes.only()).outcome is Outcome.FAILED


async def test_a_character_may_be_cut_by_a_read() -> None:
    event = CONTENT.replace(b"Yes", "\u20ac".encode())
    cut = event.index(b"\xe2") + 1
    async with pair(says(STREAM_HEAD, chunk(event[:cut]), chunk(event[cut:]), chunk(DONE) + LAST_CHUNK)) as (house, *_):
        assert (await house.ask(STREAM_REQUEST)).body == event + DONE


async def giant(_: Received, wire: Wire) -> None:
    await wire.send(STREAM_HEAD + chunk(START))
    for _turn in range(100):
        await wire.send(chunk(b"a" * 100_000))
    await wire.send(LAST_CHUNK)


async def test_a_giant_line_is_held_no_longer_than_it_can_be_read() -> None:
    async with pair(giant) as (house, *_):
        await assert_served_by_the_spare(house, await house.ask(STREAM_REQUEST), STREAM_REQUEST, "event_too_large")


async def test_a_giant_line_that_is_passed_on_never_counts_as_an_answer() -> None:
    async with pair(giant) as (house, *_):
        answer = await house.ask(ASKED_USAGE)
        assert len(answer.body) > 9_000_000
        assert b"[DONE]" not in answer.body
        seen = await house.notes.only()
        assert (seen.outcome, seen.error) == (Outcome.FAILED, "event_too_large")


async def test_start_up_frames_arrive_in_order_with_the_first_content() -> None:
    go_on = asyncio.Event()

    async def behave(_: Received, wire: Wire) -> None:
        await wire.send(STREAM_HEAD + chunk(START))
        await wire.send(chunk(ROLE))
        await go_on.wait()
        await wire.send(chunk(CONTENT))
        await wire.gone()

    async with pair(behave) as (house, blue, _):
        client = await house.client()
        await client.send(STREAM_REQUEST)
        await until(lambda: blue.received)
        await settled(house)
        go_on.set()
        said = await client.reader.readuntil(CONTENT)
        assert said.endswith(START + ROLE + CONTENT) or said.index(START) < said.index(ROLE) < said.index(CONTENT)


async def test_what_comes_before_content_is_held_only_so_long() -> None:
    async def behave(_: Received, wire: Wire) -> None:
        await wire.send(STREAM_HEAD)
        for _turn in range(70):
            await wire.send(chunk(START))
            await asyncio.sleep(0.001)
        await wire.gone()

    async with pair(behave) as (house, *_):
        client = await house.client()
        await client.send(STREAM_REQUEST)
        assert START in await client.reader.readuntil(START)


async def test_a_filtered_prompt_is_an_answer_and_asked_of_nobody_else() -> None:
    body = b'{"error":{"code":"content_filter","innererror":{"content_filter_result":{"hate":{"filtered":true}}}}}'
    for behave, asked in (
        (says(whole(body, status=b"400 Bad Request")), request()),
        (says(STREAM_HEAD + chunk(START) + chunk(b"data: " + body + b"\n\n") + LAST_CHUNK), STREAM_REQUEST),
    ):
        async with pair(behave) as (house, _, spare):
            assert body in (await house.ask(asked)).body
            seen = await house.notes.only()
            assert (seen.outcome, seen.filtered, seen.served, seen.is_error) == (Outcome.ANSWERED, True, "blue", False)
            assert spare.received == []


@pytest.mark.parametrize(
    "status", [b"400 Bad Request", b"401 Unauthorized", b"403 Forbidden", b"409 Conflict", b"422 Unprocessable Entity"]
)
async def test_a_refusal_of_the_request_itself_is_asked_of_nobody_else(status: bytes) -> None:
    async with pair(says(whole(error("invalid_value", "bad", '"invalid_request_error"'), status=status))) as (house, _, spare):
        answer = await house.ask(request())
        assert answer.status == int(status[:3])
        assert b"x-should-retry" not in answer.names
        seen = await house.notes.only()
        assert (seen.outcome, seen.error, spare.received) == (Outcome.REJECTED, "invalid_value", [])


async def settled(house: Rig) -> None:
    """Until the gateway has read what was sent."""
    for _ in range(3):
        assert await house.lives()
