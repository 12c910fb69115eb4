"""What a key is, and when it is good."""

import hashlib

import msgspec
import pytest

from changeover.adapters.memory import CountingMint
from changeover.adapters.system import SystemMint
from changeover.ports.mint import Mint
from changeover.traffic.keys import SECRET_PREFIX, KeyEntry, Standing, hash_of, is_secret, key_faults
from changeover.traffic.table import RoutingTable, table_faults

NOW = 1_700_000_000.0


def entry(**fields: object) -> KeyEntry:
    values: dict[str, object] = {"id": "k-1", "name": "app", "hash": hash_of(b"s"), "created_at": NOW}
    return KeyEntry(**{**values, **fields})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("mint", [SystemMint(), CountingMint()], ids=["system", "counting"])
def test_every_secret_is_long_url_safe_and_new(mint: Mint) -> None:
    secrets = [SECRET_PREFIX + mint.secret() for _ in range(300)]
    assert len(set(secrets)) == 300
    assert all(is_secret(secret) for secret in secrets)


@pytest.mark.parametrize(
    "weak", ["", "ck-", "ck-" + "a" * 42, "ck-" + "a" * 44, "sk-" + "a" * 43, "ck-" + "ä" * 43, "ck-" + "a" * 42 + "\n"]
)
def test_nothing_shorter_or_otherwise_formed_is_a_secret(weak: str) -> None:
    assert not is_secret(weak)


def test_the_hash_is_sha_256_of_the_whole_secret() -> None:
    assert hash_of(b"ck-x") == hashlib.sha256(b"ck-x").hexdigest()


def test_a_key_is_good_between_its_dates_and_never_after_it_was_revoked() -> None:
    key = entry(not_before_at=NOW, expires_at=NOW + 10)
    assert [key.standing(at) for at in (NOW - 1, NOW, NOW + 9.9, NOW + 10)] == ["early", "good", "good", "expired"]
    assert entry().standing(NOW) is Standing.GOOD
    assert entry(revoked_at=NOW + 5).standing(NOW) is Standing.REVOKED


def test_a_table_with_a_key_under_a_foreign_hash_is_not_served_from() -> None:
    good, other = entry(), entry(id="k-2", hash="00")
    table = RoutingTable(revision=1, routes={}, deployments={}, accounts={}, keys={good.hash: good})
    assert table_faults(table) == []
    assert table_faults(msgspec.structs.replace(table, keys={good.hash: other, "00": other})) == [
        "key k-2: it is not filed under its own SHA-256",
        "key k-2: it is not filed under its own SHA-256",
    ]
    assert key_faults({}) == []


def test_a_table_from_before_there_were_keys_asks_for_none() -> None:
    table = msgspec.json.decode(b'{"revision": 1, "routes": {}, "deployments": {}, "accounts": {}}', type=RoutingTable)
    assert (table.keys, table.keys_required) == ({}, False)
