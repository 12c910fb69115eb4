"""``changeover score``: send scores for requests from a file or a pipe."""

from collections.abc import Iterator
from typing import BinaryIO, Final

import click
import msgspec

from changeover.api.answers import ScoresAnswer
from changeover.console.asking import Asking, asks_server
from changeover.console.failure import Failure
from changeover.console.output import note, show
from changeover.console.server_link import ServerRefusal
from changeover.console.taught import Taught
from changeover.settings.declared import Fault

LINES_MAX: Final = 1000
BYTES_MAX: Final = 4 * 1024 * 1024

Lines = list[tuple[int, bytes]]


@click.group()
def score() -> None:
    """Send quality scores for requests."""


@score.command(
    "post", cls=Taught, examples=('echo \'{"request_id": "3f2c", "name": "rouge-l", "value": 0.41}\' | changeover score post -',)
)
@click.argument("file", type=click.File("rb"))
@asks_server
def post(asking: Asking, file: BinaryIO) -> None:
    """Send scores from FILE (or - for standard input), one JSON object a line.

    A score has request_id, name and value; scorer and comment are optional. The first value of a request,
    name and scorer stays, so sending a file twice is harmless.
    """
    sent = ScoresAnswer(taken=0, new=0)
    faults: list[str] = []
    for lines in _chunks(file):
        answer, found = _send(asking, lines)
        sent = _added(sent, answer)
        faults += found
    for warning in sent.warnings:
        note(f"warning: {warning}")
    if faults:
        many = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        message = f"{many}; {sent.new} new scores were taken all the same"
        raise Failure(message, details=faults, hint="correct those lines and send the file again: a score is taken once")
    show(msgspec.json.encode(sent), ScoresAnswer, render=_sentence, output=asking.output)


def _added(left: ScoresAnswer, right: ScoresAnswer) -> ScoresAnswer:
    """What several calls came to; the same warning once."""
    return ScoresAnswer(
        taken=left.taken + right.taken,
        new=left.new + right.new,
        unread=left.unread + right.unread,
        warnings=tuple(dict.fromkeys((*left.warnings, *right.warnings))),
    )


def _send(asking: Asking, lines: Lines) -> tuple[ScoresAnswer, list[str]]:
    body = b"\n".join(line for _, line in lines)
    try:
        reply = asking.link.post_bytes("/api/v1/scores", body, media="application/x-ndjson")
    except ServerRefusal as refusal:
        if refusal.new is None:
            raise
        return ScoresAnswer(taken=0, new=refusal.new), [_placed(fault, lines) for fault in refusal.problem.faults]
    return msgspec.json.decode(reply, type=ScoresAnswer), []


def _placed(fault: Fault, lines: Lines) -> str:
    """A fault at ``[index].field`` of what was sent, as the line of the file."""
    index, _, rest = fault.path.removeprefix("[").partition("]")
    number = lines[int(index)][0]
    return f"line {number}{rest}: found {fault.found}; expected {fault.expected}"


def _chunks(file: BinaryIO) -> Iterator[Lines]:
    """Numbered lines that are not blank, in parts that one call may carry."""
    chunk: Lines = []
    size = 0
    for number, line in enumerate(file, start=1):
        text = line.strip()
        if not text:
            continue
        if len(chunk) == LINES_MAX or (chunk and size + len(text) > BYTES_MAX):
            yield chunk
            chunk, size = [], 0
        chunk.append((number, text))
        size += len(text) + 1
    if chunk:
        yield chunk


def _sentence(answer: ScoresAnswer) -> str:
    unread = f", {answer.unread} of them read by no criterion" if answer.unread else ""
    return f"{answer.taken} scores sent, {answer.new} of them new{unread}"
