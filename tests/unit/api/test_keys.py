"""The calls about keys: a secret leaves once, and is found nowhere afterwards."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from changeover.adapters.memory import MemoryStore
from changeover.api.app import build_app
from changeover.rollout.world import KeyCreated, routing_table
from changeover.traffic.keys import hash_of, is_secret
from tests.unit.api.bench import T0, Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


def create(bench: Bench, **fields: object) -> dict[str, Any]:
    reply = bench.post("/api/v1/keys", {"name": "mail-service", **fields})
    assert reply.status_code == 201, reply.text
    return reply.json()


def test_a_key_is_made_and_its_secret_answered_once(bench: Bench) -> None:
    reply = bench.post("/api/v1/keys", {"name": "mail-service", "tasks": ["email"], "life_s": 60}, **{"x-changeover-actor": "ana"})
    made = reply.json()
    assert reply.headers["cache-control"] == "no-store"
    assert is_secret(made["secret"])
    assert made["key"]["expires_at"] == T0 + 60
    assert list(routing_table(bench.world).keys) == [hash_of(made["secret"].encode())]
    assert made["key"]["id"].startswith("k-")


def test_no_secret_is_in_the_log_the_world_the_table_or_any_later_answer(bench: Bench) -> None:
    first = create(bench, reason="to begin with")
    bench.post(f"/api/v1/keys/{first['key']['id']}/rotate", {"overlap_s": 60})
    bench.delete(f"/api/v1/keys/{first['key']['id']}?reason=old")
    kept = msgspec.json.encode([bench.world, bench.store.changes(), routing_table(bench.world), bench.store.owed(100)])
    said = b"".join(bench.get(path).content for path in ("/api/v1/keys", "/api/v1/events", "/api/v1/status", "/dp/table"))
    assert len(bench.mint.struck) == 2
    for secret in bench.mint.struck:
        assert secret.encode() not in kept + said
    assert b"k-" in said
    assert b'"hash"' not in bench.get("/api/v1/keys").content


def test_keys_are_listed_newest_first_with_how_they_stand(bench: Bench) -> None:
    old = create(bench, life_s=10)
    bench.clock.advance(20)
    new = create(bench, name="batch", delay_s=60)
    listed = bench.get("/api/v1/keys").json()
    assert [(key["id"], key["standing"]) for key in listed["keys"]] == [(new["key"]["id"], "early"), (old["key"]["id"], "expired")]
    assert listed["required"] is False


def test_a_rotated_key_names_the_one_it_replaces(bench: Bench) -> None:
    identity = create(bench, tasks=["email"])["key"]["id"]
    reply = bench.post(f"/api/v1/keys/{identity}/rotate", {"overlap_s": 7 * 86_400.0})
    assert (reply.status_code, reply.json()["replaces"]) == (201, identity)
    assert bench.world.keys[str(identity)].expires_at == T0 + 7 * 86_400.0


def test_a_revoked_key_is_out_of_the_table_that_data_planes_wait_for(bench: Bench) -> None:
    identity = create(bench)["key"]["id"]
    before = bench.world.table_revision
    reply = bench.delete(f"/api/v1/keys/{identity}?reason=leaked")
    assert reply.json()["key"]["standing"] == "revoked"
    assert bench.get(f"/dp/table?after={before}").json()["keys"] == {}
    assert bench.store.changes()[-1].reason == "leaked"
    assert bench.delete(f"/api/v1/keys/{identity}").json()["error"]["code"] == "nothing_to_do"


def test_asking_for_keys_is_turned_on_and_off(bench: Bench) -> None:
    assert bench.post("/api/v1/keys/required", {"required": True}).json()["required"] is True
    assert bench.get("/dp/table").json()["keys_required"] is True
    assert bench.post("/api/v1/keys/required", {"required": True}).status_code == 409
    assert bench.post("/api/v1/keys/required", {"required": False}).json()["required"] is False


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": "a", "secret": "mine"}, 400),
        ({"name": "a", "life_s": "90d"}, 400),
        ({"name": ""}, 422),
        ({"name": "a", "tasks": ["nobody"]}, 404),
        ({"name": "a", "expected_revision": 0}, 409),
    ],
)
def test_what_cannot_be_made_is_refused_without_a_change(bench: Bench, body: dict[str, object], status: int) -> None:
    assert bench.post("/api/v1/keys", body).status_code == status
    assert bench.world.revision == 1


def test_a_key_that_is_not_there_is_not_found(bench: Bench) -> None:
    assert bench.delete("/api/v1/keys/k-0").status_code == 404
    assert bench.post("/api/v1/keys/k-0/rotate", {"overlap_s": 1}).status_code == 404


def test_an_app_without_a_mint_has_none_of_these_calls(bench: Bench) -> None:
    bench.mint.struck.clear()
    plain = build_app(
        office=bench.office,
        assessor=bench.assessor,
        clock=bench.clock,
        dice=bench.app.state.desk.dice,
        declared=bench.app.state.desk.declared,
        gateway_url=lambda: None,
    )
    assert not [route for route in plain.routes if "/keys" in getattr(route, "path", "")]


def test_the_store_takes_a_log_with_keys_and_replays_it(bench: Bench) -> None:
    create(bench)
    assert isinstance(bench.store, MemoryStore)
    assert bench.store.verify() == []
    assert isinstance(bench.store.changes()[-1].body, KeyCreated)
