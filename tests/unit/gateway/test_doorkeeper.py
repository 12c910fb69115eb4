"""Who comes in, with what, and who does not."""

import msgspec
import pytest

from changeover.gateway.doorkeeper import ANYONE, Admitted, Doorkeeper, out_of_scope
from changeover.gateway.refusal import Refusal
from changeover.traffic.keys import KeyEntry, hash_of
from changeover.traffic.table import RoutingTable
from changeover.versions.dialect import Dialect

NOW = 1_700_000_000.0
SECRET = "ck-" + "a" * 43
OTHER = "ck-" + "b" * 43


def table(*keys: KeyEntry, required: bool = True) -> RoutingTable:
    return RoutingTable(revision=1, routes={}, deployments={}, accounts={}, keys={key.hash: key for key in keys}, keys_required=required)


def key(**fields: object) -> KeyEntry:
    values: dict[str, object] = {"id": "k-1", "name": "app", "hash": hash_of(SECRET.encode()), "created_at": NOW}
    return KeyEntry(**{**values, **fields})  # pyright: ignore[reportArgumentType]


def door(*keys: KeyEntry, required: bool = True) -> Doorkeeper:
    made = Doorkeeper()
    made.use(table(*keys, required=required))
    return made


def headers(value: str = SECRET, name: str = "authorization") -> dict[bytes, bytes]:
    sent = f"Bearer {value}" if name == "authorization" else value
    return {b"host": b"x", name.encode(): sent.encode()}


def refused(answer: Admitted | Refusal) -> Refusal:
    assert isinstance(answer, Refusal)
    assert (answer.status, answer.code) == (401, "invalid_api_key")
    assert b"www-authenticate: Bearer" in answer.headers
    assert b"x-should-retry: false" in answer.headers
    assert all(SECRET.encode() not in answer.body(dialect) for dialect in Dialect)
    return answer


@pytest.mark.parametrize("name", ["authorization", "api-key", "x-api-key"])
def test_a_key_is_taken_from_every_header_that_an_sdk_uses(name: str) -> None:
    made = door(key(tasks=("email",), default_task="email"))
    for _ in range(2):
        assert made.admit(headers(name=name), NOW) == Admitted("k-1", "email", frozenset({"email"}))


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_the_scheme_is_read_whatever_its_case(scheme: str) -> None:
    assert isinstance(door(key()).admit({b"authorization": scheme.encode() + SECRET.encode()}, NOW), Admitted)


def test_our_key_is_found_beside_what_is_none() -> None:
    assert isinstance(door(key()).admit({b"api-key": b"unused", **headers()}, NOW), Admitted)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        headers(OTHER),
        headers(SECRET[:-1]),
        headers(SECRET + "a"),
        headers("sk-" + "a" * 43),
        headers("unused"),
        {b"authorization": SECRET.encode()[:3]},
        {b"authorization": b"Basic " + SECRET.encode()},
        {b"authorization": b"Bearer " + b"\xff" * 50},
        {b"authorization": b"Bearer"},
        {b"api-key": b""},
    ],
)
def test_whoever_has_no_key_stays_outside(sent: dict[bytes, bytes]) -> None:
    refused(door(key()).admit(sent, NOW))


def test_a_door_without_any_key_lets_nobody_in() -> None:
    refused(door().admit(headers(), NOW))


def test_a_process_that_wants_keys_wants_them_before_its_first_table_and_whatever_it_says() -> None:
    made = Doorkeeper(required=True)
    refused(made.admit({}, NOW))
    made.use(table(key(), required=False))
    refused(made.admit({}, NOW))
    assert isinstance(made.admit(headers(), NOW), Admitted)


def test_where_none_is_asked_for_anything_goes_but_a_key_of_ours_that_is_wrong() -> None:
    assert door(required=False).admit({}, NOW) is ANYONE
    made = door(key(), required=False)
    assert made.admit(headers("unused"), NOW) is ANYONE
    assert made.admit(headers(), NOW) == Admitted("k-1", None, None)
    refused(made.admit(headers(OTHER), NOW))


def test_a_key_opens_between_its_dates_also_when_it_was_seen_before() -> None:
    made = door(key(not_before_at=NOW, expires_at=NOW + 10))
    assert "not good before 2023-11-14 22:13:20 UTC" in refused(made.admit(headers(), NOW - 1)).message
    assert isinstance(made.admit(headers(), NOW), Admitted)
    assert isinstance(made.admit(headers(), NOW + 9), Admitted)
    assert "expired at 2023-11-14 22:13:30 UTC" in refused(made.admit(headers(), NOW + 10)).message


def test_a_revoked_key_opens_nothing_from_the_next_table_on() -> None:
    made = door(key())
    assert isinstance(made.admit(headers(), NOW), Admitted)
    made.use(table())
    refused(made.admit(headers(), NOW))
    made.use(table(key(revoked_at=NOW)))
    assert "was revoked" in refused(made.admit(headers(), NOW)).message


def test_a_key_for_some_tasks_is_for_nothing_else() -> None:
    admitted = Admitted("k-1", None, frozenset({"email", "chat"}))
    assert [admitted.allows(task) for task in ("email", "other", None)] == [True, False, False]
    assert [ANYONE.allows(task) for task in ("email", None)] == [True, True]
    refusal = out_of_scope(admitted, "other")
    assert (refusal.status, refusal.code, refusal.param) == (403, "task_not_allowed", "model")
    assert "it is for: chat, email" in refusal.message
    assert "name no task" in out_of_scope(admitted, None).message


def test_a_refusal_has_the_shape_that_sdks_read() -> None:
    error = msgspec.json.decode(refused(door().admit({}, NOW)).body(Dialect.OPENAI))["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
