"""A cloud of one server: gives tokens as a managed identity's endpoint and as Entra ID do, and is the provider that gets them."""

import json
import ssl
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any, Final, cast
from urllib.parse import parse_qs, urlsplit

IDENTITY_HEADER: Final = "the-secret-of-the-identity-endpoint"
TENANT: Final = "11111111-2222-3333-4444-555555555555"
TOKEN_MARK: Final = "eyJhbGciOiJub25lIn0"
"""With this every token begins: what must be found nowhere but at the provider."""
DEADLINE_S: Final = 30.0
ANSWER: Final = json.dumps(
    {
        "id": "c1",
        "object": "chat.completion",
        "model": "gpt-4o-2024-11-20",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }
).encode()


@dataclass
class Cloud:
    """``life_s``: how long tokens live. ``refusing``: no tokens are given; whoever asks is told a secret, as bad servers do."""

    url: str = ""
    life_s: int = 3600
    refusing: bool = False
    issued: list[str] = field(default_factory=list)
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    bearers: list[str] = field(default_factory=list)
    refused: int = 0
    changed: Condition = field(default_factory=Condition)

    def issue(self, question: dict[str, list[str]]) -> tuple[str, int] | None:
        """The next token and its Unix time of expiry."""
        with self.changed:
            self.asked.append(question)
            self.changed.notify_all()
            if self.refusing:
                self.refused += 1
                return None
            self.issued.append(f"{TOKEN_MARK}.e30.{len(self.issued) + 1}")
            return self.issued[-1], int(time.time()) + self.life_s

    def wait_for(self, what: str) -> None:
        """Until the attribute ``what`` is no longer what it is now."""
        with self.changed:
            before = _size(getattr(self, what))
            assert self.changed.wait_for(lambda: _size(getattr(self, what)) > before, DEADLINE_S), f"{what} did not change"


def _size(value: Any) -> int:
    return value if isinstance(value, int) else len(value)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    cloud: Cloud


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def cloud(self) -> Cloud:
        return cast("_Server", self.server).cloud

    def do_GET(self) -> None:
        """A managed identity's endpoint in the form of App Service."""
        assert self.headers["x-identity-header"] == IDENTITY_HEADER
        found = self.cloud.issue(parse_qs(urlsplit(self.path).query))
        if found is None:
            self._send(400, {"statusCode": 400, "message": f"broken, with access_token={TOKEN_MARK}.e30.leaked"})
        else:
            token, expires_at = found
            self._send(200, {"access_token": token, "expires_on": str(expires_at), "resource": "r", "token_type": "Bearer"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path.endswith("/oauth2/v2.0/token"):
            self._exchange(body)
        else:
            with self.cloud.changed:
                self.cloud.bearers.append(self.headers["authorization"])
                self.cloud.changed.notify_all()
            self._send_bytes(200, ANSWER)

    def _exchange(self, body: bytes) -> None:
        """A token for the token of a workload."""
        found = self.cloud.issue(parse_qs(body.decode()))
        if found is None:
            self._send(401, {"error": "invalid_client", "error_description": f"AADSTS700016: no such application {TOKEN_MARK}.x"})
        else:
            self._send(200, {"access_token": found[0], "expires_in": self.cloud.life_s, "token_type": "Bearer"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Quiet."""

    def _send(self, status: int, body: dict[str, object]) -> None:
        self._send_bytes(status, json.dumps(body).encode())

    def _send_bytes(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running_cloud(*, tls: ssl.SSLContext | None = None) -> Generator[Cloud]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        server.cloud = Cloud(url=f"{scheme}://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="cloud")
        thread.start()
        try:
            yield server.cloud
        finally:
            server.shutdown()
            thread.join()
