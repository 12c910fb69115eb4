"""Providers behind a forward proxy, and private authorities."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from changeover.gateway.egress import Egress, EgressError, egress_from
from changeover.gateway.limits import Limits
from tests.integration.gateway.houses import endpoint
from tests.integration.gateway.rig import ANSWER, DONE, EVENTS, STREAM_REQUEST, Provider, answers, request, rig, table_for

AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("127.0.0.1")


@dataclass
class ForwardProxy:
    """Tunnels what it is asked to, or says ``answer`` instead."""

    answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n"
    heads: list[bytes] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            writer.write(self.answer)
            if b" 200 " in self.answer:
                host, _, port = head.split(b" ")[1].rpartition(b":")
                onward = await asyncio.open_connection(host.decode(), int(port))
                await asyncio.gather(pump(reader, onward[1]), pump(onward[0], writer))
        writer.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


@contextlib.asynccontextmanager
async def proxying(proxy: ForwardProxy) -> AsyncGenerator[ForwardProxy]:
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()


def tls_provider() -> Provider:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATE.configure_cert(context)
    return Provider(answers, tls=context)


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


def through(proxy: ForwardProxy, **more: str) -> Egress:
    url = f"http://me:secret@127.0.0.1:{proxy.port}"
    return egress_from({"http_proxy": url, "https_proxy": url, **more})


async def test_a_provider_is_reached_through_a_tunnel_that_the_proxy_cannot_look_into() -> None:
    async with proxying(ForwardProxy()) as proxy, tls_provider() as provider:
        table = table_for({"blue": f"https://127.0.0.1:{provider.port}"})
        async with rig(table, tls=trusting(), egress=through(proxy)) as house:
            client = await house.client()
            assert (await client.ask(request())).body == ANSWER
            assert (await client.ask(STREAM_REQUEST)).body == b"".join(EVENTS) + DONE
            assert len(proxy.heads) == provider.connections == 1, "a tunnel is kept like any connection"
            assert proxy.heads[0].startswith(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n" % provider.port)
            assert b"proxy-authorization: Basic bWU6c2VjcmV0\r\n" in proxy.heads[0]
            assert b"api-key" not in proxy.heads[0]
            assert b"proxy-authorization" not in provider.received[0].names


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 " + b"a" * 40_000]
)
async def test_a_proxy_that_opens_no_tunnel_is_named_as_the_reason(said: bytes) -> None:
    async with proxying(ForwardProxy(answer=said)) as proxy, tls_provider() as provider:
        table = table_for({"blue": f"https://127.0.0.1:{provider.port}"})
        async with rig(table, tls=trusting(), egress=through(proxy)) as house:
            answer = await house.ask(request())
            assert (answer.status, answer.error["code"]) == (502, "proxy_refused")
            assert f"127.0.0.1:{proxy.port}" in answer.error["message"]
            assert "secret" not in answer.error["message"]
            assert provider.received == []


async def test_a_plain_provider_is_asked_for_by_its_whole_address() -> None:
    async with Provider(answers) as proxy:
        egress = egress_from({"http_proxy": f"http://127.0.0.1:{proxy.port}"})
        async with rig(table_for({"blue": "http://plain.example"}), egress=egress) as house:
            assert (await house.ask(request())).body == ANSWER
            assert proxy.received[0].line.startswith(b"POST http://plain.example/openai/deployments/blue/chat/completions?")
            assert proxy.received[0].names[b"host"] == b"plain.example"


async def test_no_proxy_is_the_straight_way() -> None:
    async with (
        proxying(ForwardProxy()) as proxy,
        Provider(answers) as provider,
        rig(table_for({"blue": endpoint(provider)}), egress=through(proxy, no_proxy="127.0.0.0/8")) as house,
    ):
        assert (await house.ask(request())).body == ANSWER
        assert proxy.heads == []


async def test_a_private_authority_is_trusted_when_its_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    async with tls_provider() as provider:
        table = table_for({"blue": f"https://127.0.0.1:{provider.port}"})
        async with rig(table, egress=egress_from({}, ca_file=str(path))) as house:
            assert (await house.ask(request())).body == ANSWER


async def test_a_file_of_authorities_that_is_none_is_refused_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    with pytest.raises(EgressError, match="PEM"):
        async with rig(egress=egress_from({}, ca_file=str(path))):
            pass


async def test_a_busy_connection_is_replaced_in_time_so_that_a_new_address_is_found() -> None:
    async with Provider(answers) as provider, rig(table_for({"blue": endpoint(provider)}), limits=Limits(connection_age_s=0.0)) as house:
        client = await house.client()
        for _ in range(3):
            assert (await client.ask(request())).body == ANSWER
        assert provider.connections == 3
