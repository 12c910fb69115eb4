"""Long random walks through the model's largest world. ``python -m tests.soak.walks [SEED ...]`` ends with 0 only if no rule broke."""

import logging
import sys
from collections.abc import Sequence
from typing import Final

from tests.model.explorer import Broken
from tests.model.walks import everything, walk

SEEDS: Final = tuple(range(20261101, 20261109))
WALKS: Final = 300
STEPS: Final = 1_000


def main(arguments: Sequence[str]) -> int:
    logging.disable(logging.ERROR)
    for seed in [int(argument) for argument in arguments] or SEEDS:
        try:
            sys.stdout.write(f"{walk(everything(), seed=seed, walks=WALKS, steps=STEPS)}\n")
        except Broken as broken:
            sys.stdout.write(f"{broken}\n")
            return 1
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
