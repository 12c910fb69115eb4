"""``changeover rollout affected``: every answer a candidate gave, line by line, so that it can be done again."""

import contextlib
import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from changeover.console.asking import takes_where
from changeover.console.failure import Failure
from changeover.console.output import note
from changeover.console.server_link import ServerLink, ServerRefusal, Where, open_link, segment
from changeover.console.taught import Taught

if TYPE_CHECKING:
    from changeover.api.affected_answers import AffectedAnswer, AffectedEnd
    from changeover.rollout.state import Rollout

FORMS: Final = ("table", "jsonl", "csv")

_END: Final = b'{"end":'


@click.command(
    cls=Taught,
    examples=(
        "changeover rollout affected email-summarisation -o jsonl",
        "changeover rollout affected summarise-on-mini-1 -o csv --units documents.txt",
        "changeover rollout affected email-summarisation -o jsonl --assigned | jq -r .request_id",
    ),
)
@click.argument("name", metavar="ROLLOUT|TASK")
@click.option("--assigned", is_flag=True, help="Also requests that were drawn for the candidate and answered by another, or by nobody.")
@click.option("--after", metavar="REQUEST_ID", help="Go on after this line, where an earlier run broke off.")
@click.option(
    "--units",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Your own ids, one a line: each answer then says to which of them it belongs.",
)
@click.option("-o", "--output", type=click.Choice(FORMS), default="table", show_default=True, help="Form of the answer.")
@takes_where
def affected(where: Where, name: str, assigned: bool, after: str | None, units: Path | None, output: str) -> None:
    """List every answer that the candidate of a rollout gave, so that it can be done again.

    A task's name stands for its active or latest rollout. Answers count whether the rollout was running, paused or
    baking when they were given, and those after a promotion too. By attempt and then by time; a second run gives the
    same lines in the same order, and what was reported meanwhile. The count goes to standard error.

    Unit ids are stored hashed. With --units the ids of a file, such as those of your documents, are hashed here and looked
    for; nothing of the file leaves this machine.
    """
    with open_link(where) as link:
        rollout = _rollout(link, name)
        asked = {"assigned": str(int(assigned)), **({} if after is None else {"after": after})}
        answers = _Answers(link.lines(f"/api/v1/rollouts/{segment(rollout.id)}/affected", **asked))
        tell = None if units is None else _teller(link, rollout, units)
        with _quiet_when_nobody_reads():
            last = _print(answers, output=output, tell=tell)
    _conclude(rollout, answers.end, last)


def _rollout(link: ServerLink, name: str) -> "Rollout":
    """The rollout as it is called, so that a new attempt cannot come in between."""
    import msgspec

    from changeover.api.answers import RolloutAnswer

    return msgspec.json.decode(link.get(f"/api/v1/rollouts/{segment(name)}"), type=RolloutAnswer).rollout


def _teller(link: ServerLink, rollout: "Rollout", file: Path) -> "Callable[[AffectedAnswer], str]":
    """Says which line of the file a hashed unit is. A unit is hashed anew in every attempt."""
    import msgspec

    from changeover.api.answers import RolloutsAnswer
    from changeover.console.unit_book import UnitBook

    known = msgspec.json.decode(link.get("/api/v1/rollouts"), type=RolloutsAnswer).rollouts
    salts = {each.attempt: each.salt for each in known if each.task == rollout.task}
    try:
        book = UnitBook(file.read_text(encoding="utf-8").splitlines(), salts)
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"cannot read {file}: {error}", hint="name a text file in UTF-8 with one id a line") from error
    return lambda seen: book.unit_of(seen.unit, attempt=seen.attempt) if seen.sticky else ""


class _Answers:
    """The answers among the lines; ``end`` is there once they have been read, unless they broke off."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self.end: AffectedEnd | None = None

    def __iter__(self) -> "Iterator[AffectedAnswer]":
        import msgspec

        from changeover.api.affected_answers import AffectedAnswer, AffectedEndLine

        decode = msgspec.json.Decoder(AffectedAnswer).decode
        for line in self._lines:
            if line.startswith(_END):
                self.end = msgspec.json.decode(line, type=AffectedEndLine).end
            else:
                yield decode(line)


def _print(answers: _Answers, *, output: str, tell: "Callable[[AffectedAnswer], str] | None") -> str:
    """Print them as they come; the last request id printed."""
    from changeover.console.render_affected import writer

    out, last = sys.stdout, ""
    try:
        for text, request_id in writer(output)(answers, tell):
            out.write(text)
            last = request_id or last
    except ServerRefusal:
        raise
    except Failure as failure:
        raise _broken_off(str(failure), last) from failure
    finally:
        out.flush()
    return last


def _conclude(rollout: "Rollout", end: "AffectedEnd | None", last: str) -> None:
    """The count and what it leaves open, on standard error.

    Raises:
        Failure: the lines broke off.
    """
    from changeover.console.render_affected import remarks

    if end is None or end.problem:
        raise _broken_off("the answer broke off" if end is None else end.problem, last)
    for line in remarks(rollout, end):
        note(line)


def _broken_off(why: str, last: str) -> Failure:
    again = f"go on where it stopped: add --after {last}" if last else "ask again"
    return Failure(f"the list is not complete: {why}", hint=again)


@contextlib.contextmanager
def _quiet_when_nobody_reads() -> Generator[None]:
    """Whoever reads the pipe may stop at any line (`head`); the interpreter's own flush must not complain then."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(1) from None
