"""Providers over TLS: their certificate is verified, or nothing is sent."""

import contextlib
import ssl
from collections.abc import AsyncGenerator

import trustme

from changeover.exchange.observation import Outcome
from tests.integration.gateway.rig import ANSWER, DONE, EVENTS, STREAM_REQUEST, Provider, Rig, answers, request, rig, table_for

# Made anew for every run: no key lies in the sources, and none expires there.
AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("127.0.0.1")


@contextlib.asynccontextmanager
async def over_tls(*, host: str = "127.0.0.1", trusted: bool = True) -> AsyncGenerator[tuple[Rig, Provider]]:
    provider_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATE.configure_cert(provider_side)
    gateway_side = ssl.create_default_context()
    if trusted:
        AUTHORITY.configure_trust(gateway_side)
    async with (
        Provider(answers, tls=provider_side) as provider,
        rig(table_for({"blue": f"https://{host}:{provider.port}"}), tls=gateway_side) as house,
    ):
        yield house, provider


async def test_a_provider_with_a_trusted_certificate_is_served_from() -> None:
    async with over_tls() as (house, provider):
        client = await house.client()
        assert (await client.ask(request())).body == ANSWER
        assert (await client.ask(STREAM_REQUEST)).body == b"".join(EVENTS) + DONE
        assert provider.connections == 1


async def test_a_provider_that_nobody_vouches_for_gets_nothing() -> None:
    async with over_tls(trusted=False) as (house, provider):
        answer = await house.ask(request())
        assert (answer.status, answer.error["code"]) == (502, "tls_failed")
        assert (await house.notes.only()).outcome is Outcome.FAILED
        assert provider.received == []


async def test_a_certificate_for_another_host_is_refused() -> None:
    async with over_tls(host="localhost") as (house, provider):
        assert (await house.ask(request())).error["code"] == "tls_failed"
        assert provider.received == []
