"""Anthropic's API in its own shape: read, failed over, refused and ended as its SDKs expect it, on real sockets."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest

from changeover.exchange.observation import Outcome, Tokens
from changeover.gateway.limits import Limits
from changeover.traffic.keys import KeyEntry, hash_of
from changeover.traffic.table import RoutingTable, Side
from changeover.versions import ModelVersion, RequestSettings
from tests.integration.gateway.houses import endpoint, failing_over, with_route
from tests.integration.gateway.rig import (
    ANSWER,
    FIRST_ID,
    LAST_CHUNK,
    SECRET,
    STREAM_HEAD,
    Answer,
    Behaviour,
    Provider,
    Received,
    Rig,
    Wire,
    answers,
    chunk,
    rig,
    says,
    table_for,
    whole,
)
from tests.unit.wire.message_streams import MODEL, START_USAGE, begun, delta, error, opening
from tests.unit.wire.message_streams import whole as whole_stream

CALLERS = "sk-ant-the-callers-own"
BODY = b'{"max_tokens":1.0e1,"messages":[{"role":"user","content":"\\u00e9"}],"model": "summarise","new":[1.0]}'
STREAMED = BODY[:-1] + b',"stream":true}'
MESSAGE = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"%b","content":[{"type":"text","text":"Yes."}],"stop_reason":"end_turn",'
    b'"stop_sequence":null,"usage":%b,"a_new_field":{"n":1.0}}'
    % (MODEL.encode(), msgspec.json.encode({**START_USAGE, "output_tokens": 15}))
)
TOKENS = Tokens(prompt=127, completion=15, cached=100, written=7, written_1h=3)
STREAM_TOKENS = Tokens(prompt=127, completion=15, cached=100, reasoning=6, written=7, written_1h=3)
OVERLOADED = whole(
    b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}', status=b"529 Overloaded"
)


def asked(
    body: bytes = BODY, *, path: bytes = b"/v1/messages", extra: bytes = b"anthropic-version: 2023-06-01\r\n", key: str = CALLERS,
    method: bytes = b"POST",
) -> bytes:  # fmt: skip
    """A request as the SDK writes it."""
    head = b"%b %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Api-Key: %b\r\n%bContent-Length: %d\r\n\r\n"
    return head % (method, path, key.encode(), extra, len(body)) + body


def said(status: bytes, kind: str, message: str, extra: bytes = b"") -> bytes:
    body = msgspec.json.encode({"type": "error", "error": {"type": kind, "message": message}})
    return whole(body, status=status, extra=extra)


def streams(*events: bytes, then: str = "keep") -> Behaviour:
    """A provider that streams these events, to the end of the stream unless it closes or resets before."""
    end = LAST_CHUNK if then == "keep" else b""
    return says(STREAM_HEAD, *(chunk(event) for event in events), end, then=then)


async def claude(request: Received, wire: Wire) -> None:
    """A healthy provider."""
    await (streams(*whole_stream()) if request.fields.get("stream") else says(whole(MESSAGE, extra=b"request-id: req_9\r\n")))(
        request, wire
    )


def spoken(table: RoutingTable) -> RoutingTable:
    """``table`` with Anthropic's accounts and models throughout."""
    model = ModelVersion(name="claude-sonnet-4-5", version="20250929")
    return msgspec.structs.replace(
        table,
        accounts={name: msgspec.structs.replace(account, kind="anthropic") for name, account in table.accounts.items()},
        deployments={name: msgspec.structs.replace(each, model=model) for name, each in table.deployments.items()},
    )


@contextlib.asynccontextmanager
async def served(behave: Behaviour = claude, **changes: Any) -> AsyncGenerator[tuple[Rig, Provider]]:
    async with Provider(behave) as provider, rig(with_route(spoken(table_for({"blue": endpoint(provider)})), **changes)) as house:
        yield house, provider


@contextlib.asynccontextmanager
async def pair(
    blue: Behaviour, spare: Behaviour = claude, *, limits: Limits | None = None
) -> AsyncGenerator[tuple[Rig, Provider, Provider]]:
    async with Provider(blue) as first, Provider(spare) as second:
        table = spoken(failing_over({"blue": endpoint(first), "spare": endpoint(second)}))
        async with rig(table, limits=limits) as house:
            yield house, first, second


@contextlib.asynccontextmanager
async def trial(green: Behaviour, blue: Behaviour = claude) -> AsyncGenerator[tuple[Rig, Provider, Provider]]:
    """All traffic is the candidate's."""
    async with Provider(blue) as first, Provider(green) as second:
        table = spoken(table_for({"blue": endpoint(first), "green": endpoint(second)}, permille=1000))
        async with rig(table) as house:
            yield house, second, first


def events(answer: Answer) -> list[tuple[str, dict[str, Any]]]:
    """The answer's events by their two lines."""
    found: list[tuple[str, dict[str, Any]]] = []
    for event in answer.body.decode().removesuffix("\n\n").split("\n\n"):
        kind, data = event.split("\n")
        found.append((kind.removeprefix("event: "), msgspec.json.decode(data.removeprefix("data: "))))
    return found


# Served


@pytest.mark.parametrize("path", [b"/v1/messages", b"/anthropic/v1/messages", b"/messages", b"/t/summarise/v1/messages?beta=true"])
async def test_a_message_is_passed_on_byte_for_byte_and_read(path: bytes) -> None:
    async with served() as (house, provider):
        answer = await house.ask(asked(path=path))
        assert (answer.status, answer.body) == (200, MESSAGE)
        assert answer.names[b"request-id"] == b"req_9"
        assert answer.names[b"x-changeover-deployment"] == b"blue"
        (received,) = provider.received
        assert received.line == b"POST /v1/messages%b HTTP/1.1" % (b"?beta=true" if b"beta" in path else b"")
        assert received.body == BODY.replace(b'"model": "summarise"', b'"model":"%b"' % MODEL.encode())
        seen = await house.notes.only()
        assert (seen.outcome, seen.served, seen.served_model, seen.finish_reason) == (Outcome.ANSWERED, "blue", MODEL, "end_turn")
        assert (seen.tokens, seen.filtered, seen.surface, seen.side, seen.forced) == (TOKENS, False, "messages", Side.STABLE, False)


async def test_a_stream_is_passed_on_byte_for_byte_and_read() -> None:
    async with served() as (house, provider):
        answer = await house.ask(asked(STREAMED))
        assert answer.body == b"".join(whole_stream())
        assert "stream_options" not in provider.received[0].fields
        seen = await house.notes.only()
        assert (seen.outcome, seen.served_model, seen.finish_reason, seen.tokens) == (Outcome.ANSWERED, MODEL, "end_turn", STREAM_TOKENS)
        assert (seen.streamed, seen.filtered, seen.error) == (True, False, None)


async def test_the_first_token_is_the_first_delta_and_no_ping() -> None:
    async def slow(_: Received, wire: Wire) -> None:
        await wire.send(STREAM_HEAD + chunk(b"".join(opening())))
        await wire.gone()

    async with served(slow) as (house, _):
        client = await house.client()
        await client.send(asked(STREAMED))
        await client.reader.readuntil(b"ping")
        client.leave()
        seen = await house.notes.only()
        assert (seen.outcome, seen.first_token_ms) == (Outcome.ABANDONED, None)
        assert seen.first_byte_ms is not None
    async with served(streams(*whole_stream())) as (house, _):
        await house.ask(asked(STREAMED))
        assert (await house.notes.only()).first_token_ms is not None


async def test_a_caller_that_names_no_version_of_the_api_asks_for_the_only_one() -> None:
    async with served() as (house, provider):
        await house.ask(asked(extra=b""))
        await house.ask(asked(extra=b"anthropic-version: 2027-01-01\r\nanthropic-beta: a,b\r\n"))
        first, second = provider.received
        assert first.names[b"anthropic-version"] == b"2023-06-01"
        assert [value for name, value in second.headers if name == b"anthropic-version"] == [b"2027-01-01"]
        assert second.names[b"anthropic-beta"] == b"a,b"


async def test_credentials_stay_on_their_side() -> None:
    async def echoes(request: Received, wire: Wire) -> None:
        seen = b" ".join(value for _, value in request.headers)
        assert CALLERS.encode() not in seen
        assert SECRET.encode() == request.names[b"x-api-key"]
        assert not {b"authorization", b"api-key", b"anthropic-workspace-id"} & set(request.names)
        await wire.send(whole(MESSAGE))

    extra = b"authorization: Bearer %b\r\nanthropic-workspace-id: w\r\n" % CALLERS.encode()
    async with served(echoes) as (house, _):
        answer = await house.ask(asked(extra=extra))
        assert answer.status == 200
        assert SECRET.encode() not in b"".join(value for _, value in answer.headers) + answer.body


async def test_a_compressed_message_is_read_and_passed_on_as_it_came() -> None:
    packed = gzip.compress(MESSAGE)
    async with served(says(whole(packed, extra=b"content-encoding: gzip\r\n"))) as (house, _):
        assert (await house.ask(asked())).body == packed
        assert (await house.notes.only()).tokens == TOKENS


@pytest.mark.parametrize("stream", [False, True])
async def test_request_settings_change_the_request(stream: bool) -> None:
    settings = RequestSettings(
        rename={"new": "newer"}, drop=("top_k",), set={"temperature": 1}, system_prompt="Be brief.", system_prompt_mode="prepend"
    )
    async with Provider(claude) as provider:
        table = spoken(table_for({"blue": endpoint(provider)}))
        blue = msgspec.structs.replace(table.deployments["blue"], request=settings)
        async with rig(msgspec.structs.replace(table, deployments={"blue": blue})) as house:
            body = (STREAMED if stream else BODY)[:-1] + b',"top_k":5,"system":[{"type":"text","text":"Be kind."}]}'
            assert (await house.ask(asked(body))).status == 200
            fields = provider.received[0].fields
            assert fields["system"] == [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}]
            assert (fields["newer"], fields["temperature"], fields["model"]) == ([1.0], 1, MODEL)
            assert not {"top_k", "new"} & set(fields)


async def test_a_refusal_is_an_answer_and_is_counted_as_a_filter() -> None:
    refused = MESSAGE.replace(b'"end_turn"', b'"refusal","stop_details":{"type":"refusal","category":"bio"}')
    async with pair(says(whole(refused))) as (house, _, spare):
        assert (await house.ask(asked())).body == refused
        seen = await house.notes.only()
        assert (seen.outcome, seen.filtered, seen.finish_reason, spare.received) == (Outcome.ANSWERED, True, "refusal", [])
        assert [(event.category, event.filtered) for event in seen.filters] == [("bio", True)]


async def test_a_user_stays_on_its_side() -> None:
    async with trial(claude) as (house, _, _blue):
        for user in (b"u-1", b"u-1", b"u-2"):
            await house.ask(asked(BODY[:-1] + b',"metadata":{"user_id":"%b"}}' % user))
        assert not any(seen.sticky for seen in await house.notes.count(3)), "this task reads its units elsewhere"
    async with served(sticky_by=("metadata.user_id",)) as (house, _):
        for user in (b'"u-1"', b'"u-1"', b'"u-2"', b"7"):
            await house.ask(asked(BODY[:-1] + b',"metadata":{"user_id":%b}}' % user))
        first, second, third, none = await house.notes.count(4)
        assert first.unit == second.unit != third.unit
        assert (first.sticky, none.sticky) == (True, False)


# Beside the answers


async def test_tokens_are_counted_by_who_will_answer_and_are_no_evidence() -> None:
    async with trial(says(whole(b'{"input_tokens":9}'))) as (house, green, _):
        answer = await house.ask(asked(path=b"/v1/messages/count_tokens"))
        assert (answer.status, answer.body) == (200, b'{"input_tokens":9}')
        assert green.received[0].line == b"POST /v1/messages/count_tokens HTTP/1.1"
        assert green.received[0].fields["model"] == MODEL
        seen = await house.notes.only()
        assert (seen.side, seen.forced, seen.surface, seen.tokens) == (Side.CANDIDATE, True, "token_count", None)


async def test_batches_pass_through_to_the_stable_where_they_are_found_again() -> None:
    batch = b'{"requests": [{"custom_id":"a","params":{"model":"claude-opus-5","max_tokens":1,"messages":[]}}]}'
    results = b'{"custom_id":"a"}\n{"custom_id":"b"}\n'

    async def batches(request: Received, wire: Wire) -> None:
        await wire.send(whole(results, kind=b"application/x-jsonl") if request.line.startswith(b"GET") else whole(b'{"id":"msgbatch_1"}'))

    async with trial(claude, batches) as (house, _, blue):
        made = await house.ask(asked(batch, path=b"/t/summarise/v1/messages/batches"))
        assert (made.status, made.body) == (200, b'{"id":"msgbatch_1"}')
        found = await house.ask(asked(b"", path=b"/t/summarise/v1/messages/batches/msgbatch_1/results", method=b"GET"), "GET")
        assert (found.body, found.names[b"content-type"]) == (results, b"application/x-jsonl")
        assert [each.body for each in blue.received] == [batch, b""]
        assert {(seen.side, seen.forced) for seen in await house.notes.count(2)} == {(Side.STABLE, True)}


async def test_a_batch_that_names_no_task_is_refused_with_what_to_do() -> None:
    async with served() as (house, _):
        answer = await house.ask(asked(b'{"requests":[]}', path=b"/v1/messages/batches"))
        assert (answer.status, answer.error["type"], answer.error["details"]) == (404, "not_found_error", {"error_code": "no_task"})
        assert "/t/TASK/v1/" in answer.error["message"]


@pytest.mark.parametrize("path", [b"/v1/models", b"/anthropic/v1/models"])
async def test_models_are_listed_in_the_callers_own_shape(path: bytes) -> None:
    async with served() as (house, _):
        listed = msgspec.json.decode((await house.ask(asked(b"", path=path, method=b"GET"), "GET")).body)
        assert ([each["id"] for each in listed["data"]], listed["has_more"]) == (["summarise"], False)
        plain = msgspec.json.decode((await house.ask(asked(b"", path=path, method=b"GET", extra=b""), "GET")).body)
        assert plain["object"] == "list"
        missing = await house.ask(asked(b"", path=path + b"/gone", method=b"GET"), "GET")
        assert (missing.status, missing.error["type"]) == (404, "not_found_error")


# Failure


@pytest.mark.parametrize(
    "failing",
    [
        says(OVERLOADED),
        says(said(b"500 Internal Server Error", "api_error", "Internal server error")),
        says(said(b"429 Too Many Requests", "rate_limit_error", "slow down", b"retry-after: 30\r\n")),
        says(said(b"404 Not Found", "not_found_error", f"model: {MODEL}")),
        says(said(b"400 Bad Request", "invalid_request_error", "Your credit balance is too low to access the Anthropic API.")),
        says(then="reset"),
        says(whole(MESSAGE)[:-9], then="close"),
    ],
)
async def test_who_fails_is_answered_for_by_another(failing: Behaviour) -> None:
    async with pair(failing) as (house, _, spare):
        answer = await house.ask(asked())
        assert (answer.status, answer.body) == (200, MESSAGE)
        assert answer.names[b"x-changeover-failover"] == b"blue"
        assert len(spare.received) == 1
        seen = await house.notes.only()
        assert (seen.assigned, seen.served, seen.is_error, seen.attempts) == ("blue", "spare", True, 2)


async def test_a_model_that_is_gone_is_left_alone_at_once() -> None:
    async with pair(says(said(b"404 Not Found", "not_found_error", f"model: {MODEL}"))) as (house, blue, _):
        for _turn in range(3):
            assert (await house.ask(asked())).status == 200
        assert len(blue.received) == 1
        assert [seen.error for seen in await house.notes.count(3)] == ["missing", "breaker_open", "breaker_open"]


async def test_a_file_that_is_not_found_is_the_callers_mistake_and_takes_nobody_out() -> None:
    gone = said(b"404 Not Found", "not_found_error", "File not found: file_1")
    async with pair(says(gone)) as (house, blue, spare):
        for turn in range(8):
            answer = await house.ask(asked())
            assert (answer.status, answer.error["message"]) == (404, "File not found: file_1")
            assert len(blue.received) == turn + 1
        assert spare.received == []


async def test_a_parameter_that_only_the_candidate_refuses_is_answered_by_the_stable() -> None:
    async with trial(says(said(b"400 Bad Request", "invalid_request_error", "`temperature` is deprecated for this model."))) as (
        house,
        green,
        _,
    ):
        assert (await house.ask(asked())).body == MESSAGE
        seen = await house.notes.only()
        assert (seen.error, seen.side, seen.is_error, len(green.received)) == ("unsupported_parameter", Side.CANDIDATE, True, 1)


@pytest.mark.parametrize(
    "first",
    [
        [error("overloaded_error")],
        [begun(), error("overloaded_error")],
        [*opening(), error("rate_limit_error", "slow down")],
        [*opening(), b"event: error\ndata: oops\n\n"],
    ],
)
async def test_an_error_in_a_stream_before_content_is_answered_by_another(first: list[bytes]) -> None:
    async with pair(streams(*first)) as (house, _, spare):
        answer = await house.ask(asked(STREAMED))
        assert answer.body == b"".join(whole_stream())
        assert len(spare.received) == 1
        seen = await house.notes.only()
        assert (seen.served, seen.is_error, seen.outcome) == ("spare", True, Outcome.ANSWERED)


async def test_an_error_in_a_stream_after_content_is_passed_on_and_counted() -> None:
    parts = [*opening(), delta("Yes"), error("overloaded_error")]
    async with pair(streams(*parts)) as (house, _, spare):
        answer = await house.ask(asked(STREAMED))
        assert answer.body == b"".join(parts)
        assert spare.received == []
        seen = await house.notes.only()
        assert (seen.outcome, seen.error, seen.served, seen.is_error) == (Outcome.FAILED, "overloaded_error", None, True)
        assert seen.tokens == Tokens(prompt=127, cached=100, written=7, written_1h=3), (
            "what was paid for is known, what was not said is not"
        )


@pytest.mark.parametrize("then", ["close", "reset", "end"])
async def test_a_cut_stream_ends_with_an_error_and_no_end(then: str) -> None:
    heard = asyncio.Event()

    async def cut(_: Received, wire: Wire) -> None:
        await wire.send(STREAM_HEAD + chunk(b"".join([*opening(), delta("Yes")])))
        await heard.wait()
        if then == "end":
            await wire.send(LAST_CHUNK)
        elif then == "close":
            wire.close()
        else:
            wire.reset()

    async with pair(cut) as (house, _, spare):
        client = await house.client()
        await client.send(asked(STREAMED))
        client._held = await client.reader.readuntil(b"Yes")
        heard.set()
        answer = await client.answer()
        kinds = [kind for kind, _ in events(answer)]
        assert kinds == ["message_start", "content_block_start", "ping", "content_block_delta", "error"]
        last = events(answer)[-1][1]
        assert (last["type"], last["error"]["type"]) == ("error", "api_error")
        assert last["error"]["details"]["error_code"] in ("upstream_cut", "upstream_reset")
        assert "message_stop" not in answer.body.decode()
        assert (spare.received, (await house.notes.only()).outcome) == ([], Outcome.FAILED)


async def test_a_stream_cut_before_content_is_answered_by_another() -> None:
    async with pair(streams(*opening(), then="close")) as (house, _, _spare):
        assert (await house.ask(asked(STREAMED))).body == b"".join(whole_stream())


async def test_blocked_output_is_an_answer_of_the_filter() -> None:
    blocked = said(b"400 Bad Request", "invalid_request_error", "Output blocked by content filtering policy")
    async with pair(says(blocked)) as (house, _, spare):
        assert (await house.ask(asked())).status == 400
        seen = await house.notes.only()
        assert (seen.outcome, seen.filtered, seen.is_error, spare.received) == (Outcome.ANSWERED, True, False, [])


async def test_nobody_left_is_said_once_with_the_last_ones_own_words() -> None:
    async with pair(says(OVERLOADED), says(OVERLOADED)) as (house, _, _spare):
        answer = await house.ask(asked())
        assert (answer.status, answer.error["type"]) == (529, "overloaded_error")
        assert answer.names[b"x-should-retry"] == b"false"
        assert answer.names[b"x-changeover-request-id"] == FIRST_ID.encode()
    async with pair(says(then="reset"), says(then="reset")) as (house, _, _spare):
        answer = await house.ask(asked())
        assert (answer.status, answer.error["type"], answer.names[b"x-should-retry"]) == (502, "api_error", b"false")
        assert answer.error["details"] == {"error_code": "upstream_reset"}


# Refused by us


@pytest.mark.parametrize(
    ("sent", "status", "kind", "code"),
    [
        (asked(b"{"), 400, "invalid_request_error", "invalid_json"),
        (asked(b'{"messages":[]}'), 400, "invalid_request_error", "missing_required_parameter"),
        (asked(b'{"model":"nobody"}'), 404, "not_found_error", "model_not_found"),
        (asked(b"", method=b"PUT"), 405, "invalid_request_error", "method_not_allowed"),
        (asked(path=b"/v1/nothing/../here"), 404, "not_found_error", "unknown_url"),
        (asked(path=b"/v1/chat/completions", extra=b""), 400, None, "other_api"),
    ],
)
async def test_our_own_errors_are_in_the_shape_of_what_was_asked(sent: bytes, status: int, kind: str | None, code: str) -> None:
    async with served() as (house, provider):
        answer = await house.ask(sent)
        assert answer.status == status
        if kind is None:
            assert (answer.error["type"], answer.error["code"]) == ("invalid_request_error", code)
        else:
            assert msgspec.json.decode(answer.body)["type"] == "error"
            assert (answer.error["type"], answer.error["details"]) == (kind, {"error_code": code})
        assert provider.received == []
        assert (await house.notes.only()).side is None


async def test_a_task_of_another_api_is_refused_with_where_to_ask() -> None:
    async with Provider(answers) as provider, rig(table_for({"blue": endpoint(provider)}, permille=0)) as house:
        answer = await house.ask(asked())
        assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")
        assert "OpenAI's API" in answer.error["message"]
        assert "/v1/chat/completions" in answer.error["message"]
        seen = await house.notes.only()
        assert (seen.outcome, seen.side, provider.received) == (Outcome.REFUSED, None, [])
        assert (await house.ask(asked(b'{"model":"summarise","messages":[]}', path=b"/v1/chat/completions"))).body == ANSWER


# At the door


def guarded(table: RoutingTable, secret: str) -> RoutingTable:
    entry = KeyEntry(id="k", name="app", hash=hash_of(secret.encode()), created_at=0.0)
    return msgspec.structs.replace(table, keys={entry.hash: entry}, keys_required=True)


@pytest.mark.parametrize("header", ["x-api-key: {}", "authorization: Bearer {}", "api-key: {}"])
async def test_a_gateway_key_is_taken_as_any_sdk_sends_it_and_goes_no_further(header: str) -> None:
    ours = "ck-" + "a" * 43
    async with Provider(claude) as provider, rig(guarded(spoken(table_for({"blue": endpoint(provider)})), ours)) as house:
        head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\n{header.format(ours)}\r\nContent-Length: {len(BODY)}\r\n\r\n"
        assert (await house.ask(head.encode() + BODY)).body == MESSAGE
        assert ours.encode() not in b" ".join(value for _, value in provider.received[0].headers)
        refused = await house.ask(asked())
        assert (refused.status, refused.error["type"]) == (401, "authentication_error")
        assert "x-api-key" in refused.error["message"]
        assert (CALLERS.encode() in refused.body, len(provider.received)) == (False, 1)
