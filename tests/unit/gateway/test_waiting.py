"""A request that waits goes on once, or its caller has left: never both."""

from typing import cast

from changeover.gateway.caller import Attached, Caller
from changeover.gateway.waiting import Waiting


class Door:
    """A caller, as far as a waiting request knows it."""

    def __init__(self) -> None:
        self.attached: Attached | None = None

    def attach(self, attached: Attached) -> None:
        self.attached = attached


def waiting(said: list[str]) -> Waiting:
    door = Door()
    made = Waiting(cast("Caller", door), then=lambda: said.append("on"), left=lambda: said.append("left"))
    assert door.attached is made
    return made


def test_it_goes_on_once() -> None:
    said: list[str] = []
    one = waiting(said)
    one.pause()
    one.resume()
    one.over()
    one.over()
    one.caller_gone()
    assert said == ["on"]


def test_a_caller_who_has_left_is_told_once_and_nothing_goes_on() -> None:
    said: list[str] = []
    one = waiting(said)
    one.caller_gone()
    one.over()
    one.caller_gone()
    assert said == ["left"]
