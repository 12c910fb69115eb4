"""``PlaneLink`` over HTTP: three calls, each of which either succeeds or says why the link is down."""

import ssl
from pathlib import Path
from typing import Final, Self

import httpx2
import msgspec

from changeover.ports.planes import Acknowledgement, BatchRefusedError, Issuer, LinkDownError, ObservationBatch, ShapeReport
from changeover.traffic.table import RoutingTable

CONNECT_S: Final = 2.0
ANSWER_S: Final = 10.0
"""How long an answer may take beyond the wait that was asked for."""

_OK: Final = 200
_NO_CONTENT: Final = 204
_REFUSED_FOR_GOOD: Final = frozenset({400, 413, 422})
_EXCERPT: Final = 200
_JSON: Final = {"content-type": "application/json"}
_LOCAL: Final = "http://control"
"""What the Host header says on a Unix socket, where there is no host."""


class HttpPlaneLink:
    """Speaks to the control plane through ``client``, whose ``base_url`` and credentials are set."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def table_after(self, revision: int, *, wait_s: float) -> RoutingTable | None:
        """See ``PlaneLink``. An answer that is no routing table counts as a link that is down."""
        answer = await self._send(
            self._client.build_request(
                "GET",
                "/dp/table",
                params={"after": str(revision), "wait": str(wait_s)},
                timeout=httpx2.Timeout(wait_s + ANSWER_S, connect=CONNECT_S),
            )
        )
        if answer.status_code == _NO_CONTENT:
            return None
        _expect_ok(answer)
        try:
            return msgspec.json.decode(answer.content, type=RoutingTable)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LinkDownError(f"GET /dp/table: found an answer that is no routing table of this release: {error}") from error

    async def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """See ``PlaneLink``."""
        _expect_ok(await self._post("/dp/ack", msgspec.json.encode(acknowledgement)))

    async def deliver(self, batch: ObservationBatch) -> None:
        """See ``PlaneLink``. A batch that was taken before counts as delivered."""
        answer = await self._post("/dp/observations", msgspec.json.encode(batch))
        if answer.status_code in _REFUSED_FOR_GOOD:
            raise BatchRefusedError(_described(answer))
        _expect_ok(answer)

    async def tell_shapes(self, report: ShapeReport) -> None:
        """See ``PlaneLink``."""
        _expect_ok(await self._post("/dp/shapes", msgspec.json.encode(report)))

    async def issuer(self, response: str) -> Issuer | None:
        """See ``PlaneLink``. An answer that names nobody counts as a link that is down."""
        answer = await self._send(self._client.build_request("GET", "/dp/issuer", params={"response": response}))
        if answer.status_code == _NO_CONTENT:
            return None
        _expect_ok(answer)
        try:
            return msgspec.json.decode(answer.content, type=Issuer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LinkDownError(f"GET /dp/issuer: found an answer that names no issuer: {error}") from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _post(self, path: str, body: bytes) -> httpx2.Response:
        return await self._send(self._client.build_request("POST", path, content=body, headers=_JSON))

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await self._client.send(request)
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise LinkDownError(f"{request.method} {request.url.path}: {type(error).__name__} {error}".rstrip()) from error


def plane_link_at(
    *, socket: Path | None = None, url: str | None = None, token: str | None = None, tls: ssl.SSLContext | None = None
) -> HttpPlaneLink:
    """A link to the control plane that listens on the Unix ``socket``, or else at ``url`` with ``token`` as its bearer; its
    certificate is verified by ``tls``, or as is usual here.
    """
    if socket is not None:
        transport = httpx2.AsyncHTTPTransport(uds=str(socket), trust_env=False)
        return HttpPlaneLink(httpx2.AsyncClient(transport=transport, base_url=_LOCAL, timeout=_timeout(), headers=_bearer(token)))
    if url is None:
        raise ValueError("found neither a socket nor a URL of the control plane; give one of them")
    # Proxies from the environment are for the outside world, not for the way to our own control plane.
    verify = True if tls is None else tls
    return HttpPlaneLink(httpx2.AsyncClient(base_url=url, timeout=_timeout(), headers=_bearer(token), trust_env=False, verify=verify))


def _timeout() -> httpx2.Timeout:
    return httpx2.Timeout(ANSWER_S, connect=CONNECT_S)


def _bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"authorization": f"Bearer {token}"}


def _expect_ok(answer: httpx2.Response) -> None:
    if answer.status_code != _OK:
        raise LinkDownError(_described(answer))


def _described(answer: httpx2.Response) -> str:
    return f"{answer.request.method} {answer.request.url.path}: found status {answer.status_code}, expected 200: {answer.text[:_EXCERPT]}"
