"""Bad input and dead deployments: an error in the caller's own shape, a server that lives on, an observation that says it."""

import asyncio
import socket

import pytest

from changeover.exchange.observation import Outcome
from changeover.gateway.limits import Limits
from changeover.traffic.table import Side
from tests.integration.gateway.rig import STREAM_REQUEST, request, rig, says, served, table_for

BAD = {
    "malformed JSON": (request(b'{"model":"summarise",'), 400, "invalid_json"),
    "no object": (request(b"[]"), 400, "invalid_json"),
    "empty": (request(b""), 400, "invalid_json"),
    "not UTF-8": (request(b'{"model":"summarise","user":"\xff"}'), 400, "invalid_encoding"),
    "a byte order mark": (request(b'\xef\xbb\xbf{"model":"summarise"}'), 400, "invalid_json"),
    "nested too deep": (request(b'{"model":"summarise","a":' + b"[" * 10_000 + b"]" * 10_000 + b"}"), 400, "json_too_deep"),
    "no model": (request(b'{"messages":[]}'), 400, "missing_required_parameter"),
    "model null": (request(b'{"model":null}'), 400, "missing_required_parameter"),
    "model no string": (request(b'{"model":7}'), 400, "invalid_type"),
    "an unknown task": (request(b'{"model":"translate","messages":[]}'), 404, "model_not_found"),
    "an unknown task in the path": (request(path=b"/openai/deployments/translate/chat/completions"), 404, "model_not_found"),
    "an unknown path": (request(path=b"/v2/embeddings"), 404, "unknown_url"),
    "an empty deployment": (request(path=b"/openai/deployments//chat/completions"), 404, "unknown_url"),
    "a path that climbs": (request(path=b"/openai/deployments/a/../chat/completions"), 404, "unknown_url"),
    "an unknown task in a path that passes through": (request(path=b"/openai/deployments/a/b/chat/completions"), 404, "model_not_found"),
    "a file without a task": (request(b"{}", path=b"/v1/files"), 404, "no_task"),
    "a deployment that is no text": (request(path=b"/openai/deployments/%ff/chat/completions"), 404, "unknown_url"),
    "the wrong method": (request(method=b"PUT"), 405, "method_not_allowed"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_request_gets_an_error_that_an_sdk_understands(name: str) -> None:
    data, status, code = BAD[name]
    async with served() as (house, provider):
        answer = await house.ask(data)
        assert (answer.status, answer.error["code"]) == (status, code)
        assert answer.error.keys() == {"message", "type", "param", "code"}
        assert answer.error["type"] == "invalid_request_error"
        seen = await house.notes.only()
        assert (seen.outcome, seen.status, seen.error, seen.side) == (Outcome.REFUSED, status, code, None)
        assert answer.names[b"x-changeover-request-id"] == seen.request_id.encode()
        assert provider.raw == 0
        assert await house.lives()


async def test_an_unknown_task_is_told_which_there_are() -> None:
    async with served() as (house, _):
        message = (await house.ask(request(b'{"model":"translate"}'))).error["message"]
        assert "'translate'" in message
        assert "summarise" in message
        assert "/v1/models" in message


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_that_is_too_large_is_refused_once_and_early(announced: bool) -> None:
    async with served(limits=Limits(body_bytes_max=100_000)) as (house, provider):
        body = b"a" * 5_000_000
        client = await house.client()
        framing = b"Content-Length: %d" % len(body) if announced else b"Transfer-Encoding: chunked"
        client.writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n" % framing)
        if not announced:
            client.writer.write(b"%x\r\n" % len(body) + body)
        answer = await client.answer()
        assert (answer.status, answer.error["code"]) == (413, "request_too_large")
        assert answer.names[b"connection"] == b"close"
        assert await client.rest() == b""
        seen = await house.notes.only()
        assert (seen.outcome, seen.error) == (Outcome.REFUSED, "request_too_large")
        assert provider.raw == 0
        assert await house.lives()


async def test_a_refusal_is_read_by_a_caller_that_is_still_sending() -> None:
    async with served(limits=Limits(body_bytes_max=1000)) as (house, _):
        client = await house.client()
        client.writer.write(request(b"a" * 2_000_000))
        assert (await client.answer()).status == 413
        await client.writer.drain()
        assert await client.rest() == b""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("data", [request(), STREAM_REQUEST])
async def test_a_deployment_that_refuses_connections_fails_the_request(data: bytes) -> None:
    async with rig(table_for({"blue": f"http://127.0.0.1:{free_port()}"})) as house:
        client = await house.client()
        for _ in range(2):
            answer = await client.ask(data)
            assert (answer.status, answer.error["code"]) == (502, "connect_failed")
            assert answer.names[b"x-changeover-deployment"] == b"blue"
        seen, _ = await house.notes.count(2)
        assert (seen.outcome, seen.status, seen.error, seen.side) == (Outcome.FAILED, 502, "connect_failed", Side.STABLE)
        assert (seen.assigned, seen.served, seen.attempts) == ("blue", None, 0)
        assert seen.is_error


async def test_a_deployment_whose_name_is_unknown_fails_the_request() -> None:
    async with rig(table_for({"blue": "http://nobody.invalid"})) as house:
        assert (await house.ask(request())).error["code"] == "connect_failed"


async def test_a_deployment_that_does_not_take_connections_fails_in_time() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(8)]
        for filler in fillers:  # the backlog is full: further attempts hang
            filler.setblocking(False)
            filler.connect_ex(address)
        async with rig(table_for({"blue": f"http://127.0.0.1:{address[1]}"}), limits=Limits(connect_s=0.05)) as house:
            answer = await house.ask(request())
            assert (answer.status, answer.error["code"]) == (504, "connect_timeout")
            assert (await house.notes.only()).outcome is Outcome.FAILED
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nconte", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"])
async def test_a_connection_reset_before_the_answer_was_whole_fails_the_request(sent: bytes) -> None:
    async with served(says(sent, then="reset")) as (house, _):
        client = await house.client()
        answer = await client.ask(request())
        assert (answer.status, answer.error["code"]) == (502, "upstream_reset")
        seen = await house.notes.only()
        assert (seen.outcome, seen.error, seen.attempts) == (Outcome.FAILED, "upstream_reset", 1)
        assert (await client.ask(request())).status == 502, "the caller's connection is kept"


@pytest.mark.parametrize("secret", [None, "", " ", "two\nlines", "k\u00e9y"])
async def test_a_secret_that_is_missing_or_unfit_is_named_and_never_shown(secret: str | None) -> None:
    async with rig(table_for({"blue": "http://127.0.0.1:9"}), secret=secret) as house:
        answer = await house.ask(request())
        assert (answer.status, answer.error["code"]) == (502, "secret_missing")
        assert "env:KEY" in answer.error["message"]
        assert not (secret or "").strip() or (secret or "") not in answer.error["message"]
        seen = await house.notes.only()
        assert (seen.outcome, seen.error, seen.assigned) == (Outcome.FAILED, "secret_missing", "blue")


async def test_a_caller_that_leaves_with_half_a_request_is_noted() -> None:
    async with served() as (house, provider):
        client = await house.client()
        await client.send(request()[:-5])
        await asyncio.sleep(0)
        client.leave()
        seen = await house.notes.only()
        assert (seen.outcome, seen.error, seen.side) == (Outcome.ABANDONED, "caller_left", None)
        assert provider.raw == 0
