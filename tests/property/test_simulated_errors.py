"""Seeded runs at the margin: a small part of ``make simulate``, and proof that it would see what it looks for.

With few runs a bound is wide: the share that is allowed is the level plus three standard errors of so many runs. A
right implementation stays under it; a gate that errs as a test peeked at does (a third to a half of all runs) does not.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from changeover.evidence.tempering import Tempering
from changeover.gates.assess import Judge
from changeover.gates.criteria import Criteria, ErrorsCriterion, SafetyCriterion
from changeover.gates.quality import QualityGate
from changeover.gates.streams import Row
from tests.simulate import rare, scores
from tests.simulate.cells import CELLS, PASS_LEVEL, TRIP_LEVELS
from tests.simulate.findings import NAIVE_PASS, NAIVE_TRIP, OURS_PASS, OURS_TRIP
from tests.simulate.run import SEED, one_run
from tests.simulate.shelf import CHUNK, Chunk, Shelf, summed
from tests.simulate.table import bound
from tests.simulate.traffic import RAMP, TENTH, Plan, begin, draw_traffic, observed

RUNS: Final = {
    "quality-tenth": 10,
    "quality-sticky-ramp": 6,
    "errors-ramp": 6,
    "errors-sticky": 6,
    "filter-even": 6,
    "cost-ramp": 10,
    "cost-sticky": 2,
    "latency-even": 8,
    "latency-spells-tenth": 8,
    "accuracy": 15,
    "paired-scores": 15,
}

WIDE_POINTS: Final = 30.0
"""A margin so wide, and a candidate so bad, that harm is proven and a pass too."""


def counts_of(cell: str, runs: int) -> dict[str, dict[str, int]]:
    return summed(one_run(cell, seed=SEED, number=number) for number in range(runs))


@pytest.mark.parametrize("cell", RUNS)
def test_at_the_margin_nothing_passes_or_trips_more_often_than_its_level_allows(cell: str) -> None:
    runs = RUNS[cell]
    allowed = bound(PASS_LEVEL, runs) * runs
    for criterion, counts in counts_of(cell, runs).items():
        assert counts.get(OURS_PASS, 0) <= allowed, f"{criterion}: {counts}"
        assert counts[OURS_TRIP] <= allowed, f"{criterion}: {counts}"


def test_a_test_peeked_at_errs_far_more_often_in_the_same_runs() -> None:
    counts = counts_of("accuracy", 15)["accuracy"]
    assert counts[NAIVE_PASS] + counts[NAIVE_TRIP] > 2 * bound(PASS_LEVEL, 15) * 15


def test_evidence_that_is_not_tempered_is_seen_to_err(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tempering, "dispersion", property(lambda _: 1.0))
    monkeypatch.setattr(Tempering, "likeness", property(lambda _: None))
    counts = counts_of("latency-spells", 6)
    assert any(found[OURS_TRIP] > bound(TRIP_LEVELS[criterion], 6) * 6 for criterion, found in counts.items())


def test_users_who_count_at_every_request_are_seen_to_raise_a_false_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rare, "counted", lambda _, rows: rows)
    assert counts_of("errors-sticky", 3)["sample ratio"][OURS_TRIP] > bound(PASS_LEVEL, 3) * 3


def test_a_run_is_the_same_whenever_it_is_run() -> None:
    assert one_run("accuracy", seed=7, number=3) == one_run("accuracy", seed=7, number=3)
    assert counts_of("accuracy", 5) != summed(one_run("accuracy", seed=SEED + 1, number=number) for number in range(5))


@pytest.mark.parametrize("kind", [rare.ERRORS, rare.FILTERED], ids=lambda kind: kind.name)
@pytest.mark.parametrize("stages", [((1.0, 0.5),), TENTH, RAMP], ids=["even", "tenth", "ramp"])
def test_no_rare_event_verdict_could_have_come_between_two_looks(kind: rare.Kind, stages: tuple[tuple[float, float], ...]) -> None:
    """Every beginning of every stretch is folded too: only its end may prove anything. Margins are wide, so that things happen."""
    criteria = Criteria(errors=ErrorsCriterion(margin_points=WIDE_POINTS), safety=SafetyCriterion(margin_points=WIDE_POINTS))
    wide = replace(kind, criteria=criteria)
    dice = Random(f"{kind.name} {stages}")
    traffic = draw_traffic(dice, Plan(requests=900, stages=stages))
    events = [dice.random() < (0.15 if side else 0.02) for side in traffic.sides]
    nothing: dict[str, Any] = {"filtered": False}
    rows: list[Row] = [(observed(traffic, number, **(wide.event if event else nothing)), None) for number, event in enumerate(events)]
    assert proofs(rows, wide) > 0


def proofs(rows: Sequence[Row], kind: rare.Kind) -> int:
    """How often something was proven; each time at the end of a stretch."""
    proven = 0
    judges: list[tuple[Judge, Sequence[Row]]] = []
    last = begin(kind.criteria)
    for cut, judge in rare.looks(last, kind, rows):
        judges.append((last, rows[cut[0] : cut[1]]))
        proven += kind.fold(judge).proven != kind.fold(last).proven
        last = judge
    for before, stretch in judges:
        for count in range(1, len(stretch)):
            inside = before.add(before.summarise(kind.stream, stretch[:count]))
            assert kind.fold(inside).proven == kind.fold(before).proven
            assert inside.outcomes.sample_ratio.alarmed_at == before.outcomes.sample_ratio.alarmed_at
    return proven


def test_no_quality_verdict_could_have_come_between_two_looks() -> None:
    dice = Random(11)
    traffic = draw_traffic(dice, Plan(requests=700))
    rows: list[Row] = [
        (observed(traffic, number), 5.0 if dice.random() < (0.9 if traffic.sides[number] else 0.5) else 1.0) for number in range(700)
    ]
    last = begin(Criteria(quality=scores.CRITERION))
    proven = 0
    for (start, end), judge in scores.looks(last, rows):
        before = gate_of(last)
        for count in range(1, end - start):
            assert gate_of(last.add(last.summarise("scores", rows[start : start + count]))).proven == before.proven
        proven += gate_of(judge).proven != before.proven
        last = judge
    assert proven > 0


def gate_of(judge: Judge) -> QualityGate:
    return scores.stream_of(judge).quality


def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    line = {"seed": 1, "code": "c", "day": "2026-06-01", "seconds": 1.0, "counts": {"accuracy": {"pass": 2}}}
    shelf.save({**line, "cell": "accuracy", "first": 0})
    shelf.save({**line, "cell": "accuracy", "first": 0})
    shelf.save({**line, "cell": "accuracy", "first": CHUNK, "seed": 2})
    shelf.save({**line, "cell": "accuracy", "first": 2 * CHUNK, "code": "other"})
    shelf.path.write_text(shelf.path.read_text() + '{"cell": "accuracy", "fir')
    results = shelf.load(seed=1, runs=1000, code="c")
    assert results.done == {Chunk(cell="accuracy", seed=1, first=0)}
    assert results.tallies["accuracy"].runs == CHUNK
    assert results.tallies["accuracy"].counts["accuracy"]["pass"] == 2


def test_there_are_at_most_thirty_cells_and_every_criterion_has_one() -> None:
    assert len(CELLS) <= 30
