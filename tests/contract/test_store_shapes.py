"""What every store promises about the shapes of requests."""

from changeover.ports.planes import TaskShape
from changeover.ports.store import SHAPES_PER_TASK_MAX, Store
from changeover.wire.sent_shape import SentShape, SentValue, ValueKind
from changeover.wire.surface import Surface
from tests.contract.store_samples import Shelf


def shape(*names: str, value: float = 0.5) -> SentShape:
    return SentShape(surface=Surface.CHAT, values={name: (SentValue(kind=ValueKind.NUMBER, value=value),) for name in names})


def keep(store: Store, *shapes: SentShape, task: str = "mail", at: float = 1.0) -> None:
    store.keep_shapes([TaskShape(task=task, shape=each) for each in shapes], at=at)


def test_a_task_that_nobody_has_asked_has_no_shapes(store: Store) -> None:
    keep(store, shape("a"))
    assert list(store.shapes("another")) == []


def test_shapes_come_back_as_they_were_the_last_seen_first(store: Store) -> None:
    keep(store, shape("a"), at=1.0)
    keep(store, shape("b"), at=2.0)
    keep(store, shape("a"), at=3.0)
    assert list(store.shapes("mail")) == [shape("a"), shape("b")]


def test_a_known_shape_keeps_its_values_beside_the_new_ones(store: Store) -> None:
    keep(store, shape("a", value=0.0))
    keep(store, shape("a", value=1.0), at=2.0)
    (found,) = store.shapes("mail")
    assert [seen.value for seen in found.values["a"]] == [1.0, 0.0]


def test_of_each_task_only_the_newest_stay(store: Store) -> None:
    keep(store, shape("other"), task="other", at=0.0)
    for number in range(SHAPES_PER_TASK_MAX + 3):
        keep(store, shape(f"p{number}"), at=float(number))
    found = [next(iter(each.values)) for each in store.shapes("mail")]
    assert found == [f"p{number}" for number in range(SHAPES_PER_TASK_MAX + 2, 2, -1)]
    assert list(store.shapes("other")) == [shape("other")]


def test_many_in_one_report_are_bounded_too(store: Store) -> None:
    keep(store, *(shape(f"p{number}") for number in range(SHAPES_PER_TASK_MAX + 9)))
    assert len(store.shapes("mail")) == SHAPES_PER_TASK_MAX


def test_shapes_are_there_after_opening_again(shelf: Shelf) -> None:
    keep(shelf.open(), shape("a"))
    assert list(shelf.open().shapes("mail")) == [shape("a")]
