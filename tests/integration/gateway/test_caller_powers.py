"""What a caller must not be able to do: steer the split, reach what was not declared for it, or send the gateway elsewhere."""

import contextlib
from collections.abc import AsyncGenerator

import msgspec
import pytest

from changeover.exchange.observation import Outcome
from changeover.traffic.table import RoutingTable, Side
from tests.integration.gateway.houses import endpoint
from tests.integration.gateway.rig import SECRET, Provider, Rig, answers, request, rig, table_for

OTHER_TASK = b'{"model":"chat","messages":[]}'


def two_tasks(blue: Provider, other: Provider) -> RoutingTable:
    """``summarise`` on ``blue``, whose account shares nothing with that of ``chat``, on ``other``."""
    table = table_for({"blue": endpoint(blue), "other": endpoint(other)})
    route = msgspec.structs.replace(table.routes["summarise"], candidate=None)
    chat = msgspec.structs.replace(route, task="chat", stable="other")
    return msgspec.structs.replace(table, routes={"summarise": route, "chat": chat})


@contextlib.asynccontextmanager
async def apart() -> AsyncGenerator[tuple[Rig, Provider, Provider]]:
    async with Provider(answers) as blue, Provider(answers) as other, rig(two_tasks(blue, other)) as house:
        yield house, blue, other


async def test_headers_of_ours_steer_nothing_and_are_told_to_nobody() -> None:
    said = {
        b"x-changeover-task": b"chat", b"x-changeover-side": b"candidate", b"x-changeover-deployment": b"green",
        b"x-changeover-revision": b"99", b"x-changeover-request-id": b"forged", b"x-changeover-failover": b"green",
        b"x-changeover-account": b"other",
    }  # fmt: skip
    extra = b"".join(b"%b: %b\r\n%b: %b\r\n" % (name, value, name.title(), value) for name, value in said.items())
    async with (
        Provider(answers) as blue,
        Provider(answers) as green,
        rig(table_for({"blue": endpoint(blue), "green": endpoint(green)}, permille=0)) as house,
    ):
        answer = await house.ask(request(extra=extra))
        for name, value in said.items():
            assert value not in [told for told_name, told in answer.headers if told_name == name]
        assert answer.names[b"x-changeover-deployment"] == b"blue"
        seen = await house.notes.only()
        assert (seen.task, seen.side, seen.revision, seen.served) == ("summarise", Side.STABLE, 3, "blue")
        assert seen.request_id != "forged"
        assert green.raw == 0
        assert not [name for name, _ in blue.received[0].headers if name.startswith(b"x-changeover")]


async def test_only_the_unit_is_the_callers_to_name() -> None:
    async with apart() as (house, *_):
        client = await house.client()
        for extra in (b"X-Changeover-Unit: a\r\n", b"X-Changeover-Unit: a\r\nX-Changeover-Attempt: 9\r\n", b"X-Changeover-Units: a\r\n"):
            assert (await client.ask(request(extra=extra))).status == 200
        first, second, third = await house.notes.count(3)
        assert (first.unit, first.attempt, first.sticky) == (second.unit, second.attempt, second.sticky)
        assert not third.sticky


CLIMBING = [
    b"/openai/deployments/summarise/../other/chat/completions", b"/openai/deployments/summarise/..%2fother/chat/completions",
    b"/openai/deployments/summarise%2f..%2fother/chat/completions", b"/openai/deployments/summarise/%2e%2e/other/chat/completions",
    b"/openai/deployments/summarise//other/chat/completions", b"//openai/deployments/other/chat/completions",
    b"/openai/deployments/summarise/..;/other/chat/completions", b"/openai/deployments/summarise/..\\other/chat/completions",
    b"/openai/deployments/summarise/%252e%252e/other/chat/completions", b"/t/summarise/../chat/v1/chat/completions",
    b"/t/summarise/v1/../../openai/deployments/other/chat/completions", b"/v1/files/../deployments/other/chat/completions",
    b"/t/summarise/openai/deployments%2fother/chat/completions", b"/v1//chat/completions", b"/v1/./chat/completions",
    b"/t/summarise/v1/files/%2e%2e%2fbatches", b"/v1/chat/completions#/../x", b"*", b"x/v1/chat/completions",
]  # fmt: skip


@pytest.mark.parametrize("path", CLIMBING)
async def test_no_path_climbs_to_what_was_not_asked_for(path: bytes) -> None:
    async with apart() as (house, blue, other):
        answer = await house.ask(request(path=path))
        assert answer.status in {400, 404}
        assert (blue.raw, other.raw) == (0, 0)
        assert {seen.outcome for seen in house.notes.observations} <= {Outcome.REFUSED}


@pytest.mark.parametrize(
    "data",
    [
        request(b'{"model":"other","messages":[]}'),
        request(b'{"model":"other/../blue","messages":[]}'),
        request(path=b"/openai/deployments/other/chat/completions"),
        request(path=b"/openai/deployments/blue/chat/completions"),
        request(path=b"/t/other/v1/chat/completions"),
    ],
)
async def test_a_deployment_is_no_task_unless_it_was_declared_as_one(data: bytes) -> None:
    async with apart() as (house, blue, other):
        answer = await house.ask(data)
        assert (answer.status, answer.error["code"]) == (404, "model_not_found")
        assert (blue.raw, other.raw) == (0, 0)


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:%d/v1/chat/completions", "127.0.0.1:%d", "https://127.0.0.1:%d/", "//127.0.0.1:%d/v1/x"]
)
@pytest.mark.parametrize("method", [b"POST", b"CONNECT", b"GET"])
async def test_no_target_sends_the_gateway_elsewhere(target: str, method: bytes) -> None:
    async with Provider(answers) as elsewhere, apart() as (house, blue, other):
        said = await house.raw(request(path=(target % elsewhere.port).encode(), method=method, extra=b"Connection: close\r\n"))
        assert said.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 "))
        assert (elsewhere.connections, blue.raw, other.raw) == (0, 0, 0)


async def test_no_header_and_no_field_sends_the_gateway_elsewhere() -> None:
    async with Provider(answers) as elsewhere, apart() as (house, blue, _):
        where = f"127.0.0.1:{elsewhere.port}".encode()
        head = b"X-Forwarded-Host: %b\r\nForwarded: host=%b\r\nX-Original-URL: http://%b/\r\nX-Rewrite-URL: /x\r\nReferer: http://%b/\r\n"
        body = b'{"model":"summarise","messages":[],"base_url":"http://%b","endpoint":"http://%b","api_base":"http://%b"}'
        data = request(body % (where, where, where), extra=head % (where, where, where, where)).replace(b"Host: x", b"Host: " + where, 1)
        assert (await house.ask(data)).status == 200
        (received,) = blue.received
        assert received.names[b"host"] == f"127.0.0.1:{blue.port}".encode()
        assert received.names.keys().isdisjoint({b"x-forwarded-host", b"forwarded", b"x-original-url", b"x-rewrite-url"})
        assert elsewhere.connections == 0


async def test_no_header_makes_the_provider_serve_another_deployment_path_or_method() -> None:
    extra = (
        b"x-ms-spillover-deployment: other\r\nazureml-model-deployment: other\r\nX-HTTP-Method-Override: DELETE\r\n"
        b"X-HTTP-Method: DELETE\r\nX-Method-Override: DELETE\r\nX-Original-URL: /openai/deployments/other\r\nX-Rewrite-URL: /x\r\n"
    )
    async with apart() as (house, blue, _):
        assert (await house.ask(request(extra=extra))).status == 200
        assert blue.received[0].names.keys() == {b"host", b"api-key", b"accept-encoding", b"content-type", b"content-length"}


async def test_connection_takes_nothing_of_ours_away_and_may_be_said_twice() -> None:
    extra = b"Connection: authorization, host, api-key, content-length, x-private\r\nConnection: keep-alive\r\nX-Private: 1\r\n"
    async with apart() as (house, blue, _):
        answer = await house.ask(request(extra=extra))
        assert answer.status == 200
        received = blue.received[0].names
        assert (received[b"api-key"], received[b"host"]) == (SECRET.encode(), f"127.0.0.1:{blue.port}".encode())
        assert received[b"content-length"] == b"%d" % len(blue.received[0].body)
        assert b"x-private" not in received


async def test_a_continued_response_reaches_its_maker_only_where_the_task_has_that_maker() -> None:
    async with apart() as (house, blue, other):
        house.gateway.health.issued("resp_of_chat", "chat", "other")
        body = b'{"model":"summarise","input":"more","previous_response_id":"resp_of_chat"}'
        assert (await house.ask(request(body, path=b"/v1/responses"))).status == 200
        assert (len(blue.received), other.raw) == (1, 0)
        assert (await house.ask(request(OTHER_TASK))).status == 200
        assert len(other.received) == 1
