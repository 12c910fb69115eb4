"""Keys change by committed changes; no secret comes near them."""

import msgspec
import pytest

from changeover.rollout import key_ring
from changeover.rollout.commands import NothingToDo, Order, Refusal
from changeover.rollout.key_commands import (
    KEYS_MAX,
    KeyRequest,
    Rotation,
    create_key,
    require_keys,
    revoke_key,
    rotate_key,
)
from changeover.rollout.key_ring import live_keys
from changeover.rollout.world import World, apply, routing_table
from changeover.traffic.keys import Standing, hash_of
from tests.unit.rollout.builders import T0, change_of, committed, seeded

ORDER = Order(actor="ana", reason="because")
DAY = 86_400.0


def wanted(number: int = 1, **fields: object) -> KeyRequest:
    values: dict[str, object] = {"id": f"k-{number}", "hash": hash_of(f"secret {number}".encode()), "name": "app"}
    return KeyRequest(**{**values, **fields})  # pyright: ignore[reportArgumentType]


def with_key(number: int = 1, *, world: World | None = None, now: float = T0, **fields: object) -> World:
    before = world or seeded()
    return committed(before, create_key(before, wanted(number, **fields), order=ORDER, now=now), at=now)


def test_a_new_key_reaches_the_data_planes_with_the_next_table() -> None:
    before = seeded()
    world = with_key(tasks=("email", "email"), life_s=DAY)
    table = routing_table(world)
    (key,) = table.keys.values()
    assert table.revision == world.revision == before.revision + 1
    assert (key.id, key.tasks, key.default_task, key.expires_at) == ("k-1", ("email",), "email", T0 + DAY)
    assert table.keys == {hash_of(b"secret 1"): key}


def test_a_key_for_several_tasks_has_the_default_it_is_given_or_none() -> None:
    assert with_key(tasks=("email", "chat")).keys["k-1"].default_task is None
    assert with_key(tasks=("email", "chat"), default_task="chat").keys["k-1"].default_task == "chat"
    assert with_key(default_task="chat").keys["k-1"].tasks == ()


def test_a_key_may_begin_to_be_good_later_and_lives_from_then() -> None:
    key = with_key(delay_s=DAY, life_s=DAY).keys["k-1"]
    assert (key.not_before_at, key.expires_at) == (T0 + DAY, T0 + 2 * DAY)


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"name": "  "}, "invalid", "expected 1 to 100 printable"),
        ({"name": "x" * 101}, "invalid", "101 characters"),
        ({"name": "a\nb"}, "invalid", "printable"),
        ({"tasks": ("mail",)}, "not_found", "there is no task mail"),
        ({"default_task": "mail"}, "not_found", "there is no task mail"),
        ({"tasks": ("email",), "default_task": "chat"}, "invalid", "not among the key's tasks"),
        ({"life_s": 0.0}, "invalid", "a life of 0 s"),
        ({"life_s": float("nan")}, "invalid", "nan"),
        ({"delay_s": -1.0}, "invalid", "a delay of -1 s"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(fields: dict[str, object], code: str, words: str) -> None:
    with pytest.raises(Refusal, match=words) as refused:
        create_key(seeded(), wanted(1, **fields), order=ORDER, now=T0)
    assert refused.value.code == code


def test_the_same_id_or_secret_is_not_made_twice() -> None:
    world = with_key()
    for twin in (wanted(1, hash=hash_of(b"other")), wanted(2, hash=hash_of(b"secret 1"))):
        with pytest.raises(Refusal, match="exists already"):
            create_key(world, twin, order=ORDER, now=T0)


def test_there_is_an_end_to_how_many_keys_are_in_use() -> None:
    world = seeded()
    key = with_key().keys["k-1"]
    many = {f"k-{n}": msgspec.structs.replace(key, id=f"k-{n}", hash=hash_of(f"{n}".encode())) for n in range(KEYS_MAX)}
    with pytest.raises(Refusal, match="limit"):
        create_key(msgspec.structs.replace(world, keys=many), wanted(5000), order=ORDER, now=T0)


def test_a_revoked_key_is_gone_from_the_table_in_the_same_revision_and_kept_in_the_world() -> None:
    world = with_key()
    after = committed(world, revoke_key(world, key_id="k-1", order=ORDER, now=T0 + 5), at=T0 + 5)
    table = routing_table(after)
    assert (table.keys, table.revision) == ({}, after.revision)
    assert after.keys["k-1"].standing(T0) is Standing.REVOKED
    with pytest.raises(NothingToDo, match="revoked already"):
        revoke_key(after, key_id="k-1", order=ORDER, now=T0)


def test_a_rotated_key_and_its_successor_are_both_good_for_the_overlap() -> None:
    world = with_key(tasks=("email",), life_s=90 * DAY)
    now = T0 + 80 * DAY
    after = committed(
        world, rotate_key(world, Rotation(key_id="k-1", id="k-2", hash=hash_of(b"2"), overlap_s=7 * DAY), order=ORDER, now=now), at=now
    )
    old, new = after.keys["k-1"], after.keys["k-2"]
    assert (new.name, new.tasks, new.default_task) == (old.name, old.tasks, old.default_task)
    assert (old.expires_at, new.expires_at) == (now + 7 * DAY, now + 90 * DAY)
    assert [(old.standing(at), new.standing(at)) for at in (now, now + 7 * DAY)] == [("good", "good"), ("expired", "good")]


def test_an_overlap_never_makes_a_key_live_longer() -> None:
    world = with_key(life_s=DAY)
    after = committed(
        world, rotate_key(world, Rotation(key_id="k-1", id="k-2", hash=hash_of(b"2"), overlap_s=7 * DAY), order=ORDER, now=T0)
    )
    assert after.keys["k-1"].expires_at == T0 + DAY


def test_a_key_without_an_end_has_a_successor_without_one() -> None:
    world = with_key()
    after = committed(world, rotate_key(world, Rotation(key_id="k-1", id="k-2", hash=hash_of(b"2"), overlap_s=0.0), order=ORDER, now=T0))
    assert after.keys["k-2"].expires_at is None
    assert after.keys["k-1"].standing(T0) is Standing.EXPIRED


def test_a_key_that_nobody_uses_is_not_rotated() -> None:
    world = with_key(life_s=DAY)
    rotation = Rotation(key_id="k-1", id="k-2", hash=hash_of(b"2"), overlap_s=1.0)
    with pytest.raises(Refusal, match="k-1 is expired"):
        rotate_key(world, rotation, order=ORDER, now=T0 + 2 * DAY)
    with pytest.raises(Refusal, match="there is no key 'k-9'"):
        rotate_key(world, msgspec.structs.replace(rotation, key_id="k-9"), order=ORDER, now=T0)
    with pytest.raises(Refusal, match="an overlap of -1 s"):
        rotate_key(world, msgspec.structs.replace(rotation, overlap_s=-1.0), order=ORDER, now=T0)


def test_asking_for_keys_moves_the_table_once() -> None:
    world = seeded()
    after = committed(world, require_keys(world, required=True, order=ORDER))
    assert routing_table(after).keys_required
    assert after.table_revision == after.revision
    with pytest.raises(NothingToDo):
        require_keys(after, required=True, order=ORDER)


def test_a_command_decided_on_an_older_revision_is_stale() -> None:
    order = Order(actor="ana", reason="", expected_revision=0)
    with pytest.raises(Refusal) as refused:
        create_key(seeded(), wanted(), order=order, now=T0)
    assert refused.value.code == "stale"


def test_dead_keys_are_forgotten_the_oldest_first_and_live_ones_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_ring, "DEAD_KEPT", 2)
    world = with_key(100)
    for number in range(5):
        now = T0 + number
        world = with_key(number, world=world, now=now)
        world = committed(world, revoke_key(world, key_id=f"k-{number}", order=ORDER, now=now), at=now)
    world = with_key(200, world=world, now=T0 + 50)
    assert sorted(world.keys) == ["k-100", "k-200", "k-3", "k-4"]
    assert [key.id for key in live_keys(world.keys, T0 + 50)] == ["k-100", "k-200"]


def test_replaying_the_changes_rebuilds_the_keys() -> None:
    world = seeded()
    log = [change_of(world, create_key(world, wanted(), order=ORDER, now=T0))]
    world = apply(world, log[-1])
    log.append(change_of(world, rotate_key(world, Rotation(key_id="k-1", id="k-2", hash=hash_of(b"2"), overlap_s=1), order=ORDER, now=T0)))
    world = apply(world, log[-1])
    log.append(change_of(world, revoke_key(world, key_id="k-2", order=ORDER, now=T0)))
    world = apply(world, log[-1])
    replayed = seeded()
    for change in msgspec.json.decode(msgspec.json.encode(log), type=list[type(log[0])]):
        replayed = apply(replayed, change)
    assert replayed == world


def test_a_world_from_before_there_were_keys_can_be_read() -> None:
    old = {name: value for name, value in msgspec.to_builtins(seeded()).items() if name not in NEW}
    assert msgspec.convert(old, World) == seeded()


NEW = {"keys", "keys_required", "drifts", "fingerprints"}
