"""How many requests until a verdict, through the real summaries and gates? Medians beside the reference's and the forecast's.

``python -m tests.simulate.power [--runs N] [--seed N] [NAME ...]`` prints one line a case: the median and four fifths of all
runs as measured, the reference's median with the ratio of the two, and the forecast's with its ratio. Every run draws its
requests, sums them up block by block, stores and folds the summaries as the product does, and looks at each block's end.

The reference's figures are of tests that were looked at after every request, of latency without tempering by blocks. Cases
named "as measured" look at the same evidence in the same way: blocks of a few requests, error level .05, no dispersion. Cases
named "gate" are what the product does, with its own error levels, its blocks and its dispersion.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from math import inf
from random import Random
from typing import Final

from changeover.evidence.planner import Need
from tests.simulate.power_cases import all_cases
from tests.simulate.power_runs import Case, run

RUNS: Final = 100
SEED: Final = 20261120
SHORT: Final = 10_000
SHORT_RUNS: Final = 4
"""Cases of few requests are cheap, and get so many times as many runs."""


def fifth(values: Sequence[int], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def line(case: Case, found: Sequence[int]) -> str:
    median, most = fifth(found, 0.5), fifth(found, 0.8)
    beside = f"{case.reference:>9,.0f} {_ratio(median, case.reference)}" if case.reference else f"{'-':>9} {'-':>5}"
    need = case.forecast or Need(inf, inf)
    ahead = f"{need.n50:>9,.0f} {_ratio(median, need.n50)} {need.n80:>9,.0f} {_ratio(most, need.n80)}"
    return f"{case.name:<58} {median:>9,.0f} {most:>9,.0f} {beside} {ahead}"


def _ratio(found: float, expected: float) -> str:
    return f"{found / expected:5.2f}" if 0 < expected < inf else f"{'-':>5}"


def write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(prog="python -m tests.simulate.power")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("names", nargs="*", help="only cases whose name contains one of these")
    said = parser.parse_args(arguments)
    write(f"seed {said.seed}, {said.runs} runs a case; requests of both sides; ratios are measured over the column before them")
    write(f"{'case':<58} {'median':>9} {'80 %':>9} {'reference':>9} {'':>5} {'forecast':>9} {'':>5} {'its 80 %':>9}")
    for case in all_cases():
        if not said.names or any(name in case.name for name in said.names):
            runs = 1 if case.certain else said.runs * (SHORT_RUNS if case.forecast and case.forecast.n50 < SHORT else 1)
            write(line(case, [run(case, Random(f"{said.seed} {case.name} {number}")) for number in range(runs)]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
