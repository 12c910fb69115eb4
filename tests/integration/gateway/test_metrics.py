"""What a data plane tells Prometheus, of itself and of those that share its port, and whom it tells."""

import re

import msgspec

from changeover.adapters.memory import HandClock, SeededDice
from changeover.adapters.memory_link import MemoryCrashLedger, MemoryMetricsShelf, MemoryPlaneLink, MemorySpool, MemoryTableCache
from changeover.gateway.metrics import FRESH_S, GatewayMetrics
from changeover.gateway.reporter import Reporter
from changeover.gateway.server import Gateway
from changeover.gateway.table_keeper import TableKeeper
from tests.integration.gateway.rig import Provider, answers, request, rig, table_for
from tests.integration.gateway.test_door import ELSEWHERE, OURS, code_of, guarded, sent
from tests.unit.gateway.planes import START
from tests.unit.gateway.test_tally import SEEN

SCRAPE = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


class EnoughError(Exception):
    """Ends a loop that runs for ever."""


class Telling:
    """One data plane's numbers, with nothing behind them."""

    def __init__(self, name: str, shared: dict[str, bytes] | None = None) -> None:
        self.clock = HandClock(START)
        link = MemoryPlaneLink()
        self.reporter = Reporter(plane=name, boot="b", link=link, spool=MemorySpool(), ledger=MemoryCrashLedger(lost=7), clock=self.clock)
        self.gateway = Gateway(recorder=self.reporter, secret=lambda _: "k", clock=self.clock, dice=SeededDice())
        keeper = TableKeeper(plane=name, boot="b", link=link, cache=MemoryTableCache(), on_table=self.gateway.use)
        shelf = None if shared is None else MemoryMetricsShelf(name, shared)
        self.metrics = GatewayMetrics(
            plane=name, gateway=self.gateway, reporter=self.reporter, keeper=keeper, clock=self.clock, shelf=shelf
        )

    async def keep(self) -> None:
        """One turn of the loop that keeps the numbers for the others."""

        async def enough(_: float) -> None:
            raise EnoughError

        try:
            await self.metrics.run(enough)
        except EnoughError:
            return

    def count(self, family: str, plane: str | None = None) -> float | None:
        """The sum of a family's samples, of one plane or of all; ``None`` without any."""
        found = re.findall(rf"^{family}\{{(.*)\}} (\S+)$", self.metrics.text().decode(), re.MULTILINE)
        values = [float(value) for at, value in found if plane is None or f'plane="{plane}"' in at]
        return sum(values) if values else None


def test_requests_attempts_and_failovers_are_told_apart() -> None:
    telling = Telling("p")
    for served, attempts in (("new", 1), ("new", 1), ("old", 2)):
        telling.reporter.record(msgspec.structs.replace(SEEN, served=served, attempts=attempts))
    text = telling.metrics.text().decode()
    assert (
        'changeover_gateway_requests_total{task="mail",side="candidate",deployment="new",outcome="answered",status="2xx",plane="p"} 2'
        in text
    )
    assert 'changeover_gateway_attempts_total{task="mail",side="candidate",plane="p"} 4' in text
    assert 'changeover_gateway_failovers_total{task="mail",assigned="new",deployment="old",plane="p"} 1' in text
    assert 'changeover_gateway_request_duration_seconds_count{task="mail",side="candidate",plane="p"} 3' in text
    assert 'changeover_gateway_observations_waiting{plane="p"} 3' in text
    assert 'changeover_gateway_observations_lost{plane="p"} 7' in text
    assert 'changeover_gateway_connected{plane="p"} 0' in text


async def test_whichever_worker_is_asked_tells_of_all_and_no_count_ever_falls() -> None:
    shared: dict[str, bytes] = {}
    left, right = Telling("left", shared), Telling("right", shared)
    await left.keep()
    await right.keep()
    told = 0.0
    for turn in range(12):
        (left if turn % 3 else right).reporter.record(SEEN)
        if turn % 4 == 3:
            await left.keep()
        for asked in (left, right):
            found = asked.count("changeover_gateway_requests_total") or 0.0
            assert found >= told, "Prometheus would take a smaller count for a restart"
            told = found
    await left.keep()
    await right.keep()
    assert left.count("changeover_gateway_requests_total") == right.count("changeover_gateway_requests_total") == 12


async def test_a_worker_that_is_gone_is_told_of_no_more() -> None:
    shared: dict[str, bytes] = {}
    left, right = Telling("left", shared), Telling("right", shared)
    await right.keep()
    await left.keep()
    assert left.count("changeover_gateway_connected", "right") == 0
    left.clock.advance(FRESH_S)
    assert left.count("changeover_gateway_connected", "right") is None
    shared["right"] = b"{"
    assert left.count("changeover_gateway_connected", "left") == 0


async def test_a_loopback_that_asks_nobody_for_a_key_tells_whoever_asks() -> None:
    async with Provider(answers) as provider, rig(table_for({"blue": f"http://127.0.0.1:{provider.port}"})) as house:
        house.gateway.tell_metrics(lambda: b"a 1\n")
        assert (await house.ask(request())).status == 200
        answer = await house.ask(SCRAPE, "GET")
        assert (answer.status, answer.body) == (200, b"a 1\n")
        assert dict(answer.headers)[b"content-type"].startswith(b"text/plain; version=0.0.4")


async def test_where_keys_are_asked_for_a_key_for_everything_is_needed() -> None:
    async with Provider(answers) as provider, rig(guarded(provider)) as house:
        house.gateway.tell_metrics(lambda: b"a 1\n")
        assert (await house.ask(SCRAPE, "GET")).status == 401
        scoped = await house.ask(sent(ELSEWHERE, b"", path=b"/metrics", method=b"GET"), "GET")
        assert (scoped.status, code_of(scoped)) == (403, "task_not_allowed")
        assert (await house.ask(sent(OURS, b"", path=b"/metrics", method=b"GET"), "GET")).body == b"a 1\n"
