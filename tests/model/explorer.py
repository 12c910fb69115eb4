"""Every state that can be reached, breadth first, until none is left. What a state is, and what may follow, is the caller's."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

S = TypeVar("S", bound=Hashable)

STATES_MAX: Final = 200_000
"""A world that is larger is no small world: it is walked at random instead."""


class Broken(Exception):  # noqa: N818  it is what the search is for
    """A rule does not hold. ``rule`` names it, ``trace`` is a shortest way there."""

    def __init__(self, rule: str, what: str, trace: tuple[str, ...] = ()) -> None:
        super().__init__(f"{rule}: {what}" + "".join(f"\n  {number}. {label}" for number, label in enumerate(trace, start=1)))
        self.rule = rule
        self.what = what
        self.trace = trace


class TooLarge(Exception):  # noqa: N818
    """There are more states than a small world has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """The whole of a world: the frontier is empty. ``depth`` is the length of the longest of the shortest ways."""

    states: int
    transitions: int
    depth: int

    def __str__(self) -> str:
        return f"{self.states} states, {self.transitions} transitions, depth {self.depth}, frontier empty"


@dataclass(slots=True)
class Search(Generic[S]):
    """``successors`` gives what may happen in a state, each with the state after it; it, or ``check``, raises ``Broken``."""

    successors: Callable[[S], Iterable[tuple[str, S]]]
    check: Callable[[S], None]

    def run(self, initial: S, *, states_max: int = STATES_MAX) -> Explored:
        parents: dict[S, tuple[S, str] | None] = {initial: None}
        frontier, transitions, depth = [initial], 0, -1
        while frontier:
            depth += 1
            reached: list[S] = []
            for state in frontier:
                for label, after in self._following(state, parents):
                    transitions += 1
                    if after not in parents:
                        parents[after] = (state, label)
                        reached.append(after)
                if len(parents) > states_max:
                    raise TooLarge(f"more than {states_max} states at depth {depth}")
            frontier = reached
        return Explored(states=len(parents), transitions=transitions, depth=depth)

    def _following(self, state: S, parents: dict[S, tuple[S, str] | None]) -> Iterable[tuple[str, S]]:
        try:
            self.check(state)
            yield from self.successors(state)
        except Broken as broken:
            raise Broken(broken.rule, broken.what, (*_way_to(state, parents), *broken.trace)) from None


def _way_to(state: S, parents: dict[S, tuple[S, str] | None]) -> tuple[str, ...]:
    labels: list[str] = []
    came = parents[state]
    while came is not None:
        before, label = came
        labels.append(label)
        came = parents[before]
    return tuple(reversed(labels))
