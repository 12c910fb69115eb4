"""What the fuzzers begin with: the corpora of the tests, as short as they go, and the parts they are made of."""

from typing import Final

from tests.integration.gateway.rig import CHUNKED_JSON_HEAD, EVENTS, LAST_CHUNK, STREAM_HEAD, STREAM_REQUEST, chunk, request, whole
from tests.integration.gateway.test_replies import UNREADABLE
from tests.integration.gateway.test_request_corpus import BODY, CHUNKS, CODED, LENGTH, REFUSED, SERVED
from tests.unit.wire.response_streams import RESPONSE_STREAMS
from tests.unit.wire.streams import STREAMS as CHAT_STREAMS

LONGEST: Final = 1000

_TRAILED: Final = CHUNKS[:-2] + b"X-T: 1\r\n\r\n"
_DOCUMENT: Final = b'{"choices":[]}'

REQUESTS: Final[list[bytes]] = [
    *(data for data in SERVED.values() if len(data) < LONGEST),
    *(data for data, _ in REFUSED.values() if len(data) < LONGEST),
    request() + STREAM_REQUEST,
    SERVED["chunks"].replace(CHUNKS, _TRAILED) + request(),
    b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n" * 3,
    b"\r\n\r\n" + request(),
    request(extra=b"Expect: 100-continue\r\n"),
    request(extra=b"Connection: close\r\n") + request(),
    # Found by fuzzing.
    b"GET /v1/models HTTP/1.1\r\nHos:t x\r\n\r\n" + b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET   /v1/models   HTTP/1.1\r\nHost: x\r\n\r\n" * 2,
    SERVED["chunks"].replace(CHUNKS, _TRAILED.replace(b"X-T", b"Connection")) + request(),
]

ANSWERS: Final[list[bytes]] = [
    *(data for data in UNREADABLE.values() if len(data) < LONGEST),
    whole(_DOCUMENT),
    whole(_DOCUMENT) + whole(b"{}"),
    whole(b"", status=b"204 No Content"),
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\netag: 1\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" + whole(_DOCUMENT),
    b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 2 + whole(_DOCUMENT),
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + _DOCUMENT,
    b"HTTP/1.0 200 OK\r\ncontent-length: 14\r\n\r\n" + _DOCUMENT,
    whole(_DOCUMENT, extra=b"Connection: close\r\n"),
    CHUNKED_JSON_HEAD + chunk(_DOCUMENT[:5]) + chunk(_DOCUMENT[5:]) + LAST_CHUNK,
    CHUNKED_JSON_HEAD + chunk(_DOCUMENT) + b"0\r\nX-T: 1\r\n\r\n",
    CHUNKED_JSON_HEAD + b"e;a=b\r\n" + _DOCUMENT + b"\r\n" + LAST_CHUNK + b"junk",
    STREAM_HEAD + chunk(EVENTS[0][:40]) + LAST_CHUNK,
    # Found by fuzzing.
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: x\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(_DOCUMENT) + LAST_CHUNK,
    CHUNKED_JSON_HEAD + chunk(_DOCUMENT) + b"0\r\ntransfer-encoding: x\r\n\r\n",
    CHUNKED_JSON_HEAD + chunk(_DOCUMENT) + b"0\r\nx-t: HTTP/1.1 200 OK\r\n\r\n\r\n",
    b"\r\nHTTP/1.1 100 C\r\n\r\n\r\n\r\n" + whole(_DOCUMENT),
    whole(_DOCUMENT, status=b"200 \x00OK"),
]

REQUEST_PARTS: Final[list[bytes]] = [
    b"POST /v1/chat/completions HTTP/1.1\r\n", b"GET /v1/models HTTP/1.1\r\n", b"POST /v1/chat/completions HTTP/1.0\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"Host: x\r\n", LENGTH, CODED, b"Content-Length: 5\r\n", b"Content-Length: 0\r\n",
    b"Transfer-Encoding: ", b"chunked", b"identity", b", ", b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b";", b"0", b"0\r\n\r\n",
    b"5\r\nabcde\r\n",
    BODY, CHUNKS, b"Connection: close\r\n", b"Connection: upgrade\r\nUpgrade: h2c\r\n", b"Expect: 100-continue\r\n", b"X-A: b\r\n", b"\x00",
    b"\x7f", b"\x0b", b"\xc3\xa9", b"HTTP/1.1", b"http://evil", b"CONNECT x:1 HTTP/1.1\r\n", b"OPTIONS * HTTP/1.1\r\n", b"ffffffffffffffff",
]  # fmt: skip
REPLY_PARTS: Final[list[bytes]] = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 204 No Content\r\n", b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 X\r\n\r\n", b"HTTP/1.1 304 X\r\n", b"content-length: 14\r\n", b"content-length: 0\r\n",
    b"transfer-encoding: chunked\r\n",
    b"transfer-encoding: ", b"chunked", b"identity", b"gzip", b", ", b"\r\n", b"\n", b"\r", b" ", b":", b";", b"0\r\n\r\n", b"e\r\n",
    _DOCUMENT,
    b"connection: close\r\n", b"connection: keep-alive\r\n", b"x-a: b\r\n", b"\x00", b"\x7f", b"\x0b", b"\xff", b"0\r\nx-t: 1\r\n\r\n",
]  # fmt: skip

STREAMS: Final[list[bytes]] = [stream.body for stream in (*CHAT_STREAMS, *RESPONSE_STREAMS) if len(stream.body) < LONGEST]
STREAM_PARTS: Final[list[bytes]] = [
    b"data: ", b"data:", b"event: ", b"event: error", b"\n", b"\n\n", b"\r\n\r\n", b"\r", b": ", b"[DONE]", b'"usage":{"prompt_tokens":1}',
    b'{"choices":[],', b'"choices":[{"delta":{"content":"x"}}]', b'"error":{"code":"x"}', b'"filtered":true', b'"finish_reason":"stop"',
    b"response.completed", b"\xef\xbb\xbf", b"\xff", b"{", b"}", b",", b'"',
]  # fmt: skip

SCRIPTS: Final[list[bytes]] = [
    bytes([0, 0, 2, 0, 4, 255, 0, 4, 2, 1, 4, 30, 4, 255]),
    bytes([0, 0, 0, 1, 0, 2, 2, 7, 2, 9, 4, 255, 0, 3, 2, 3, 4, 255]),
    bytes([0, 12, 1, 13, 2, 1, 4, 90, 7, 8, 4, 90, 6, 0, 0, 0, 5, 1]),
    bytes(range(60)),
    bytes([0, 0, 0, 0, 2, 17, 4, 255, 7, 8, 4, 255, 7, 0, 4, 255, 2, 8, 4, 255]),
]
"""For a crowd: two bytes a step."""
