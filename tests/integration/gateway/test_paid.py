"""Attempts in vain that say what they used are paid for, on the side that was assigned."""

from changeover.exchange.observation import Outcome, Spent, Tokens
from changeover.traffic.table import Side
from tests.integration.gateway.houses import pair, trial
from tests.integration.gateway.rig import (
    CONTENT,
    LAST_CHUNK,
    ROLE,
    STREAM_HEAD,
    STREAM_REQUEST,
    USAGE,
    USAGE_EVENT,
    Behaviour,
    chunk,
    request,
    says,
    served,
    whole,
)

ONE = Tokens(prompt=7, completion=3)
TWO = Tokens(prompt=14, completion=6)
ERROR_INSIDE = whole(b'{"error":{"code":"server_error","message":"broke"},' + USAGE + b"}")
NO_TEXT = whole(b'{"id":"c1","choices":[],' + USAGE + b',"x":"\xff"}')
BROKEN = whole(b'{"error":{"code":"InternalServerError"},' + USAGE + b"}", status=b"500 Internal Server Error")
SILENT = whole(b'{"error":{"code":"InternalServerError"}}', status=b"500 Internal Server Error")
ERROR_EVENT = b'data: {"error":{"code":"server_error","message":"broke"}}\n\n'


async def test_whatever_was_discarded_and_had_a_price_counts_for_the_candidate() -> None:
    for discarded in (ERROR_INSIDE, NO_TEXT, BROKEN):
        async with trial(says(discarded)) as (house, _, _):
            assert (await house.ask(request())).status == 200
            seen = await house.notes.only()
            assert (seen.side, seen.served, seen.attempts, seen.tokens) == (Side.CANDIDATE, "blue", 2, TWO)
            assert seen.spent == (Spent(deployment="green", tokens=ONE), Spent(deployment="blue", tokens=ONE))


async def test_an_attempt_that_says_nothing_of_its_usage_is_counted_and_adds_nothing() -> None:
    async with trial(says(SILENT)) as (house, _, _):
        await house.ask(request())
        seen = await house.notes.only()
        assert (seen.attempts, seen.tokens, seen.spent) == (2, ONE, ())


async def test_a_stream_that_broke_before_its_content_is_paid_for_too() -> None:
    broken: Behaviour = says(STREAM_HEAD + chunk(ROLE) + chunk(USAGE_EVENT) + chunk(ERROR_EVENT) + LAST_CHUNK)
    async with trial(broken) as (house, _, _):
        await house.ask(STREAM_REQUEST)
        seen = await house.notes.only()
        assert (seen.served, seen.tokens, [each.deployment for each in seen.spent]) == ("blue", TWO, ["green", "blue"])


async def test_a_stream_that_is_cut_after_its_usage_is_paid_for_by_who_sent_it() -> None:
    async with served(says(STREAM_HEAD + chunk(CONTENT) + chunk(USAGE_EVENT), then="reset")) as (house, _):
        client = await house.client()
        await client.send(STREAM_REQUEST)
        await client.reader.readuntil(b"0\r\n\r\n")
        seen = await house.notes.only()
        assert (seen.outcome, seen.served, seen.tokens) == (Outcome.FAILED, None, ONE)
        assert seen.spent == (Spent(deployment="blue", tokens=ONE),)


async def test_when_nobody_answers_every_attempt_is_paid_for_once() -> None:
    async with pair(says(BROKEN), says(ERROR_INSIDE)) as (house, _, _):
        await house.ask(request())
        seen = await house.notes.only()
        assert (seen.outcome, seen.served, seen.tokens) == (Outcome.FAILED, None, TWO)
        assert [each.deployment for each in seen.spent] == ["blue", "spare"]


async def test_a_plain_answer_has_no_list_of_attempts() -> None:
    async with served() as (house, _):
        await house.ask(request())
        seen = await house.notes.only()
        assert (seen.tokens, seen.spent) == (ONE, ())
