"""Short walks through the world with everything in it; `make soak` has the long ones."""

import sys

import pytest

from tests.model.explorer import Broken
from tests.model.parts import Parts
from tests.model.walks import everything, walk


def test_a_short_walk_with_everything_at_once_breaks_no_rule() -> None:
    found = walk(everything(), seed=1, walks=12, steps=250)
    sys.stdout.write(f"{found}\n")
    assert found.phases.keys() >= {"running", "paused", "baking", "rolling_back", "rolled_back"}


def test_a_walk_finds_a_planted_fault_and_says_its_seed() -> None:
    with pytest.raises(Broken, match="seed 3: "):
        walk(everything(Parts(looks_back=True)), seed=3, walks=50, steps=300)
