"""A control plane with a certificate is joined by gateways that trust its CA, and by no others."""

import asyncio
import ssl
from collections.abc import Mapping

import pytest
import trustme
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.adapters.memory import HandClock
from changeover.adapters.plane_link import plane_link_at
from changeover.api.entrance import Door, Entrance
from changeover.api.serve import ControlServer, listen_tcp
from changeover.ports.planes import LinkDownError
from changeover.rollout.token_ring import TokenEntry

TOKEN = "gateways-token-9876543210"


async def _no_newer(_: Request) -> Response:
    return Response(status_code=204)


async def _nobodys() -> Mapping[str, TokenEntry]:
    return {}


def _app() -> Starlette:
    app = Starlette(routes=[Route("/dp/table", _no_newer)])
    door = Door(token="operators-token-0123456789", plane_token=TOKEN, public=True)
    app.add_middleware(Entrance, door=door, tokens=_nobodys, clock=HandClock(0.0))
    return app


def test_gateways_join_by_https_and_verify_whom_they_join() -> None:
    authority, ours = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(ours)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def scenario() -> None:
        server = ControlServer(_app(), listen_tcp("127.0.0.1", 0), tls=ours)
        await server.start()
        try:
            assert server.url.startswith("https://127.0.0.1:")
            async with plane_link_at(url=server.url, token=TOKEN, tls=trusting) as link:
                assert await link.table_after(0, wait_s=0.0) is None
            async with plane_link_at(url=server.url, token="another", tls=trusting) as link:
                with pytest.raises(LinkDownError, match="401"):
                    await link.table_after(0, wait_s=0.0)
            async with plane_link_at(url=server.url, token=TOKEN, tls=ssl.create_default_context()) as link:
                with pytest.raises(LinkDownError, match="certificate verify failed"):
                    await link.table_after(0, wait_s=0.0)
        finally:
            await server.stop()

    asyncio.run(scenario())
