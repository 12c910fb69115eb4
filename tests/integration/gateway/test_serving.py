"""What a caller of a healthy gateway gets."""

import msgspec
import pytest

from changeover.exchange.observation import Outcome, Tokens
from changeover.traffic.table import Side
from changeover.versions import AccountKind
from tests.integration.gateway.rig import (
    ANSWER,
    BODY,
    CONTENT,
    DONE,
    EVENTS,
    FINISH,
    FIRST_ID,
    LAST_CHUNK,
    ROLE,
    SECRET,
    STARTED_AT,
    STREAM_HEAD,
    STREAM_REQUEST,
    USAGE_EVENT,
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
    whole,
)

GET_MODELS = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_a_json_answer_arrives_byte_for_byte_and_only_the_model_is_rewritten() -> None:
    body = b'{"model": "summarise","messages":[],"unknown":1.0,"big":12345678901234567890,"text":"\\u00e9"}'
    async with served() as (house, provider):
        answer = await house.ask(request(body))
        assert (answer.status, answer.body) == (200, ANSWER)
        assert provider.received[0].body == body.replace(b'"model": "summarise"', b'"model":"blue"')


async def test_a_stream_arrives_byte_for_byte_but_for_the_usage_that_was_not_asked_for() -> None:
    async with served() as (house, provider):
        answer = await house.ask(STREAM_REQUEST)
        assert (answer.status, answer.body) == (200, b"".join(EVENTS) + DONE)
        assert provider.received[0].fields["stream_options"] == {"include_usage": True}
        seen = await house.notes.only()
        assert seen.tokens == Tokens(prompt=7, completion=3)
        assert seen.streamed


async def test_a_stream_whose_usage_was_asked_for_keeps_it() -> None:
    async with served() as (house, _):
        answer = await house.ask(request(b'{"model":"summarise","messages":[],"stream":true,"stream_options":{"include_usage":true}}'))
        assert answer.body == b"".join(EVENTS) + USAGE_EVENT + DONE


async def test_the_answer_says_who_served_and_the_model_in_the_body_stays_true() -> None:
    async with served() as (house, _):
        answer = await house.ask(request())
        names = answer.names
        assert names[b"x-changeover-request-id"] == FIRST_ID.encode()
        assert names[b"x-changeover-task"] == b"summarise"
        assert names[b"x-changeover-side"] == b"stable"
        assert names[b"x-changeover-deployment"] == b"blue"
        assert names[b"x-changeover-revision"] == b"3"
        assert msgspec.json.decode(answer.body)["model"] == "gpt-4o-2024-11-20"


async def test_the_observation_says_what_happened() -> None:
    async with served() as (house, _):
        await house.ask(request(b'{"model":"summarise","messages":[],"user":"ada"}'))
        seen = await house.notes.only()
        assert (seen.outcome, seen.status, seen.error) == (Outcome.ANSWERED, 200, None)
        assert (seen.task, seen.attempt, seen.side, seen.assigned, seen.served) == ("summarise", 2, Side.STABLE, "blue", "blue")
        assert (seen.started_at, seen.revision, seen.attempts) == (STARTED_AT, 3, 1)
        assert (seen.served_model, seen.finish_reason, seen.tokens) == ("gpt-4o-2024-11-20", "stop", Tokens(prompt=7, completion=3))
        assert seen.sticky
        assert "ada" not in seen.unit
        assert 0 <= (seen.first_byte_ms or -1) <= seen.latency_ms
        assert house.notes.sides == {seen.request_id: Side.STABLE}


async def test_a_tasks_slice_is_read_from_the_request_and_only_where_the_task_asks() -> None:
    async with Provider(answers) as provider:
        table = table_for({"blue": f"http://127.0.0.1:{provider.port}"})
        asking = msgspec.structs.replace(table.routes["summarise"], slice_by=("header:x-language", "metadata:tenant"))
        spoken = request(extra=b"X-Language: de\r\n")
        for route, said, label in (
            (table.routes["summarise"], spoken, ""),
            (asking, spoken, "de"),
            (asking, request(b'{"model":"summarise","messages":[],"metadata":{"tenant":"acme"}}'), "acme"),
            (asking, request(), "(none)"),
        ):
            async with rig(msgspec.structs.replace(table, routes={"summarise": route})) as house:
                assert (await house.ask(said)).status == 200
                assert (await house.notes.only()).slice == label


async def test_the_candidate_serves_the_units_of_its_weight() -> None:
    async with Provider(answers) as blue, Provider(answers) as green:
        endpoints = {"blue": f"http://127.0.0.1:{blue.port}", "green": f"http://127.0.0.1:{green.port}"}
        async with rig(table_for(endpoints, permille=500)) as house:
            client = await house.client()
            sides: dict[int, set[bytes]] = {}
            for number in range(60):
                body = b'{"model":"summarise","messages":[],"user":"%d"}' % (number % 20)
                answer = await client.ask(request(body))
                sides.setdefault(number % 20, set()).add(answer.names[b"x-changeover-deployment"])
            assert all(len(names) == 1 for names in sides.values()), "a unit stays where it is"
            assert {name for names in sides.values() for name in names} == {b"blue", b"green"}
            assert len(blue.received) + len(green.received) == 60
            assert {received.fields["model"] for received in green.received} == {"green"}
            assert {seen.candidate_probability for seen in house.notes.observations} == {0.5}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (b"/v1/chat/completions", b"api-version=2024-10-21"),
        (b"/openai/v1/chat/completions", b"api-version=2024-10-21"),
        (b"/openai/chat/completions", b"api-version=2024-10-21"),
        (b"/chat/completions", b"api-version=2024-10-21"),
        (b"/t/summarise/v1/chat/completions", b"api-version=2024-10-21"),
        (b"/v1/chat/completions?x=1", b"x=1&api-version=2024-10-21"),
    ],
)
async def test_every_chat_path_is_served(path: bytes, query: bytes) -> None:
    async with served() as (house, provider):
        assert (await house.ask(request(path=path))).status == 200
        assert provider.received[0].line == b"POST /openai/deployments/blue/chat/completions?%b HTTP/1.1" % query


@pytest.mark.parametrize("model", [b'"model":"something else",', b'"model":null,', b""])
async def test_the_task_in_the_path_beats_the_model_in_the_body(model: bytes) -> None:
    async with served() as (house, provider):
        path = b"/openai/deployments/summarise/chat/completions?api-version=2024-06-01"
        assert (await house.ask(request(b"{%b" % model + b'"messages":[]}', path=path))).status == 200
        assert provider.received[0].fields["model"] == "blue"


@pytest.mark.parametrize(
    ("kind", "suffix", "path", "model", "credential"),
    [
        ("azure-openai", "", "/openai/deployments/blue/chat/completions?api-version=2024-10-21", "blue", (b"api-key", SECRET)),
        ("openai", "", "/v1/chat/completions", "gpt-4o-2024-11-20", (b"authorization", f"Bearer {SECRET}")),
        ("openai", "/v1", "/v1/chat/completions", "gpt-4o-2024-11-20", (b"authorization", f"Bearer {SECRET}")),
        ("openai-compatible", "/serve/v1", "/serve/v1/chat/completions", "blue", (b"authorization", f"Bearer {SECRET}")),
    ],
)
async def test_each_kind_of_account_is_called_its_own_way(
    kind: AccountKind, suffix: str, path: str, model: str, credential: tuple[bytes, str]
) -> None:
    async with Provider(answers) as provider, rig(table_for({"blue": f"http://127.0.0.1:{provider.port}{suffix}"}, kind=kind)) as house:
        await house.ask(request())
        received = provider.received[0]
        assert received.line.decode() == f"POST {path} HTTP/1.1"
        assert received.fields["model"] == model
        assert received.names[credential[0]] == credential[1].encode()
        assert received.names[b"host"] == f"127.0.0.1:{provider.port}".encode()


async def test_what_the_caller_says_of_itself_never_reaches_the_provider() -> None:
    extra = (
        b"api-key: sk-caller\r\nCookie: a=b\r\nForwarded: for=1\r\nX-Forwarded-For: 1.2.3.4\r\nX-Changeover-Unit: ada\r\n"
        b"X-Changeover-Side: candidate\r\nAccept-Encoding: gzip\r\nTE: trailers\r\nKeep-Alive: timeout=5\r\n"
        b"Connection: keep-alive, X-Private\r\nX-Private: 1\r\nX-Stainless-Retry-Count: 0\r\n"
    )
    async with served() as (house, provider):
        assert (await house.ask(request(extra=extra))).status == 200
        received = provider.received[0]
        assert dict(received.headers).keys() == {
            b"host", b"api-key", b"accept-encoding", b"content-type", b"x-stainless-retry-count", b"content-length",
        }  # fmt: skip
        assert received.names[b"accept-encoding"] == b"identity"
        assert (await house.notes.only()).sticky, "the unit was read before it was dropped"


async def test_the_providers_headers_arrive_but_for_those_of_its_own_connection() -> None:
    extra = (
        b"Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-Changeover-Side: candidate\r\n"
        b"apim-request-id: abc\r\nx-ratelimit-remaining-tokens: 5\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
    )
    async with served(says(whole(extra=extra))) as (house, _):
        headers = (await house.ask(request())).headers
        assert [value for name, value in headers if name == b"set-cookie"] == [b"a=1", b"b=2"]
        names = dict(headers)
        assert (names[b"apim-request-id"], names[b"x-ratelimit-remaining-tokens"]) == (b"abc", b"5")
        assert names.keys().isdisjoint({b"connection", b"x-hop", b"keep-alive"})
        assert [value for name, value in headers if name == b"x-changeover-side"] == [b"stable"]


async def test_one_connection_to_the_provider_carries_many_requests() -> None:
    async with served() as (house, provider):
        client = await house.client()
        for _ in range(10):
            assert (await client.ask(request())).status == 200
            assert (await client.ask(STREAM_REQUEST)).status == 200
        assert (len(provider.received), provider.connections) == (20, 1)
        await house.notes.count(20)


async def test_the_time_to_first_token_is_that_of_the_first_content_not_of_the_head() -> None:
    async def behave(_: Received, wire: Wire) -> None:
        await wire.send(STREAM_HEAD)
        await wire.send(chunk(ROLE))
        await wire.reader.readexactly(1)  # until the caller has got the role

    async with Provider(behave) as provider, rig(table_for({"blue": f"http://127.0.0.1:{provider.port}"})) as house:
        client = await house.client()
        await client.send(STREAM_REQUEST)
        await client.reader.readuntil(ROLE)
        client.leave()
        seen = await house.notes.only()
        assert seen.first_byte_ms is not None
        assert seen.first_token_ms is None
    async with served(says(STREAM_HEAD, chunk(ROLE), chunk(CONTENT), chunk(FINISH) + chunk(DONE) + LAST_CHUNK)) as (house, _):
        await house.ask(STREAM_REQUEST)
        seen = await house.notes.only()
        assert (seen.first_byte_ms or 0) <= (seen.first_token_ms or -1) <= seen.latency_ms


async def test_models_are_the_tasks() -> None:
    async with served() as (house, _):
        for path in (b"/v1/models", b"/openai/v1/models", b"/models", b"/openai/models?api-version=1"):
            answer = await house.ask(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path, "GET")
            assert [entry["id"] for entry in msgspec.json.decode(answer.body)["data"]] == ["summarise"]
        assert house.notes.observations == []


async def test_health_is_the_process_and_ready_is_the_table() -> None:
    async with rig() as house:
        assert (await house.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET")).status == 200
        not_ready = await house.ask(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", "GET")
        assert (not_ready.status, not_ready.names[b"retry-after"]) == (503, b"1")
        assert (await house.ask(GET_MODELS, "GET")).status == 503
        refused = await house.ask(request())
        assert (refused.status, refused.error["code"]) == (503, "no_routing_table")
        assert (await house.notes.only()).outcome is Outcome.REFUSED
        house.gateway.use(table_for({"blue": "http://127.0.0.1:9"}))
        ready = await house.ask(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", "GET")
        assert (ready.status, msgspec.json.decode(ready.body)["revision"]) == (200, 3)


async def test_head_has_the_head_of_get_and_no_body() -> None:
    async with served() as (house, _):
        client = await house.client()
        got = await client.ask(GET_MODELS, "GET")
        head = await client.ask(GET_MODELS.replace(b"GET", b"HEAD"), "HEAD")
        assert (head.status, head.headers, head.body) == (200, got.headers, b"")
        assert (await client.ask(request())).status == 200


async def test_a_new_table_is_served_from_with_the_next_request() -> None:
    async with Provider(answers) as blue, Provider(answers) as green:
        endpoints = {"blue": f"http://127.0.0.1:{blue.port}", "green": f"http://127.0.0.1:{green.port}"}
        async with rig(table_for(endpoints, permille=1000)) as house:
            client = await house.client()
            assert (await client.ask(request())).names[b"x-changeover-deployment"] == b"green"
            house.gateway.use(table_for(endpoints, permille=0, revision=4))
            answer = await client.ask(request())
            assert (answer.names[b"x-changeover-deployment"], answer.names[b"x-changeover-revision"]) == (b"blue", b"4")
            house.gateway.use(table_for(endpoints, permille=1000, revision=5))
            await client.ask(request())
            assert green.connections == 1, "a deployment that is called alike keeps its connections"


async def test_the_unit_header_beats_the_body() -> None:
    async with served() as (house, _):
        client = await house.client()
        for unit, user in ((b"one", b"ada"), (b"one", b"bob"), (b"two", b"bob")):
            await client.ask(request(b'{"model":"summarise","messages":[],"user":"%b"}' % user, extra=b"x-changeover-unit: %b\r\n" % unit))
        first, second, third = [seen.unit for seen in await house.notes.count(3)]
        assert first == second != third


def test_the_body_of_the_corpus_is_the_one_it_names() -> None:
    assert msgspec.json.decode(BODY) == {"model": "summarise", "messages": []}
