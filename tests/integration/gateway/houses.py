"""Gateways whose tasks have somebody to fail over to. No test runs here."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from changeover.gateway.limits import Limits
from changeover.traffic.table import RoutingTable
from tests.integration.gateway.rig import Behaviour, Provider, Rig, answers, rig, table_for


def endpoint(provider: Provider) -> str:
    return f"http://127.0.0.1:{provider.port}"


def with_route(table: RoutingTable, **changes: Any) -> RoutingTable:
    """``table`` with its one route changed."""
    route = msgspec.structs.replace(table.routes["summarise"], **changes)
    return msgspec.structs.replace(table, routes={"summarise": route})


def failing_over(endpoints: dict[str, str], **changes: Any) -> RoutingTable:
    """The first endpoint is the stable, the rest are its failover."""
    first, *rest = endpoints
    return with_route(table_for(endpoints), **{"candidate": None, "stable": first, "failover": tuple(rest), **changes})


@contextlib.asynccontextmanager
async def pair(
    blue: Behaviour, spare: Behaviour = answers, *, limits: Limits | None = None, **changes: Any
) -> AsyncGenerator[tuple[Rig, Provider, Provider]]:
    """A task on ``blue`` with ``spare`` behind it."""
    async with Provider(blue) as first, Provider(spare) as second:
        table = failing_over({"blue": endpoint(first), "spare": endpoint(second)}, **changes)
        async with rig(table, limits=limits) as house:
            yield house, first, second


@contextlib.asynccontextmanager
async def trial(
    green: Behaviour, blue: Behaviour = answers, *, limits: Limits | None = None, **changes: Any
) -> AsyncGenerator[tuple[Rig, Provider, Provider]]:
    """A task whose whole traffic is the candidate's, ``green``, with the stable ``blue`` behind it."""
    async with Provider(blue) as first, Provider(green) as second:
        table = with_route(table_for({"blue": endpoint(first), "green": endpoint(second)}, permille=1000), **changes)
        async with rig(table, limits=limits) as house:
            yield house, second, first
