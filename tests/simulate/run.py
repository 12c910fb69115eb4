"""``make simulate``: run the cells, go on where the last run was stopped, and print the table.

Results go to ``.simulate/`` as they come; killing the run loses at most a few runs. The exit code is 1 when a share is
over its bound.
"""

import argparse
import gc
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from random import Random
from time import monotonic, process_time
from typing import Any, Final

from tests.simulate.cells import CELLS
from tests.simulate.shelf import CHUNK, Chunk, Shelf, code_state, summed
from tests.simulate.table import lines_of, markdown

SEED: Final = 20260601
RUNS: Final = 1000
WORKERS: Final = 2
FOLDER: Final = Path(".simulate")
BEGIN: Final = "<!-- begin: make simulate -->"
END: Final = "<!-- end: make simulate -->"
PROGRESS_S: Final = 10.0


def main(arguments: Sequence[str]) -> int:
    asked = _parser().parse_args(arguments)
    if asked.list:
        sys.stdout.writelines(f"{cell.name:<22} {cell.requests:>7,} requests  {cell.traffic}\n" for cell in CELLS.values())
        return 0
    chosen: list[str] = asked.cells.split(",") if asked.cells else list(CELLS)
    if unknown := sorted(set(chosen) - set(CELLS)):
        sys.stderr.write(f"found cells {', '.join(unknown)}; expected some of those that --list names\n")
        return 2
    runs = -(-asked.runs // CHUNK) * CHUNK
    code = None if asked.any_code else code_state()
    shelf = Shelf(asked.out)
    if not asked.table:
        _run(shelf, _missing(shelf, chosen, seed=asked.seed, runs=runs, code=code), workers=asked.workers)
    results = shelf.load(seed=asked.seed, runs=runs, code=code)
    lines = lines_of(results)
    text = markdown(lines, results, seed=asked.seed)
    sys.stdout.write(f"{text}\n")
    if asked.write is not None:
        _write(asked.write, text)
    return 1 if any(line.misses for line in lines) or not lines else 0


def one_run(cell: str, *, seed: int, number: int) -> dict[str, dict[str, bool]]:
    """Run ``number`` of a cell: the same whenever, and in whatever order, it is run."""
    return CELLS[cell].run(Random(f"{seed} {cell} {number}"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulate", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the cells and end")
    parser.add_argument("--cells", metavar="A,B", help="these alone")
    parser.add_argument("--runs", type=int, default=RUNS, help="of each cell (%(default)s), rounded up to tens")
    parser.add_argument("--seed", type=int, default=SEED, help="%(default)s")
    parser.add_argument("--workers", type=int, default=WORKERS, help="processes (%(default)s)")
    parser.add_argument("--out", type=Path, default=FOLDER, help="the folder of results (%(default)s)")
    parser.add_argument("--table", action="store_true", help="run nothing, print what is known")
    parser.add_argument("--any-code", action="store_true", help="use results of other states of the code too")
    parser.add_argument("--write", type=Path, metavar="PAGE", help=f"put the table into this page, between {BEGIN} and {END}")
    return parser


def _missing(shelf: Shelf, cells: Sequence[str], *, seed: int, runs: int, code: str | None) -> list[Chunk]:
    """What has yet to be run; every cell gets its first runs before any gets its last."""
    done = shelf.load(seed=seed, runs=runs, code=code).done
    wanted = [Chunk(cell=cell, seed=seed, first=first) for first in range(0, runs, CHUNK) for cell in cells]
    return [chunk for chunk in wanted if chunk not in done]


def _run(shelf: Shelf, chunks: Sequence[Chunk], *, workers: int) -> None:
    began = said = monotonic()
    code, total = code_state(), len(chunks)
    with get_context("fork").Pool(workers) as pool:
        for done, line in enumerate(pool.imap_unordered(_chunk, chunks), start=1):
            shelf.save({**line, "code": code})
            if monotonic() - said >= PROGRESS_S or done == total:
                said = monotonic()
                left = (said - began) / done * (total - done)
                sys.stderr.write(f"{done}/{total} parts, {left / 60:.1f} minutes left\n")


def _chunk(chunk: Chunk) -> dict[str, Any]:
    began = process_time()
    gc.disable()  # a run makes many small values and no cycles that would outlast it
    found = [one_run(chunk.cell, seed=chunk.seed, number=number) for number in range(chunk.first, chunk.first + CHUNK)]
    gc.collect()
    return {
        "cell": chunk.cell,
        "seed": chunk.seed,
        "first": chunk.first,
        "counts": summed(found),
        "day": datetime.now(UTC).date().isoformat(),
        "seconds": round(process_time() - began, 2),
    }


def _write(page: Path, text: str) -> None:
    """Replace what stands between the two marks.

    Raises:
        ValueError: the page has not both.
    """
    old = page.read_text()
    if BEGIN not in old or END not in old:
        raise ValueError(f"{page} has not both {BEGIN} and {END}; expected the marks that the table goes between")
    before, rest = old.split(BEGIN, 1)
    page.write_text(f"{before}{BEGIN}\n{text}{rest[rest.index(END) :]}")
