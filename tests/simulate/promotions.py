"""Who is promoted, and who goes back? Score streams of two means through the gates and the machine of a whole canary.

``python -m tests.simulate.promotions [--runs N] [--seed N]`` counts the ends of rollouts under every preset.
"""

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Final

from changeover.evidence.blocks import BlockClock
from changeover.gates.assess import Judge
from changeover.gates.criteria import Criteria, EvidenceRules, QualityCriterion
from changeover.rollout.machine import advance, unstarted
from changeover.rollout.plan import Plan
from changeover.rollout.state import Acknowledged, Assessed, Phase, Rollout, Started
from changeover.settings.plans import CANARY_STEPS
from changeover.settings.presets import QUALITY
from changeover.traffic.table import Side
from tests.simulate.power_runs import Case, passed, request
from tests.simulate.scoring import categories_of, category

RUNS: Final = 200
SEED: Final = 20261120
BLOCK: Final = 100
BLOCKS_MAX: Final = 400
BASELINE: Final = 200
RULES: Final = EvidenceRules()
PRESETS: Final = tuple(QUALITY)
PAIRS: Final = ((4.4, 4.2), (4.6, 3.1))
"""Mean scores on 1 to 5 of the stable and of the candidate."""


def criteria_of(preset: str) -> Criteria:
    numbers = QUALITY[preset]
    return Criteria(quality=QualityCriterion(score="judge", margin=4 * numbers.margin_share, trip=numbers.trip))


def rollout_end(dice: Random, preset: str, means: tuple[float, float]) -> Phase:
    """One canary until it is promoted or rolled back; running where neither has come after so many blocks."""
    criteria = criteria_of(preset)
    clock = BlockClock(origin_at=0.0, block_s=RULES.block_s)
    judge = Judge.begin(criteria=criteria, rules=RULES, clock=clock)
    rollout = started(Plan(steps=CANARY_STEPS, criteria=criteria, evidence=RULES))
    weights = [categories_of(mean) for mean in means]
    since = 0
    judge = _informed(dice, judge, criteria, weights[0])
    for block in range(BLOCKS_MAX):
        case = _case(criteria, rollout.progress.permille / 1000, weights)
        judge = _block(dice, judge, case, block)
        look = judge.assessment(blocks_dwelt=block + 1 - since, served_s=(block + 1 - since) * RULES.block_s, closed_until=clock.end(block))
        before = rollout.progress.permille
        rollout, _ = advance(rollout, Assessed(look), clock.end(block))
        if rollout.progress.permille != before:
            since = block + 1
            rollout, _ = advance(rollout, Acknowledged(), clock.end(block))
        if rollout.progress.phase.is_final:
            return rollout.progress.phase
    return rollout.progress.phase


def started(plan: Plan) -> Rollout:
    fresh = Rollout(
        id="r-1", task="t", attempt=1, salt="s", stable="old", candidate="new", plan=plan, started_at=0.0, progress=unstarted(0.0)
    )
    rollout, _ = advance(fresh, Started(), 0.0)
    return advance(rollout, Acknowledged(), 0.0)[0]


def _case(criteria: Criteria, p: float, weights: Sequence[Sequence[float]]) -> Case:
    return Case(
        name="promotion",
        criteria=criteria,
        p=p,
        draw=lambda dice, candidate: {"score": category(dice, weights[candidate])},
        crossed=passed("quality"),
    )


def _informed(dice: Random, judge: Judge, criteria: Criteria, weights: Sequence[float]) -> Judge:
    case = _case(criteria, 0.1, [weights, weights])
    rows = [request(dice, number, case, side=Side.STABLE) for number in range(BASELINE)]
    for name in [name for name, stream in judge.streams.items() if stream.learns]:
        judge = judge.informed(name, rows)
    return judge


def _block(dice: Random, judge: Judge, case: Case, block: int) -> Judge:
    rows = [
        request(dice, number, case, side=Side.CANDIDATE if dice.random() < case.p else Side.STABLE)
        for number in range(block * BLOCK, (block + 1) * BLOCK)
    ]
    for stream in tuple(judge.streams):
        judge = judge.add(judge.summarise(stream, rows))
    return judge


def ends(preset: str, means: tuple[float, float], *, runs: int, seed: int) -> Counter[Phase]:
    """How so many rollouts ended."""
    return Counter(rollout_end(Random(f"{seed} {preset} {means} {number}"), preset, means) for number in range(runs))


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(prog="python -m tests.simulate.promotions")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=SEED)
    said = parser.parse_args(arguments)
    sys.stdout.write(f"seed {said.seed}, {said.runs} rollouts each, {BLOCK} requests a block, 10 % then 50 %\n")
    for means in PAIRS:
        for preset in PRESETS:
            found = ends(preset, means, runs=said.runs, seed=said.seed)
            counts = ", ".join(f"{phase} {found[phase]}" for phase in Phase if found[phase])
            sys.stdout.write(f"{means[0]:g} against {means[1]:g}, {preset:<14} {counts}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
