"""`python -m benchmarks.evidence`: what does the evidence cost, per observation, per score and per verdict?

Every figure is CPU time of this process (`time.process_time`), so that other work on the machine counts little, as the
median of repeats. Observations and scores go through `Judge.summarise` and `Judge.add`, the same calls that the
controller makes for each closed block; the verdict of a whole rollout is folded from summaries alone, as after a restart.
Ends by itself in under a minute and exits with 1 when a bar is missed.
"""

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from statistics import NormalDist
from typing import Final, NamedTuple

import msgspec
import xxhash

from changeover.evidence.blocks import BlockClock
from changeover.exchange.observation import Observation, Outcome, Tokens
from changeover.gates.assess import Judge, Summary
from changeover.gates.criteria import (
    CostCriterion,
    Criteria,
    ErrorsCriterion,
    EvidenceRules,
    LatencyCriterion,
    QualityCriterion,
    SafetyCriterion,
)
from changeover.gates.streams import Row
from changeover.gates.verdict import Assessment
from changeover.traffic.table import Side

BLOCKS_A_DAY: Final = 48
DAYS: Final = 7
OBSERVATIONS: Final = 5_000_000
PER_BLOCK: Final = OBSERVATIONS // (BLOCKS_A_DAY * DAYS)
TEMPLATES: Final = 12
"""So many blocks are summed up from requests; the rollout's others repeat their counts."""
WEIGHTS: Final = (0.1, 0.5)

OBSERVATION_US_MAX: Final = 5.0
SCORE_US_MAX: Final = 10.0
VERDICT_MS_MAX: Final = 100.0

CRITERIA: Final = Criteria(
    quality=QualityCriterion(score="rubric"),
    errors=ErrorsCriterion(),
    latency=LatencyCriterion(),
    cost=CostCriterion(),
    safety=SafetyCriterion(harmful="harmful"),
)
RULES: Final = EvidenceRules()
CLOCK: Final = BlockClock(origin_at=0.0, block_s=RULES.block_s)
NORMAL: Final = NormalDist()


class Line(NamedTuple):
    """One row of the table. ``bar`` is what it may cost; ``None``: shown only."""

    what: str
    unit: str
    cpu: float
    least: float
    wall: float
    bar: float | None = None

    @property
    def verdict(self) -> str:
        return "" if self.bar is None else "ok" if self.cpu <= self.bar else "MISSED"


class Cost(NamedTuple):
    """In seconds: the median and the least of CPU time, the median of wall time."""

    cpu: float
    least: float
    wall: float


def measured(work: Callable[[], object], *, repeats: int) -> Cost:
    cpu: list[float] = []
    wall: list[float] = []
    for _ in range(repeats):
        began, cpu_began = time.perf_counter(), time.process_time()
        work()
        cpu.append(time.process_time() - cpu_began)
        wall.append(time.perf_counter() - began)
    return Cost(statistics.median(cpu), min(cpu), statistics.median(wall))


def draws(number: int) -> list[float]:
    """Six numbers from 0 to 1: a hash, so that they are the same on every machine and as good as dice."""
    return [xxhash.xxh3_64_intdigest(f"{number} {index}".encode()) / 2**64 for index in range(6)]


def requests(first: int, count: int, *, p: float) -> Iterator[Observation]:
    """Log-normal times, prices of two models, one filtered request in a hundred, one unanswered in two hundred."""
    for number in range(first, first + count):
        side_draw, time_draw, token_draw, filter_draw, error_draw, _ = draws(number)
        is_candidate = side_draw < p
        assigned = "gpt4omini-prod-v0718" if is_candidate else "gpt4o-prod-v1120"
        prompt, completion = 400 + int(300 * token_draw), 80 + int(160 * time_draw)
        is_failed = error_draw < 0.005
        yield Observation(
            request_id=f"r{number}",
            unit=f"u{number}",
            started_at=float(number),
            outcome=Outcome.FAILED if is_failed else Outcome.ANSWERED,
            revision=1,
            latency_ms=900.0 * 2.718281828 ** (0.75 * NORMAL.inv_cdf(min(0.999999, max(1e-6, time_draw)))),
            side=Side.CANDIDATE if is_candidate else Side.STABLE,
            candidate_probability=p,
            assigned=assigned,
            served=None if is_failed else assigned,
            filtered=None if is_failed else filter_draw < 0.01,
            tokens=None if is_failed else Tokens(prompt=prompt, completion=completion),
            cost_usd=None if is_failed else (prompt * 2.5 + completion * 10.0) / 1e6,
        )


def grades(rows: list[Observation], *, whole: bool) -> list[Row]:
    """A score from 1 to 5 for each: in whole points as a rubric gives it, or with all its digits as a scorer does."""
    return [(row, 1.0 + (round(4 * draws(index)[5]) if whole else 4 * draws(index)[5])) for index, row in enumerate(rows)]


def summarised(judge: Judge, name: str, rows: list[Row]) -> Judge:
    return judge.add(judge.summarise(name, rows))


def prompt_lines(repeats: int) -> list[Line]:
    """Each stream whose rows are complete when their time is over, and all of them together."""
    plain: list[Row] = [(row, None) for row in requests(0, PER_BLOCK, p=0.5)]
    judge = Judge.begin(criteria=CRITERIA, rules=RULES, clock=CLOCK)
    names = [name for name, stream in judge.streams.items() if stream.score is None]
    judge = judge.informed("latency", [(row, None) for row in requests(10**6, 2000, p=0.0)])
    lines: list[Line] = []
    for name in names:
        cost = measured(lambda name=name: summarised(judge, name, plain), repeats=repeats)
        lines.append(_per(f"observation: {name}", cost, PER_BLOCK))
    together = measured(lambda: [summarised(judge, name, plain) for name in names], repeats=repeats)
    return [*lines, _per("observation: all of these", together, PER_BLOCK, bar=OBSERVATION_US_MAX)]


def score_lines(repeats: int) -> list[Line]:
    rows = list(requests(0, PER_BLOCK, p=0.5))
    judge = Judge.begin(criteria=CRITERIA, rules=RULES, clock=CLOCK)
    kinds = {"score of 1 to 5": ("scores", grades(rows, whole=True)), "score with all digits": ("scores", grades(rows, whole=False))}
    kinds["harmful, 0 or 1"] = ("harmful", [(row, float(index % 500 == 0)) for index, row in enumerate(rows)])
    lines: list[Line] = []
    for what, (name, graded) in kinds.items():
        cost = measured(lambda name=name, graded=graded: summarised(judge, name, graded), repeats=repeats)
        lines.append(_per(what, cost, PER_BLOCK, bar=SCORE_US_MAX))
    return lines


def rollout_summaries() -> list[bytes]:
    """Seven days of half-hour blocks: one day at 10 %, six at 50 %, and one block of both weights. Stream by stream, as the
    store hands them out after a restart.
    """
    templates = {p: [_template(number, (p,)) for number in range(TEMPLATES)] for p in WEIGHTS}
    both = _template(TEMPLATES, WEIGHTS)
    bodies: list[bytes] = []
    for block in range(BLOCKS_A_DAY * DAYS):
        early = block < BLOCKS_A_DAY
        found = both if block == BLOCKS_A_DAY else templates[WEIGHTS[0] if early else WEIGHTS[1]][int(TEMPLATES * draws(block)[1])]
        bodies += [_renumbered(body, block) for body in found]
    return sorted(bodies, key=_stream_of)


def _template(number: int, weights: tuple[float, ...]) -> list[bytes]:
    share = PER_BLOCK // len(weights)
    first = number * PER_BLOCK * 7
    rows = [row for index, p in enumerate(weights) for row in requests(first + index * share, share, p=p)]
    judge = Judge.begin(criteria=CRITERIA, rules=RULES, clock=CLOCK)
    judge = judge.informed("latency", [(row, None) for row in requests(10**6, 2000, p=0.0)])
    by_score = {None: [(row, None) for row in rows], "rubric": grades(rows, whole=True), "harmful": [(row, 0.0) for row in rows]}
    return [judge.summarise(name, by_score[stream.score]) for name, stream in judge.streams.items()]


def _renumbered(body: bytes, block: int) -> bytes:
    summary = msgspec.json.decode(body, type=Summary)
    content = msgspec.json.decode(summary.content)
    content["block"] = block
    return msgspec.json.encode(msgspec.structs.replace(summary, block=block, content=msgspec.Raw(msgspec.json.encode(content))))


def recomputed(bodies: list[bytes]) -> Assessment:
    judge = Judge.begin(criteria=CRITERIA, rules=RULES, clock=CLOCK)
    for body in bodies:
        judge = judge.add(body)
    return judge.assessment(blocks_dwelt=0, served_s=0.0, closed_until=0.0)


def verdict_lines(repeats: int) -> tuple[list[Line], Assessment]:
    bodies = rollout_summaries()
    found = recomputed(bodies)
    names = Judge.begin(criteria=CRITERIA, rules=RULES, clock=CLOCK).streams
    lines = [_stream_line(name, [body for body in bodies if _stream_of(body) == name], repeats) for name in names]
    cost = measured(lambda: recomputed(bodies), repeats=repeats)
    what = f"verdict of {found_units(found):,} observations, {len(bodies) // len(names)} blocks"
    return [*lines, Line(what, "ms", *(1e3 * each for each in cost), VERDICT_MS_MAX)], found


def _stream_line(name: str, bodies: list[bytes], repeats: int) -> Line:
    cost = measured(lambda: recomputed(bodies), repeats=repeats)
    return Line(f"  of which {name}, with one look", "ms", *(1e3 * each for each in cost))


def _stream_of(body: bytes) -> str:
    return msgspec.json.decode(body, type=Summary).stream


def found_units(assessment: Assessment) -> int:
    return assessment.sample_ratio.stable + assessment.sample_ratio.candidate


def _per(what: str, cost: Cost, count: int, *, bar: float | None = None) -> Line:
    return Line(what, "µs", *(each / count * 1e6 for each in cost), bar)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7, help="median of so many (default 7)")
    repeats = parser.parse_args().repeats
    verdicts, found = verdict_lines(repeats)
    lines = [*prompt_lines(repeats), *score_lines(repeats), *verdicts]
    print(f"Python {platform.python_version()}, {platform.machine()}; one core, medians of {repeats}; blocks of {PER_BLOCK:,} requests")
    print(f"{'':52}{'CPU':>9}{'least':>9}{'wall':>9}{'bar':>9}")
    for line in lines:
        bar = "" if line.bar is None else f"{line.bar:g}"
        print(f"{line.what:52}{line.cpu:>9.2f}{line.least:>9.2f}{line.wall:>9.2f}{bar:>9} {line.unit} {line.verdict}")
    print("verdicts: " + ", ".join(f"{verdict.criterion} {verdict.decision}" for verdict in found.verdicts))
    sys.exit(any(line.verdict == "MISSED" for line in lines))


if __name__ == "__main__":
    main()
