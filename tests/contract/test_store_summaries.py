"""What every store promises about closed blocks."""

import pytest

from changeover.ports.store import Store, StoreError


def save(
    store: Store, block: int, body: bytes = b"{}", units: tuple[str, ...] = (), *, stream: str = "outcomes", rollout: str = "r-1"
) -> None:
    store.save_summary(rollout=rollout, stream=stream, block=block, body=body, units=units)


def enrolled(store: Store, *units: str, stream: str = "outcomes", rollout: str = "r-1") -> set[str]:
    return store.enrolled(rollout=rollout, stream=stream, units=units)


def test_summaries_come_back_in_the_order_of_their_blocks(store: Store) -> None:
    for block in (0, 2, 1, 10):
        save(store, block, f"block {block} \xff".encode("latin-1"))
    assert list(store.summaries(rollout="r-1", stream="outcomes")) == [
        (block, f"block {block} \xff".encode("latin-1")) for block in (0, 1, 2, 10)
    ]
    assert [block for block, _ in store.summaries(rollout="r-1", stream="outcomes", after=1)] == [2, 10]


def test_rollouts_and_streams_are_apart(store: Store) -> None:
    save(store, 0, b"a", ("u",))
    save(store, 0, b"b", ("u",), stream="scores")
    save(store, 0, b"c", ("u",), rollout="r-2")
    assert list(store.summaries(rollout="r-1", stream="scores")) == [(0, b"b")]
    assert list(store.summaries(rollout="r-3", stream="scores")) == []
    assert enrolled(store, "u", rollout="r-3") == set()


def test_a_block_is_written_once(store: Store) -> None:
    save(store, 0, b"first", ("u",))
    with pytest.raises(StoreError, match="block 0 of outcomes of rollout r-1 is closed with another summary"):
        save(store, 0, b"second", ("v",))
    assert list(store.summaries(rollout="r-1", stream="outcomes")) == [(0, b"first")]
    assert enrolled(store, "u", "v") == {"u"}


def test_writing_the_same_block_again_does_nothing(store: Store) -> None:
    save(store, 0, b"first", ("u",))
    save(store, 0, b"first", ("u",))
    assert list(store.summaries(rollout="r-1", stream="outcomes")) == [(0, b"first")]


def test_units_are_enrolled_with_their_block(store: Store) -> None:
    save(store, 0, units=("a", "b"))
    save(store, 1, units=("c",))
    assert enrolled(store, "a", "c", "x") == {"a", "c"}
    assert enrolled(store) == set()


@pytest.mark.parametrize("units", [("b", "a"), ("c", "c")])
def test_a_unit_is_enrolled_once_or_its_block_is_not_written(store: Store, units: tuple[str, ...]) -> None:
    save(store, 0, units=("a",))
    with pytest.raises(StoreError, match="enrols a unit twice"):
        save(store, 1, units=units)
    assert [block for block, _ in store.summaries(rollout="r-1", stream="outcomes")] == [0]
    assert enrolled(store, "a", "b", "c") == {"a"}


def test_many_thousands_of_units_can_be_asked_for_at_once(store: Store) -> None:
    units = tuple(f"{number:032x}" for number in range(5_000))
    save(store, 0, units=units[::2])
    assert enrolled(store, *units) == set(units[::2])
