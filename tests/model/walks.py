"""Worlds too large to explore, walked at random: every feature at once, every command, every rule at each state."""

import random
from collections import Counter
from dataclasses import dataclass
from typing import Final

from tests.model.explorer import Broken
from tests.model.parts import COMMANDS, PRODUCT, Parts
from tests.model.stage import FEATURES, Stage, State

AN_END_IS_PUT_OFF: Final = 0.98
GOOD: Final = ("pass", "acknowledged", "retention")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """``phases`` counts the steps that were taken with the last attempt in each phase."""

    seed: int
    steps: int
    states: int
    worlds: int
    phases: Counter[str]

    def __str__(self) -> str:
        seen = ", ".join(f"{phase} {count}" for phase, count in self.phases.most_common())
        return f"seed {self.seed}: {self.steps} steps, {self.states} states, {self.worlds} worlds; {seen}"


def everything(parts: Parts = PRODUCT) -> Stage:
    return Stage(frozenset(FEATURES), commands=tuple(COMMANDS), may_be_silent=True, parts=parts)


def walk(of: Stage, *, seed: int, walks: int, steps: int) -> Walked:
    """So many walks of so many steps, each from the beginning. The seed replays them.

    Raises:
        Broken: a rule does not hold; it says the seed and the whole way.
    """
    dice, states, phases = random.Random(seed), set[State](), Counter[str]()
    for _ in range(walks):
        state, way = of.initial(), list[str]()
        for _ in range(steps):
            try:
                of.check(state)
                label, state = _step(dice, of, state)
            except Broken as broken:
                raise Broken(broken.rule, f"seed {seed}: {broken.what}", (*way, *broken.trace)) from None
            way.append(label)
            states.add(state)
            phases[_phase(of, state)] += 1
    return Walked(seed=seed, steps=walks * steps, states=len(states), worlds=len(of.shelf), phases=phases)


def _step(dice: random.Random, of: Stage, state: State) -> tuple[str, State]:
    """One of what may happen. Who acts is drawn first, and what ends a rollout is rare: else nothing lives long enough."""
    found: dict[str, list[tuple[str, State]]] = {}
    for label, after in of.successors(state):
        found.setdefault(_actor(label), []).append((label, after))
    if len(found) > 1 and dice.random() < AN_END_IS_PUT_OFF:
        found.pop("an end", None)
    return dice.choice(found[dice.choice(sorted(found))])


def _actor(label: str) -> str:
    first = label.split(maxsplit=1)[0]
    if label.startswith("roll back") or " trip" in label:
        return "an end"
    if label.endswith(("pauses", "alarm")) or first == "pause":
        return "an end"
    if first == "controller":
        return "a good look" if any(word in label for word in GOOD) else "a look"
    if first == "data":
        return first
    return "people" if first in {kind.split(maxsplit=1)[0] for kind in COMMANDS} else "weather"


def _phase(of: Stage, state: State) -> str:
    rollouts = list(of.shelf[state.world].rollouts.values())
    return str(rollouts[-1].progress.phase) if rollouts else "none"
