"""Gateways of other machines come in by a token of their own, and by no other door."""

import asyncio
from collections.abc import Mapping

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from changeover.adapters.memory import HandClock
from changeover.api.entrance import Door, Entrance
from changeover.rollout.token_ring import TokenEntry

OURS, THEIRS = "operators-token-0123456789", "gateways-token-9876543210"


async def _said(_: Request) -> Response:
    return PlainTextResponse("in")


async def _nobodys() -> Mapping[str, TokenEntry]:
    return {}


APP = Starlette(routes=[Route(path, _said) for path in ("/api/v1/status", "/dp/table", "/metrics", "/healthz")])


def status(path: str, token: str | None, *, public: bool, host: str = "127.0.0.1") -> int:
    door = Door(token=OURS, plane_token=THEIRS, public=public)
    app = Entrance(APP, door=door, tokens=_nobodys, clock=HandClock(0.0))
    headers = {} if token is None else {"authorization": f"Bearer {token}"}

    async def ask() -> int:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=f"http://{host}") as client:
            return (await client.get(path, headers=headers)).status_code

    return asyncio.run(ask())


@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize(
    ("path", "token", "expected"),
    [
        ("/dp/table", THEIRS, 200), ("/dp/table", OURS, 200), ("/dp/table", None, 401),
        ("/api/v1/status", THEIRS, 401), ("/api/v1/status", OURS, 200), ("/healthz", None, 200), ("/metrics", THEIRS, 200),
    ],
)  # fmt: skip
def test_the_gateways_token_opens_their_calls_alone(path: str, token: str | None, expected: int, public: bool) -> None:
    assert status(path, token, public=public) == expected


def test_on_a_loopback_the_numbers_need_no_token_and_elsewhere_they_do() -> None:
    assert status("/metrics", None, public=False) == 200
    assert status("/metrics", None, public=True) == 401


def test_a_public_port_has_a_name_of_its_own_and_a_local_one_has_not() -> None:
    assert status("/dp/table", THEIRS, public=True, host="control.internal") == 200
    assert status("/dp/table", THEIRS, public=False, host="control.internal") == 400
