"""Keys at the gateway's own port: decided at the end of the head, before the body, and by task."""

import asyncio
import ssl
from collections.abc import Sequence

import msgspec
import pytest
import trustme

from changeover.adapters.memory import HandClock, SeededDice
from changeover.exchange.observation import Outcome
from changeover.gateway.server import Gateway
from changeover.traffic.keys import KeyEntry, hash_of
from changeover.traffic.table import RoutingTable
from tests.integration.gateway.rig import (
    ANSWER,
    BODY,
    SECRET,
    STARTED_AT,
    Answer,
    Notes,
    Provider,
    Received,
    Rig,
    Wire,
    answers,
    request,
    rig,
    table_for,
)

OURS = "ck-" + "a" * 43
SCOPED = "ck-" + "b" * 43
ELSEWHERE = "ck-" + "c" * 43


def key(secret: str, **fields: object) -> KeyEntry:
    values: dict[str, object] = {"id": f"k-{secret[3]}", "name": "app", "hash": hash_of(secret.encode()), "created_at": 0.0}
    return KeyEntry(**{**values, **fields})  # pyright: ignore[reportArgumentType]


def guarded(provider: Provider, keys: Sequence[KeyEntry] | None = None) -> RoutingTable:
    """``summarise`` and ``chat`` on one provider, for those who have a key."""
    table = table_for({"blue": f"http://127.0.0.1:{provider.port}"})
    chat = msgspec.structs.replace(table.routes["summarise"], task="chat")
    held = (key(OURS), key(SCOPED, tasks=("summarise",), default_task="summarise"), key(ELSEWHERE, tasks=("chat", "gone")))
    keys = held if keys is None else tuple(keys)
    return msgspec.structs.replace(
        table, routes={**table.routes, "chat": chat}, keys={entry.hash: entry for entry in keys}, keys_required=True
    )


def sent(secret: str, body: bytes = BODY, *, path: bytes = b"/v1/chat/completions", method: bytes = b"POST") -> bytes:
    return request(body, path=path, method=method, extra=f"api-key: {secret}\r\n".encode())


def code_of(answer: Answer) -> str:
    return msgspec.json.decode(answer.body)["error"]["code"]


async def test_who_has_a_key_is_served_and_the_provider_never_sees_it() -> None:
    async with Provider(answers) as provider, rig(guarded(provider)) as house:
        answer = await house.ask(sent(OURS))
        assert (answer.status, answer.body) == (200, ANSWER)
        (received,) = provider.received
        assert OURS.encode() not in b"".join(value for _, value in received.headers)
        assert received.names[b"api-key"] == SECRET.encode()


async def test_who_has_none_is_refused_before_the_body_is_sent() -> None:
    async with Provider(answers) as provider, rig(guarded(provider)) as house:
        client = await house.client()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
        answer = await client.ask(head)
        assert (answer.status, code_of(answer)) == (401, "invalid_api_key")
        assert await client.rest() == b"", "the connection ends: its body was not read"
        assert provider.received == []
        assert house.notes.observations == [], "strangers leave nothing in the store"


@pytest.mark.parametrize("path", [b"/v1/chat/completions", b"/v1/models", b"/v1/files", b"/no/such/path", b"/admin"])
async def test_a_stranger_learns_of_no_path_which_one_it_is(path: bytes) -> None:
    async with Provider(answers) as provider, rig(guarded(provider)) as house:
        answer = await house.ask(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path, "GET")
        assert (answer.status, code_of(answer)) == (401, "invalid_api_key")
        assert await house.lives(), "whoever watches over the process needs no key"


async def test_a_key_is_for_its_tasks_whether_the_path_or_the_body_names_them() -> None:
    async with Provider(answers) as provider, rig(guarded(provider)) as house:
        for data in (sent(ELSEWHERE), sent(ELSEWHERE, path=b"/t/summarise/v1/chat/completions")):
            answer = await house.ask(data)
            assert (answer.status, code_of(answer)) == (403, "task_not_allowed")
        assert provider.received == []
        assert [row.outcome for row in house.notes.observations] == [Outcome.REFUSED, Outcome.REFUSED]
        assert (await house.ask(sent(ELSEWHERE, b'{"model":"chat","messages":[]}'))).status == 200


async def test_a_key_for_one_task_answers_whatever_model_an_unmodified_application_names() -> None:
    async with Provider(answers) as provider, rig(guarded(provider)) as house:
        for body in (b'{"model":"gpt-4o","messages":[]}', b'{"model":null,"messages":[]}', b'{"messages":[]}'):
            answer = await house.ask(sent(SCOPED, body))
            assert (answer.status, dict(answer.headers)[b"x-changeover-task"]) == (200, b"summarise")
        assert code_of(await house.ask(sent(SCOPED, b'{"model":"chat","messages":[]}'))) == "task_not_allowed"
        assert (await house.ask(sent(OURS, b'{"model":"gpt-4o","messages":[]}'))).status == 404


async def test_a_key_for_some_tasks_passes_nothing_that_no_task_claims() -> None:
    async with Provider(answers) as provider:
        table = msgspec.structs.replace(guarded(provider), unrouted_account="blue")
        async with rig(table) as house:
            for data in (sent(SCOPED, b"{}", path=b"/v1/files"), sent(ELSEWHERE, b"{}", path=b"/v1/batches")):
                assert code_of(await house.ask(data)) == "task_not_allowed"
            assert provider.received == []
            assert (await house.ask(sent(OURS, b"{}", path=b"/v1/files"))).status == 200


async def test_a_key_sees_its_own_tasks_alone() -> None:
    async with Provider(answers) as provider, rig(guarded(provider)) as house:
        listed = await house.ask(sent(SCOPED, b"", path=b"/v1/models", method=b"GET"), "GET")
        assert [model["id"] for model in msgspec.json.decode(listed.body)["data"]] == ["summarise"]
        one = await house.ask(sent(SCOPED, b"", path=b"/v1/models/chat", method=b"GET"), "GET")
        assert one.status == 404
        assert b"expected one of: summarise." in one.body


async def test_a_revoked_key_is_refused_on_a_connection_that_it_opened() -> None:
    async with Provider(answers) as provider, rig(guarded(provider)) as house:
        client = await house.client()
        assert (await client.ask(sent(OURS))).status == 200
        house.gateway.use(msgspec.structs.replace(guarded(provider, [key(SCOPED)]), revision=4))
        assert (await client.ask(sent(OURS))).status == 401


async def test_every_request_on_a_connection_shows_its_own_key() -> None:
    async with Provider(answers) as provider, rig(guarded(provider)) as house:
        client = await house.client()
        await client.send(sent(OURS) + request())
        assert (await client.answer("POST")).status == 200
        assert (await client.answer("POST")).status == 401


async def test_the_deployment_that_answered_is_observed_as_its_provider_named_it() -> None:
    async def spills(received: Received, wire: Wire) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-ms-deployment-name: blue-spill\r\nContent-Length: %d\r\n\r\n"
        await wire.send(head % len(ANSWER) + ANSWER)

    async with Provider(spills) as provider, rig(guarded(provider)) as house:
        assert (await house.ask(sent(OURS))).status == 200
        row = await house.notes.only()
        assert (row.served, row.served_deployment) == ("blue", "blue-spill")


async def test_a_gateway_with_a_certificate_speaks_tls_and_nothing_else() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with Provider(answers) as provider:
        gateway = Gateway(recorder=Notes(), secret=lambda _: SECRET, clock=HandClock(STARTED_AT), dice=SeededDice(), keys_required=True)
        gateway.use(guarded(provider))
        port = await gateway.start("127.0.0.1", 0, tls=context)
        house = Rig(gateway, Notes(), port)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="localhost")
            writer.write(sent(OURS))
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
            writer.close()
            plain = await house.client()
            await plain.send(request())
            assert await plain.rest() == b"", "what is not TLS gets no answer"
        finally:
            house.leave()
            await gateway.close()
