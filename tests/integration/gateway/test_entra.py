"""Accounts without a key: requests carry the token that is held, wait for the first one, and go elsewhere without one."""

import msgspec

from changeover.adapters.credentials import MemoryTokens
from changeover.adapters.memory import HandClock
from changeover.exchange.observation import Outcome
from changeover.gateway.limits import Limits
from changeover.ports.credentials import Token, TokenError
from changeover.traffic.table import RoutingTable
from changeover.versions import EntraIdentity, SecretReference
from tests.integration.gateway.houses import endpoint, failing_over
from tests.integration.gateway.rig import STARTED_AT, Provider, answers, request, rig, table_for, until

ME = EntraIdentity(method="managed", scope="https://cognitiveservices.azure.com/.default")
KEYLESS = SecretReference(source="env", name="KEY", entra=ME)
LONG = Token(value="t1", expires_at=STARTED_AT + 3600)
NONE = TokenError("no such identity is to be had here", "details for the log")


def keyless(table: RoutingTable, *names: str) -> RoutingTable:
    """``table`` with the accounts ``names`` in need of a token."""
    accounts = {
        name: msgspec.structs.replace(account, auth=SecretReference(source="entra", entra=ME)) if name in names else account
        for name, account in table.accounts.items()
    }
    return msgspec.structs.replace(table, accounts=accounts)


async def test_the_first_request_waits_for_the_first_token_and_others_carry_it() -> None:
    tokens = MemoryTokens(LONG)
    tokens.gate.clear()
    async with Provider(answers) as provider, rig(keyless(table_for({"blue": endpoint(provider)}), "blue"), tokens=tokens) as house:
        client = await house.client()
        await client.send(request())
        await until(lambda: house.notes.begun)
        assert provider.received == []
        tokens.gate.set()
        assert (await client.answer()).status == 200
        assert (await client.ask(request())).status == 200
        assert [received.names[b"authorization"] for received in provider.received] == [b"Bearer t1"] * 2
        assert not [received for received in provider.received if b"api-key" in received.names]
        assert len(tokens.asked) == 1
        assert {seen.outcome for seen in await house.notes.count(2)} == {Outcome.ANSWERED}


async def test_a_renewed_token_is_on_the_next_request() -> None:
    clock = HandClock(STARTED_AT)
    tokens = MemoryTokens(Token(value="t1", expires_at=STARTED_AT + 0.4), Token(value="t2", expires_at=STARTED_AT + 3600))
    async with (
        Provider(answers) as provider,
        rig(keyless(table_for({"blue": endpoint(provider)}), "blue"), tokens=tokens, clock=clock) as house,
    ):
        client = await house.client()
        assert (await client.ask(request())).status == 200
        clock.advance(0.35)
        await until(lambda: len(tokens.asked) == 2)
        assert (await client.ask(request())).status == 200
        assert [received.names[b"authorization"] for received in provider.received] == [b"Bearer t1", b"Bearer t2"]
        assert provider.connections == 1, "the connection is the same"


async def test_without_a_token_another_deployment_answers_and_the_first_is_to_blame() -> None:
    async with Provider(answers) as first, Provider(answers) as second:
        table = keyless(failing_over({"blue": endpoint(first), "spare": endpoint(second)}), "blue")
        async with rig(table, tokens=MemoryTokens(NONE)) as house:
            answer = await house.ask(request())
            assert (answer.status, answer.names[b"x-changeover-deployment"]) == (200, b"spare")
            seen = await house.notes.only()
            assert (seen.assigned, seen.served, seen.error, seen.is_error) == ("blue", "spare", "entra_token_missing", True)
            assert first.received == []


async def test_without_a_token_and_without_a_stand_in_the_caller_hears_why() -> None:
    async with (
        Provider(answers) as provider,
        rig(keyless(table_for({"blue": endpoint(provider)}), "blue"), tokens=MemoryTokens(NONE)) as house,
    ):
        answer = await house.ask(request())
        assert (answer.status, answer.error["code"]) == (502, "entra_token_missing")
        assert "account blue has no token from entra:managed (no such identity is to be had here)" in answer.error["message"]
        assert "details" not in answer.error["message"]


async def test_a_token_that_ends_takes_its_account_out() -> None:
    clock = HandClock(STARTED_AT)
    tokens = MemoryTokens(Token(value="t1", expires_at=STARTED_AT + 0.4), NONE)
    async with (
        Provider(answers) as provider,
        rig(keyless(table_for({"blue": endpoint(provider)}), "blue"), tokens=tokens, clock=clock) as house,
    ):
        assert (await house.ask(request())).status == 200
        clock.advance(0.35)
        await until(lambda: len(tokens.asked) == 2)
        assert (await house.ask(request())).status == 200, "what is held serves until it ends"
        clock.advance(0.1)
        await until(lambda: house.gateway.pools == ())
        answer = await house.ask(request())
        assert (answer.status, answer.error["code"]) == (502, "entra_token_missing")


async def test_who_has_a_key_waits_for_nobodys_token() -> None:
    tokens = MemoryTokens(LONG)
    tokens.gate.clear()
    async with Provider(answers) as first, Provider(answers) as second:
        table = keyless(table_for({"blue": endpoint(first), "green": endpoint(second)}), "green")
        async with rig(table, tokens=tokens) as house:
            assert (await house.ask(request())).status == 200


async def test_a_key_in_the_environment_needs_no_token() -> None:
    async with Provider(answers) as provider:
        table = table_for({"blue": endpoint(provider)})
        accounts = {name: msgspec.structs.replace(account, auth=KEYLESS) for name, account in table.accounts.items()}
        tokens = MemoryTokens(LONG)
        async with rig(msgspec.structs.replace(table, accounts=accounts), tokens=tokens) as house:
            assert (await house.ask(request())).status == 200
            assert b"api-key" in provider.received[0].names
            assert tokens.asked == []
        async with rig(msgspec.structs.replace(table, accounts=accounts), tokens=tokens, secret=None) as house:
            assert (await house.ask(request())).status == 200
            assert provider.received[1].names[b"authorization"] == b"Bearer t1"


async def test_a_caller_who_leaves_while_it_waits_is_observed_once() -> None:
    tokens = MemoryTokens(LONG)
    tokens.gate.clear()
    async with Provider(answers) as provider, rig(keyless(table_for({"blue": endpoint(provider)}), "blue"), tokens=tokens) as house:
        client = await house.client()
        await client.send(request())
        await until(lambda: house.notes.begun)
        client.leave()
        seen = await house.notes.only()
        assert (seen.outcome, seen.error, seen.side) == (Outcome.ABANDONED, "caller_left", None)
        tokens.gate.set()
        await until(lambda: house.gateway.pools)
        assert (provider.received, len(house.notes.observations)) == ([], 1)


async def test_nobody_waits_for_ever() -> None:
    tokens = MemoryTokens(LONG)
    tokens.gate.clear()
    async with (
        Provider(answers) as provider,
        rig(keyless(table_for({"blue": endpoint(provider)}), "blue"), tokens=tokens, limits=Limits(token_s=0.01)) as house,
    ):
        answer = await house.ask(request())
        assert (answer.status, answer.error["code"]) == (502, "entra_token_awaited")
