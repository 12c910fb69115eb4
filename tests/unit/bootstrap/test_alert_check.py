"""What a running server could not deliver stands in the doctor's report."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.alert_answers import AlertsAnswer
from changeover.api.serve import ControlServer, listen_unix
from changeover.bootstrap.alert_check import check_deliveries
from changeover.ports.alerts import DestinationStanding
from changeover.ports.examination import Finding, Health
from changeover.ports.serving import ServerRecord


def standing(name: str, *, waiting: int = 0, given_up: int = 0, problem: str = "") -> DestinationStanding:
    return DestinationStanding(name=name, topics=("paused",), waiting=waiting, delivered=3, given_up=given_up, problem=problem)


def record(path: Path) -> ServerRecord:
    return ServerRecord(pid=1, gateway=None, control="http://127.0.0.1:1", socket=str(path), started_at=0.0)


def findings(path: Path, answer: Callable[[], bytes]) -> list[Finding]:
    """What is found of a server that answers so."""

    async def listing(_: Request) -> Response:
        return Response(answer())

    async def scenario() -> list[Finding]:
        server = ControlServer(Starlette(routes=[Route("/api/v1/alerts", listing)]), listen_unix(path))
        await server.start()
        try:
            return await asyncio.to_thread(check_deliveries, record(path))
        finally:
            await server.stop()

    return asyncio.run(scenario())


def test_only_destinations_with_something_undelivered_are_named(tmp_path: Path) -> None:
    answer = AlertsAnswer(
        destinations=(
            standing("webhook env:WELL"),
            standing("webhook env:SLOW", waiting=2, problem="it answered 500"),
            standing("apprise env:LOST", given_up=1),
        )
    )
    found = findings(tmp_path / "s", lambda: msgspec.json.encode(answer))
    assert [(each.about, each.health) for each in found] == [
        ("alerts to webhook env:SLOW", Health.WARN),
        ("alerts to apprise env:LOST", Health.WARN),
    ]
    assert "2 wait, 0 were given up since the server's start: it answered 500" in found[0].found


@pytest.mark.parametrize("answer", [b"", b"{}", b"<html>"])
def test_a_server_that_answers_something_else_is_left_to_other_checks(tmp_path: Path, answer: bytes) -> None:
    assert findings(tmp_path / "s", lambda: answer) == []


def test_without_a_server_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert check_deliveries(None) == []
    assert check_deliveries(record(tmp_path / "nobody")) == []
