"""Shapes of answered requests: noted at no cost to speak of, bounded, told once and again when they are new."""

import asyncio
from collections.abc import Mapping

import msgspec
import pytest

from changeover.adapters.memory_link import MemoryPlaneLink
from changeover.gateway import shape_noter
from changeover.gateway.shape_noter import KEYS_MAX, REFRESH_S, REMIND_S, RETELL_S, ShapeNoter, ShapeTeller
from changeover.wire.sent_shape import SentShape, shape_of
from changeover.wire.surface import Ask, Surface

FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
CHAT = Ask(Surface.CHAT, b"/chat/completions")


class Noting:
    """A noter and its teller, on a monotonic clock moved by hand. ``looks`` counts requests that were looked into."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.looks = 0
        self.noter = ShapeNoter()
        self.link = MemoryPlaneLink()
        self.teller = ShapeTeller(self.noter, plane="p", boot="b", link=self.link)

    def note(self, task: str = "mail", **body: object) -> None:
        self.noter.note(task, CHAT, FIELDS.decode(msgspec.json.encode(body)))

    def told(self) -> list[SentShape]:
        before = len(self.link.shape_reports)
        asyncio.run(self.teller.tell())
        return [told.shape for report in self.link.shape_reports[before:] for told in report.shapes]


@pytest.fixture
def noting(monkeypatch: pytest.MonkeyPatch) -> Noting:
    noting = Noting()

    def look(surface: Surface, fields: Mapping[str, msgspec.Raw], *, query: bytes) -> SentShape:
        noting.looks += 1
        return shape_of(surface, fields, query=query)

    monkeypatch.setattr(shape_noter, "monotonic", lambda: noting.now)
    monkeypatch.setattr(shape_noter, "shape_of", look)
    return noting


def test_a_new_shape_is_told_once(noting: Noting) -> None:
    noting.note(temperature=0.5)
    (shape,) = noting.told()
    assert shape.values["temperature"][0].value == 0.5
    noting.now += RETELL_S
    noting.note(temperature=0.5)
    assert noting.told() == []
    (report,) = noting.link.shape_reports
    assert (report.plane, report.boot, report.shapes[0].task) == ("p", "b", "mail")


def test_tasks_and_different_parameters_are_apart(noting: Noting) -> None:
    noting.note(temperature=1)
    noting.note(temperature=1, top_p=1)
    noting.note(task="chat", temperature=1)
    assert len(noting.told()) == 3


def test_a_request_like_an_earlier_one_is_not_looked_at_within_a_second(noting: Noting) -> None:
    noting.note(temperature=0)
    for _ in range(1000):
        noting.note(temperature=1)
    assert noting.looks == 1
    noting.now += REFRESH_S
    noting.note(temperature=1)
    noting.note(temperature=2)
    assert noting.looks == 2


def test_new_values_are_told_but_not_too_often(noting: Noting) -> None:
    noting.note(temperature=0)
    noting.told()
    noting.now += REFRESH_S
    noting.note(temperature=1)
    assert noting.told() == []
    noting.now += RETELL_S
    (shape,) = noting.told()
    assert [value.value for value in shape.values["temperature"]] == [1, 0]


def test_a_shape_that_is_still_asked_for_is_told_again_after_a_while(noting: Noting) -> None:
    noting.note(temperature=0)
    noting.told()
    noting.now += REMIND_S
    assert noting.told() == []
    noting.note(temperature=0)
    assert len(noting.told()) == 1


def test_a_caller_who_makes_up_names_costs_bounded_memory_and_work(noting: Noting) -> None:
    for number in range(10_000):
        noting.note("mail", **{f"name{number}": 1})
    assert noting.looks == KEYS_MAX
    noting.now += REFRESH_S
    noting.note(newest=1)
    told = noting.told()
    assert len(told) == KEYS_MAX
    assert "newest" in told[-1].values


def test_what_cannot_be_told_is_told_later(noting: Noting) -> None:
    noting.note(temperature=0)
    asyncio.run(noting.link.cut())
    assert noting.told() == []
    asyncio.run(noting.link.restore())
    assert len(noting.told()) == 1
