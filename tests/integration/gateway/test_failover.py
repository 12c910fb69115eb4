"""Who serves when the one who should cannot: order, breakers, budgets, pauses, pools, and what the caller is told."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator

import msgspec
import pytest

from changeover.exchange.observation import Outcome
from changeover.traffic.breaker import FAULTS_MAX
from changeover.traffic.table import Side
from changeover.versions import RequestSettings
from tests.integration.gateway.houses import endpoint, failing_over, pair, trial, with_route
from tests.integration.gateway.rig import (
    ANSWER,
    STREAM_REQUEST,
    Behaviour,
    Provider,
    Received,
    Rig,
    Wire,
    answers,
    request,
    rig,
    says,
    served,
    table_for,
    until,
    whole,
)

BROKEN = says(whole(b'{"error":{"code":"InternalServerError"}}', status=b"500 Internal Server Error"))
GONE = says(whole(b'{"error":{"code":"DeploymentNotFound"}}', status=b"404 Not Found"))
UNSUPPORTED = says(
    whole(
        b'{"error":{"code":"unsupported_parameter","param":"max_tokens","message":"Unsupported parameter: \'max_tokens\'"}}',
        status=b"400 Bad Request",
    )
)


def limited(wait: bytes) -> Behaviour:
    return says(whole(b'{"error":{"code":"429"}}', status=b"429 Too Many Requests", extra=b"retry-after-ms: %b\r\n" % wait))


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One behaviour after the other; the last stays."""
    count = 0

    async def behave(received: Received, wire: Wire) -> None:
        nonlocal count
        chosen = behaviours[min(count, len(behaviours) - 1)]
        count += 1
        await chosen(received, wire)

    return behave


async def test_a_candidate_that_fails_is_answered_for_by_the_stable_and_keeps_its_side() -> None:
    async with trial(BROKEN) as (house, green, blue):
        answer = await house.ask(request())
        assert (answer.status, answer.body) == (200, ANSWER)
        assert answer.names[b"x-changeover-side"] == b"candidate"
        assert answer.names[b"x-changeover-deployment"] == b"blue"
        assert answer.names[b"x-changeover-failover"] == b"green"
        seen = await house.notes.only()
        assert (seen.side, seen.candidate_probability) == (Side.CANDIDATE, 1.0)
        assert (seen.assigned, seen.served, seen.is_error) == ("green", "blue", True)
        assert green.received[0].fields["model"] == "green"
        assert blue.received[0].fields["model"] == "blue"


async def test_the_order_is_candidate_stable_failover() -> None:
    async with Provider(BROKEN) as blue, Provider(BROKEN) as green, Provider(answers) as spare:
        table = table_for({"blue": endpoint(blue), "green": endpoint(green), "spare": endpoint(spare)}, permille=1000)
        async with rig(with_route(table, failover=("spare",))) as house:
            answer = await house.ask(request())
            assert answer.names[b"x-changeover-deployment"] == b"spare"
            assert [len(each.received) for each in (green, blue, spare)] == [1, 1, 1]
            assert (await house.notes.only()).attempts == 3


async def test_a_parameter_that_only_the_candidate_refuses_is_answered_by_the_stable_and_counted() -> None:
    async with trial(UNSUPPORTED) as (house, green, _):
        for _turn in range(FAULTS_MAX + 2):
            assert (await house.ask(request())).status == 200
        assert len(green.received) == FAULTS_MAX + 2, "it opens no breaker: other requests may do without the parameter"
        for seen in await house.notes.count(FAULTS_MAX + 2):
            assert (seen.error, seen.is_error) == ("unsupported_parameter", True)


async def test_a_parameter_that_the_stable_refuses_is_the_callers_mistake() -> None:
    async with pair(UNSUPPORTED) as (house, _, spare):
        answer = await house.ask(request())
        assert (answer.status, answer.error["code"]) == (400, "unsupported_parameter")
        seen = await house.notes.only()
        assert (seen.outcome, seen.error, spare.received) == (Outcome.REJECTED, "unsupported_parameter", [])


async def test_a_deployment_that_is_gone_is_asked_once_and_then_left_alone() -> None:
    async with trial(GONE) as (house, green, blue):
        for _ in range(20):
            assert (await house.ask(request())).status == 200
        assert (len(green.received), len(blue.received)) == (1, 20)
        seen = await house.notes.count(20)
        assert [each.error for each in seen] == ["missing"] + ["breaker_open"] * 19
        assert {(each.side, each.candidate_probability, each.assigned, each.is_error) for each in seen} == {
            (Side.CANDIDATE, 1.0, "green", True)
        }, "an open breaker is an error of the assigned deployment and changes no draw"


async def test_faults_in_a_row_open_the_breaker() -> None:
    async with pair(BROKEN) as (house, blue, _):
        for _turn in range(FAULTS_MAX + 5):
            assert (await house.ask(request())).status == 200
        assert len(blue.received) == FAULTS_MAX


async def test_a_probe_finds_a_deployment_that_is_well_again() -> None:
    async with pair(in_turn(GONE, answers)) as (house, blue, spare):
        assert (await house.ask(request())).status == 200
        breaker = house.gateway.health.breakers["blue"]
        house.gateway.health.breakers["blue"] = breaker._replace(open_until_at=0.0)
        for _turn in range(5):
            assert (await house.ask(request())).names[b"x-changeover-deployment"] == b"blue"
        assert (len(blue.received), len(spare.received)) == (6, 1)
        assert house.gateway.health.breakers == {}


async def test_only_one_request_probes_at_a_time() -> None:
    gate = asyncio.Event()

    async def slow(received: Received, wire: Wire) -> None:
        await gate.wait()
        await answers(received, wire)

    async with pair(in_turn(GONE, slow)) as (house, blue, spare):
        assert (await house.ask(request())).status == 200
        house.gateway.health.breakers["blue"] = house.gateway.health.breakers["blue"]._replace(open_until_at=0.0)
        probe = await house.client()
        await probe.send(request())
        await until(lambda: len(blue.received) == 2)
        assert (await house.ask(request())).names[b"x-changeover-deployment"] == b"spare"
        gate.set()
        assert (await probe.answer()).names[b"x-changeover-deployment"] == b"blue"
        assert len(spare.received) == 2


async def test_a_probe_whose_caller_leaves_makes_room_for_another() -> None:
    async with pair(in_turn(GONE, says(then="wait"), answers)) as (house, blue, _):
        assert (await house.ask(request())).status == 200
        house.gateway.health.breakers["blue"] = house.gateway.health.breakers["blue"]._replace(open_until_at=0.0)
        probe = await house.client()
        await probe.send(request())
        await until(lambda: len(blue.received) == 2)
        probe.leave()
        await house.notes.count(2)
        assert (await house.ask(request())).names[b"x-changeover-deployment"] == b"blue"


async def test_with_every_breaker_open_a_request_goes_where_it_belongs() -> None:
    async with served(in_turn(GONE, answers)) as (house, blue):
        assert (await house.ask(request())).status == 404
        assert house.gateway.health.breakers
        assert (await house.ask(request())).status == 200
        assert len(blue.received) == 2


async def test_a_request_that_nobody_answers_gets_the_last_refusal_and_is_not_to_be_repeated() -> None:
    for asked in (request(), STREAM_REQUEST):
        async with pair(GONE, BROKEN) as (house, *_):
            answer = await house.ask(asked)
            assert (answer.status, answer.error["code"]) == (500, "InternalServerError")
            assert answer.names[b"x-should-retry"] == b"false"
            assert answer.names[b"x-changeover-deployment"] == b"spare"
            seen = await house.notes.only()
            assert (seen.outcome, seen.served, seen.error) == (Outcome.FAILED, None, "InternalServerError")


async def test_when_the_last_one_breaks_the_gateway_says_so_and_that_it_is_not_to_be_repeated() -> None:
    async with pair(GONE, says(then="reset")) as (house, *_):
        answer = await house.ask(request())
        assert (answer.status, answer.error["code"], answer.names[b"x-should-retry"]) == (502, "upstream_reset", b"false")


async def test_a_single_attempt_leaves_repeating_to_the_caller() -> None:
    async with served(BROKEN) as (house, _):
        assert b"x-should-retry" not in (await house.ask(request())).names


async def test_the_providers_word_on_repeating_does_not_stand_beside_ours() -> None:
    extra = b"x-should-retry: true\r\n"
    async with pair(GONE, says(whole(b"{}", status=b"503 Service Unavailable", extra=extra))) as (house, *_):
        answer = await house.ask(request())
        assert [value for name, value in answer.headers if name == b"x-should-retry"] == [b"false"]


async def test_a_short_wait_is_waited_where_nobody_else_can_be_asked() -> None:
    async with served(in_turn(limited(b"5"), answers)) as (house, blue):
        answer = await house.ask(request())
        assert (answer.status, answer.body, len(blue.received)) == (200, ANSWER, 2)
        seen = await house.notes.only()
        assert (seen.outcome, seen.served, seen.attempts, seen.is_error) == (Outcome.ANSWERED, "blue", 2, False)


async def test_it_is_waited_once() -> None:
    async with served(limited(b"5")) as (house, blue):
        answer = await house.ask(request())
        assert (answer.status, answer.names[b"x-should-retry"], len(blue.received)) == (429, b"false", 2)


async def test_a_long_wait_is_not_waited_and_the_caller_is_told_how_long() -> None:
    async with served(limited(b"9000")) as (house, blue):
        answer = await house.ask(request())
        assert (answer.status, answer.names[b"retry-after-ms"], len(blue.received)) == (429, b"9000", 1)
        assert b"x-should-retry" not in answer.names


async def test_a_caller_that_leaves_during_the_wait_is_not_waited_for() -> None:
    async with served(limited(b"1900")) as (house, blue):
        client = await house.client()
        await client.send(request())
        await until(lambda: blue.received)
        for _ in range(3):
            assert await house.lives()
        client.leave()
        assert (await house.notes.only()).outcome is Outcome.ABANDONED
        assert house.gateway.under_way == 0


async def test_a_long_wait_opens_the_breaker() -> None:
    async with pair(limited(b"60000")) as (house, blue, _):
        for _turn in range(3):
            assert (await house.ask(request())).status == 200
        assert len(blue.received) == 1


def spend_all(house: Rig) -> None:
    """Leave nothing of the task's retry budget."""
    budget = house.gateway.health.budgets_for(["summarise", ""], 0.0)["summarise"]
    while budget.spend(1e12):
        pass


async def test_repeating_has_a_budget() -> None:
    async with trial(BROKEN) as (house, green, _):
        spend_all(house)
        answer = await house.ask(request())
        assert (answer.status, len(green.received)) == (500, 1)
        assert b"x-should-retry" not in answer.names


async def test_the_budget_is_not_asked_where_nothing_was_done() -> None:
    async with trial(GONE) as (house, *_):
        spend_all(house)
        assert (await house.ask(request())).status == 200


async def test_many_requests_under_way_on_a_deployment_that_goes_all_get_their_answers() -> None:
    gate = asyncio.Event()

    async def goes(received: Received, wire: Wire) -> None:
        await gate.wait()
        await GONE(received, wire)

    async with trial(goes) as (house, green, _):
        spend_all(house)
        clients = [await house.client() for _ in range(30)]
        for client in clients:
            await client.send(request())
        await until(lambda: len(green.received) == len(clients))
        gate.set()
        assert {(await client.answer()).status for client in clients} == {200}


async def test_every_attempt_has_the_settings_of_its_own_deployment() -> None:
    async with Provider(answers) as blue, Provider(BROKEN) as green:
        table = table_for({"blue": endpoint(blue), "green": endpoint(green)}, permille=1000)
        settings = RequestSettings(rename={"max_tokens": "max_completion_tokens"}, drop=("temperature",))
        deployments = {**table.deployments, "green": msgspec.structs.replace(table.deployments["green"], request=settings)}
        async with rig(msgspec.structs.replace(table, deployments=deployments)) as house:
            body = b'{"model":"summarise","messages":[],"max_tokens":5,"temperature":0.5}'
            assert (await house.ask(request(body))).status == 200
            assert green.received[0].fields == {"model": "green", "messages": [], "max_completion_tokens": 5}
            assert blue.received[0].fields == {"model": "blue", "messages": [], "max_tokens": 5, "temperature": 0.5}


async def test_a_deployment_without_a_secret_is_stood_in_for() -> None:
    async with Provider(answers) as spare:
        table = failing_over({"blue": "not a url", "spare": endpoint(spare)})
        async with rig(table) as house:
            answer = await house.ask(request())
            assert (answer.status, answer.names[b"x-changeover-deployment"]) == (200, b"spare")
            seen = await house.notes.only()
            assert (seen.assigned, seen.served, seen.error) == ("blue", "spare", "endpoint_invalid")


async def test_a_deployment_of_no_weight_serves_nothing_unless_it_is_named() -> None:
    async with Provider(BROKEN) as blue, Provider(answers) as green:
        table = table_for({"blue": endpoint(blue), "green": endpoint(green)}, permille=0)
        async with rig(table) as house:
            assert (await house.ask(request())).status == 500
            assert green.received == [], "the candidate of weight 0 stands in for nobody"


# Pools


@contextlib.asynccontextmanager
async def pool(east: Behaviour, west: Behaviour) -> AsyncGenerator[tuple[Rig, tuple[Provider, Provider], Provider]]:
    """A stable of two, with ``spare`` behind it."""
    async with Provider(east) as first, Provider(west) as second, Provider(answers) as spare:
        endpoints = {"east": endpoint(first), "west": endpoint(second), "spare": endpoint(spare)}
        async with rig(failing_over(endpoints, stable_pool=("east", "west"), failover=("spare",))) as house:
            yield house, (first, second), spare


def with_headroom(tokens: int) -> Behaviour:
    return says(whole(extra=b"x-ratelimit-remaining-tokens: %d\r\n" % tokens))


async def test_a_pool_shares_the_load_by_headroom() -> None:
    async with pool(with_headroom(9000), with_headroom(1000)) as (house, (east, west), _):
        client = await house.client()
        for _turn in range(100):
            assert (await client.ask(request())).status == 200
        assert 8 <= len(west.received) <= 13
        count = Counter(seen.served for seen in await house.notes.count(100))
        assert count == {"east": len(east.received), "west": len(west.received)}
        assert not any(seen.is_error for seen in house.notes.observations), "a pool's members answer for it"


async def test_a_member_that_fails_is_answered_for_by_another_and_the_pool_has_answered() -> None:
    async with pool(BROKEN, answers) as (house, _, spare):
        for _turn in range(4):
            answer = await house.ask(request())
            assert answer.names[b"x-changeover-deployment"] == b"west"
            assert b"x-changeover-failover" not in answer.names
        assert spare.received == []
        assert not any(seen.is_error for seen in await house.notes.count(4))


async def test_a_pool_without_a_healthy_member_fails_over() -> None:
    async with pool(GONE, GONE) as (house, members, _):
        for _turn in range(3):
            answer = await house.ask(request())
            assert (answer.status, answer.names[b"x-changeover-deployment"]) == (200, b"spare")
            assert answer.names[b"x-changeover-failover"] == b"east"
        seen = await house.notes.count(3)
        assert all(each.is_error for each in seen)
        assert [each.error for each in seen] == ["missing", "breaker_open", "breaker_open"]
        assert [len(member.received) for member in members] == [1, 1]


@pytest.mark.parametrize("asked", [request(), STREAM_REQUEST])
async def test_what_the_last_one_in_the_order_says_is_not_held_back(asked: bytes) -> None:
    async with pair(GONE, answers) as (house, *_):
        assert (await house.ask(asked)).status == 200
