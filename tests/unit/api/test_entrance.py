"""Who is let in, and what every failure looks like."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.api import reading
from changeover.api.bodies import BODY_BYTES_MAX
from changeover.api.closing import closing_of
from changeover.api.entrance import names_loopback
from changeover.ports.store import StoreError
from tests.unit.api.bench import TOKEN, Bench

BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def tcp() -> Iterator[Bench]:
    with Bench(token=TOKEN, host="127.0.0.1:8401") as bench:
        yield bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/nonsense", "/dp/table?after=0", "/api/v1/tasks"])
def test_over_tcp_nothing_is_answered_without_the_token(tcp: Bench, path: str) -> None:
    reply = tcp.get(path)
    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, 'Bearer realm="changeover"')
    error = reply.json()["error"]
    assert error["message"] == "found no token, and this port asks for one"
    assert "CHANGEOVER_TOKEN" in error["hint"]
    assert "changeover token create NAME --role ROLE" in error["hint"]
    assert "/" not in error["hint"], "a stranger learns of no path"
    assert TOKEN not in reply.text


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN, "Bearer \xff\xfe"]
)
def test_a_token_that_is_not_quite_right_is_none(tcp: Bench, header: str) -> None:
    reply = tcp.get("/api/v1/status", authorization=header.encode("latin-1"))  # type: ignore[arg-type]
    assert reply.status_code == 401
    is_sent = header.removeprefix("Bearer ") not in ("", "Bearer", TOKEN, f"Basic {TOKEN}")
    assert reply.json()["error"]["message"].startswith("the token is not the right one" if is_sent else "found no token")


def test_with_the_token_everything_is_answered(tcp: Bench) -> None:
    assert tcp.get("/api/v1/status", **BEARER).status_code == 200
    assert tcp.get("/dp/table?after=0", **BEARER).status_code == 200
    assert tcp.post("/api/v1/tasks/email/split", {"weights": {"old": 90, "new": 10}}, **BEARER).status_code == 200


def test_a_command_without_the_token_changes_nothing(tcp: Bench) -> None:
    assert tcp.post("/api/v1/tasks/email/split", {"weights": {"old": 90, "new": 10}}).status_code == 401
    assert tcp.world.revision == 1


def test_health_needs_no_token(tcp: Bench) -> None:
    assert tcp.get("/healthz").json() == {"status": "ok"}
    assert tcp.get("/readyz").json() == {"status": "ready", "revision": 1}


@pytest.mark.parametrize("path", ["/api/v1/status", "/healthz"])
def test_a_foreign_host_name_is_refused_even_with_the_token(path: str) -> None:
    with Bench(token=TOKEN, host="attacker.example") as bench:
        reply = bench.get(path, **BEARER)
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "host")


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8401", "127.0.0.1", "127.0.0.1:1", "127.8.8.8", "[::1]", "[::1]:8401", "LOCALHOST"]
)
def test_loopback_has_many_names(host: str) -> None:
    assert names_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "example.com",
        "127.0.0.1.example.com",
        "localhost.example.com",
        "10.0.0.1",
        "0.0.0.0",
        "[::1",
        "::1",
        "localhost:x",
        "127.1@evil:80",
    ],
)
def test_other_names_are_not_loopback(host: str) -> None:
    assert not names_loopback(host)


@given(st.text())
def test_any_host_header_is_answered_without_an_exception(host: str) -> None:
    assert names_loopback(host) in (True, False)


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/x-ndjson"]
)
def test_a_form_of_a_foreign_page_cannot_give_orders(bench: Bench, media: str) -> None:
    reply = bench.post_bytes("/api/v1/tasks/email/split", b'{"weights": {"old": 90, "new": 10}}', media)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "content_type")
    assert bench.world.revision == 1


def test_a_body_over_the_limit_is_refused(bench: Bench) -> None:
    reply = bench.post_bytes("/api/v1/scores", b" " * (BODY_BYTES_MAX + 1), "application/json")
    assert (reply.status_code, reply.json()["error"]["code"]) == (413, "too_large")


def test_unknown_fields_of_an_order_are_refused(bench: Bench) -> None:
    reply = bench.post("/api/v1/tasks/email/split", {"weights": {"old": 90, "new": 10}, "because": "typo"})
    assert reply.status_code == 400
    assert "because" in reply.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/", "/api/v1/nonsense", "/api/v1/status/"])
def test_an_unknown_call_is_answered_in_our_shape(bench: Bench, path: str) -> None:
    reply = bench.get(path)
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")


def test_a_wrong_method_is_answered_in_our_shape(bench: Bench) -> None:
    assert bench.post("/api/v1/status").status_code == 405


def test_a_fault_of_ours_reaches_the_caller_without_its_trace(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(reading, "status_view", broken)
    reply = bench.get("/api/v1/status")
    assert (reply.status_code, reply.json()["error"]["code"]) == (500, "internal")
    assert "secret" not in reply.text
    assert "Traceback" not in reply.text


def test_a_store_that_fails_is_said_to_have_failed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(type(bench.store), "world", full)
    reply = bench.get("/api/v1/status")
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "store")


def test_a_stopping_server_is_not_ready(bench: Bench) -> None:
    closing_of(bench.app).set()
    assert bench.get("/readyz").status_code == 503
    assert bench.get("/healthz").status_code == 200


def test_a_token_that_could_be_guessed_is_not_accepted(bench: Bench) -> None:
    with pytest.raises(AssertionError, match="guessable"):
        bench.build(token="short")
