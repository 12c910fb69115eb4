"""Which small worlds are explored: every feature alone, and every two of them. What is left out of pairs keeps them small."""

import logging
from itertools import combinations
from typing import Final

from tests.model.explorer import Explored, Search
from tests.model.parts import COMMANDS, PRODUCT, Parts
from tests.model.stage import FEATURES, FEW_COMMANDS, Stage

PAIRS: Final = tuple(combinations(FEATURES, 2))
SECOND_TRIES: Final = (*FEW_COMMANDS, "release")
"""With these there is a second attempt of the same pair."""
SOME_COMMANDS: Final = (*FEW_COMMANDS, "pause", "resume", "promote without")


def stage(*features: str, parts: Parts = PRODUCT) -> Stage:
    """The small world with these features."""
    alone = len(features) < 2
    commands = FEW_COMMANDS if "planes" in features or not alone else SECOND_TRIES
    if "operators" in features:
        commands = tuple(COMMANDS) if alone else SOME_COMMANDS
    return Stage(frozenset(features), commands=commands, may_be_silent=alone, parts=parts)


def explore(of: Stage) -> Explored:
    """All of it.

    Raises:
        Broken: a rule does not hold.
        TooLarge: it is no small world.
    """
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)  # a keeper of tables says each time that it refuses one
    try:
        return Search(of.successors, of.check).run(of.initial())
    finally:
        logging.disable(before)
