"""The caller's own SDK tries again: both tries are one unit on one side."""

import openai

from changeover.exchange.observation import Observation, Outcome
from changeover.traffic.table import Side
from tests.integration.gateway.houses import endpoint, with_route
from tests.integration.gateway.rig import Behaviour, Provider, Received, Rig, Wire, answers, request, rig, says, table_for, until, whole

AT_ONCE = b"retry-after-ms: 1\r\n"


def failing(times: int) -> Behaviour:
    """A provider that breaks so many times, and says when it would like to be asked again."""
    left = times

    async def behave(received: Received, wire: Wire) -> None:
        nonlocal left
        left -= 1
        broken = says(whole(b'{"error":{"code":"InternalServerError"}}', status=b"500 Internal Server Error", extra=AT_ONCE))
        await (broken if left >= 0 else answers)(received, wire)

    return behave


async def tried(house: Rig, *, retries: int, **fields: str) -> None:
    base = f"http://127.0.0.1:{house.port}/v1"
    async with openai.AsyncOpenAI(base_url=base, api_key="sk-caller", max_retries=retries) as client:
        await client.chat.completions.create(model="summarise", messages=[{"role": "user", "content": "x"}], **fields)  # type: ignore[arg-type]


def units(seen: list[Observation]) -> list[tuple[str, bool]]:
    return [(one.unit, one.retry) for one in seen]


async def test_all_tries_of_one_request_are_one_unit_on_one_side() -> None:
    async with Provider(failing(2)) as blue, Provider(failing(2)) as green:
        table = table_for({"blue": endpoint(blue), "green": endpoint(green)}, permille=500)
        async with rig(with_route(table, sticky_by=())) as house:
            await tried(house, retries=4)
            seen = house.notes.observations
            assert len(seen) >= 2
            assert seen[-1].outcome is Outcome.ANSWERED
            assert {one.side for one in seen} == {seen[0].side}
            assert units(seen) == [(seen[0].unit, False), *[(seen[0].unit, True)] * (len(seen) - 1)]
            assert {one.sticky for one in seen} == {False}


async def test_another_request_of_the_same_sdk_is_another_unit() -> None:
    async with Provider(answers) as blue, rig(table_for({"blue": endpoint(blue)})) as house:
        await tried(house, retries=2)
        await tried(house, retries=2)
        first, second = await house.notes.count(2)
        assert first.unit != second.unit
        assert not second.retry


async def test_a_sticky_unit_needs_no_memory() -> None:
    async with Provider(failing(1)) as blue, rig(table_for({"blue": endpoint(blue)})) as house:
        await tried(house, retries=2, user="ann")
        first, second = await house.notes.count(2)
        assert (first.unit, second.unit, second.retry) == (second.unit, first.unit, False)


async def test_a_claim_to_be_a_repeat_of_nothing_is_a_request_of_its_own() -> None:
    async with Provider(answers) as blue, rig(table_for({"blue": endpoint(blue)})) as house:
        await house.ask(request(extra=b"x-stainless-retry-count: 1\r\n"))
        seen = await house.notes.only()
        assert (seen.retry, seen.side) == (False, Side.STABLE)


async def test_a_caller_who_gave_up_and_comes_again_is_the_same_unit() -> None:
    async with Provider(says(then="wait")) as blue, rig(table_for({"blue": endpoint(blue)})) as house:
        client = await house.client()
        await client.send(request(extra=b"x-stainless-retry-count: 0\r\n"))
        await until(lambda: blue.received)
        client.leave()
        await house.notes.count(1)
        again = await house.client()
        await again.send(request(extra=b"x-stainless-retry-count: 1\r\n"))
        await until(lambda: len(blue.received) == 2)
        again.leave()
        first, second = await house.notes.count(2)
        assert (first.outcome, second.retry, second.unit) == (Outcome.ABANDONED, True, first.unit)
