"""How do the results read? A Markdown table, and whether every share is within its bound."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from changeover.gates.cost import INPUT, MONEY, OUTPUT
from changeover.gates.latency_wording import verdict_name
from tests.simulate.cells import CELLS, PASS_LEVEL, TRIP_LEVELS, Cell
from tests.simulate.findings import CHECKS_PASS, CHECKS_TRIP, NAIVE_PASS, NAIVE_TRIP, OURS_FAIL, OURS_PASS, OURS_TRIP
from tests.simulate.shelf import Results

STANDARD_ERRORS: Final = 3.0

APPROXIMATE: Final = frozenset({MONEY, INPUT, OUTPUT, *(verdict_name(quantile) for quantile in (0.5, 0.95, 0.99))})
"""Criteria whose levels are not exact: theirs are shown, and only the five percent are held to."""

HEADS: Final = (
    "cell",
    "criterion",
    "traffic",
    "requests",
    "wrong pass",
    "naive",
    "checks",
    "false trip",
    "its level",
    "naive",
    "checks",
    "wrong fail",
)


def bound(level: float, runs: int) -> float:
    """What a share of ``runs`` stays under if its true value is ``level``, but for three standard errors of chance."""
    return level + STANDARD_ERRORS * sqrt(level * (1 - level) / runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One criterion in one cell, as shares of ``runs``; ``None`` where there is no such question."""

    cell: Cell
    criterion: str
    runs: int
    shares: dict[str, float]

    @property
    def misses(self) -> list[str]:
        """What is over its bound: five percent for a pass and for a trip, and an exact test's own level."""
        own = [] if self.criterion in APPROXIMATE else self._own
        return self._over([(OURS_PASS, PASS_LEVEL), (OURS_TRIP, PASS_LEVEL), *own]) if self.cell.claimed else []

    @property
    def notes(self) -> list[str]:
        """Where an approximate test trips more often than its own level says, within the five percent or where nothing is claimed."""
        return self._over(self._own) if self.criterion in APPROXIMATE else []

    @property
    def _own(self) -> list[tuple[str, float]]:
        return [(name, TRIP_LEVELS[self.criterion]) for name in (OURS_TRIP, OURS_FAIL)]

    def _over(self, asked: Sequence[tuple[str, float]]) -> list[str]:
        return [
            f"{self.cell.name}, {self.criterion}: {name} in {self.shares[name]:.4f} of {self.runs} runs, "
            f"expected at most {bound(level, self.runs):.4f}"
            for name, level in asked
            if name in self.shares and self.shares[name] > bound(level, self.runs)
        ]

    def cells(self) -> list[str]:
        shown = [self._shown(name) for name in (OURS_PASS, NAIVE_PASS, CHECKS_PASS, OURS_TRIP)]
        rest = [self._shown(name) for name in (NAIVE_TRIP, CHECKS_TRIP, OURS_FAIL)]
        level = f"{TRIP_LEVELS[self.criterion]:.4f}".lstrip("0")
        requests = f"{self.cell.requests:,}"
        return [self.cell.name, self.criterion, self.cell.traffic, requests, *shown, level, *rest]

    def _shown(self, name: str) -> str:
        if name not in self.shares:
            return ""
        text = f"{self.shares[name]:.3f}"
        return text if text.startswith("1") else text[1:]


def lines_of(results: Results) -> list[Line]:
    """In the order of the cells."""
    found: list[Line] = []
    for name, cell in CELLS.items():
        tally = results.tallies.get(name)
        for criterion, counts in ({} if tally is None else tally.counts).items():
            assert tally is not None
            shares = {asked: count / tally.runs for asked, count in counts.items()}
            found.append(Line(cell=cell, criterion=criterion, runs=tally.runs, shares=shares))
    return found


def markdown(lines: Sequence[Line], results: Results, *, seed: int) -> str:
    """The table, with what it was made of above and what is over its bound below."""
    runs = sorted({line.runs for line in lines})
    said = f"{runs[0]:,}" if len(runs) == 1 else f"{runs[0]:,} to {runs[-1]:,}" if runs else "no"
    misses = [miss for line in lines for miss in line.misses]
    head = (
        f"{said} runs of each cell, seed {seed}, {' and '.join(sorted(results.days)) or 'not run'}, "
        f"code {' and '.join(sorted(results.codes)) or '-'}, {results.seconds / 60:.0f} minutes of one core. "
        f"Bound of a wrong pass at {runs[0] if runs else 0:,} runs: {bound(PASS_LEVEL, runs[0] if runs else 1):.4f}."
    )
    table = [HEADS, ["---"] * len(HEADS), *(line.cells() for line in lines)]
    body = "\n".join(f"| {' | '.join(row)} |" for row in table)
    notes = [note for line in lines for note in line.notes]
    found = "\n".join(f"- {miss}" for miss in misses) or "Nothing is over its bound."
    noted = "".join(f"\n- {note}" for note in notes)
    return f"{head}\n\n{body}\n\n{found}\n" + (
        f"\nApproximate tests that trip more often than their own level:\n{noted}\n" if notes else ""
    )
