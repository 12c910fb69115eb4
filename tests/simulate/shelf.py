"""What has been run already? Results in a folder, a line for every few runs, so that a run that was killed goes on."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import changeover
from tests.simulate.findings import Findings

RESULTS: Final = "results.jsonl"
CHUNK: Final = 10
"""Runs in a line."""

HERE: Final = Path(__file__).parent
DECIDING: Final = ("cells", "costs", "findings", "latencies", "looks", "paired", "rare", "rivals", "scores", "traffic")
"""Modules here that have a say in what a run shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """``CHUNK`` runs of a cell, from number ``first`` on."""

    cell: str
    seed: int
    first: int


@dataclass(slots=True)
class Tally:
    """Over all known runs of a cell: how often each wrong answer was given, by criterion."""

    runs: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])

    def add(self, runs: int, counts: dict[str, dict[str, int]]) -> None:
        self.runs += runs
        for criterion, found in counts.items():
            self.counts.setdefault(criterion, Counter()).update(found)


@dataclass(slots=True)
class Results:
    """``days`` on which they were made, ``codes`` by which state of the code."""

    done: set[Chunk] = field(default_factory=set[Chunk])
    tallies: dict[str, Tally] = field(default_factory=dict[str, Tally])
    days: set[str] = field(default_factory=set[str])
    codes: set[str] = field(default_factory=set[str])
    seconds: float = 0.0


class Shelf:
    """A folder of results. Lines of another seed, of runs over the number asked for, or of other code are left out."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / RESULTS

    def save(self, line: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def load(self, *, seed: int, runs: int, code: str | None) -> Results:
        """``code`` is the state of the code that results must come from; ``None``: any."""
        results = Results()
        for line in self._lines():
            chunk = Chunk(cell=line["cell"], seed=line["seed"], first=line["first"])
            known = chunk in results.done or chunk.seed != seed or chunk.first >= runs
            if known or code not in {None, line["code"]}:
                continue
            results.done.add(chunk)
            results.tallies.setdefault(chunk.cell, Tally()).add(CHUNK, line["counts"])
            results.days.add(line["day"])
            results.codes.add(line["code"])
            results.seconds += line["seconds"]
        return results

    def _lines(self) -> Iterable[dict[str, Any]]:
        if not self.path.exists():
            return
        for text in self.path.read_text().splitlines():
            try:
                yield json.loads(text)
            except json.JSONDecodeError:
                continue  # the line that was being written when the run was killed


def summed(findings: Iterable[Findings]) -> dict[str, dict[str, int]]:
    """By criterion and name, in how many runs it was so."""
    counts: dict[str, dict[str, int]] = {}
    for run in findings:
        for criterion, found in run.items():
            known = counts.setdefault(criterion, {})
            for name, value in found.items():
                known[name] = known.get(name, 0) + int(value)
    return counts


def code_state() -> str:
    """A digest of all code that decides what a run shows: the product's evidence and gates, and the simulation's own."""
    package = Path(changeover.__file__).parent
    files = [path for room in ("evidence", "gates") for path in sorted((package / room).glob("*.py"))]
    files += [HERE / f"{name}.py" for name in DECIDING]
    digest = hashlib.blake2b(digest_size=6)
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
