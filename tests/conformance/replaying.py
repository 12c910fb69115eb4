"""An upstream that plays recordings: the prompt names one, and its bytes come as they were recorded."""

import json
import socket
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

from tests.conformance.recordings import RECORDINGS, Recording

_END: Final = b"data: [DONE]"


class Replaying(BaseHTTPRequestHandler):
    """Anything that is posted is answered with the recording named by its last message."""

    protocol_version = "HTTP/1.1"
    wbufsize = 0

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self._play(RECORDINGS[body["messages"][-1]["content"]], with_usage=_wants_usage(body))

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Quiet."""

    def _play(self, recording: Recording, *, with_usage: bool) -> None:
        pieces = _with_usage(recording) if with_usage and recording.usage else recording.pieces
        self.send_response(recording.status)
        self.send_header("content-type", recording.content_type)
        for name, value in recording.headers:
            self.send_header(name, value)
        match recording.framing:
            case "length":
                self.send_header("content-length", str(sum(map(len, pieces))))
            case "chunked":
                self.send_header("transfer-encoding", "chunked")
            case _:
                self.send_header("connection", "close")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if recording.framing == "chunked" else piece)
        if recording.framing == "chunked":
            self.wfile.write(b"0\r\n\r\n")


def _wants_usage(body: dict[str, Any]) -> bool:
    return bool((body.get("stream_options") or {}).get("include_usage"))


def _with_usage(recording: Recording) -> tuple[bytes, ...]:
    """The recording's pieces, with the usage event before the end; where the pieces cut through the end, all in one."""
    for index, piece in enumerate(recording.pieces):
        if piece.startswith(_END):
            return (*recording.pieces[:index], recording.usage, *recording.pieces[index:])
    before, end, after = recording.body.rpartition(_END)
    return (before + recording.usage + end + after,)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that leaves is no fault here."""


@contextmanager
def replaying() -> Generator[str]:
    """The URL of a running upstream."""
    with _Server(("127.0.0.1", 0), Replaying) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="replaying")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
