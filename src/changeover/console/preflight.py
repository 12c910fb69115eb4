"""How does the start of a rollout look while its candidate is tried, and when the trial says no?"""

from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Final

import click
import msgspec

from changeover.api.lines import Line, ProgressLine
from changeover.console.failure import ExitCode, Failure
from changeover.console.output import note
from changeover.console.server_link import ServerLink, ServerRefusal
from changeover.wire.request_lines import LineFault, read_lines

_CODES: Final[Mapping[str, ExitCode]] = {"preflight_failed": ExitCode.ROLLED_BACK, "preflight_unverified": ExitCode.UNDECIDED}
"""A gate that failed, and one that could not be asked."""

_START: Final = "/api/v1/rollouts"
_PREVIEW: Final = "/api/v1/rollouts/preview"
_SAY_S: Final = 2.0
"""A line of progress comes at most this often."""


def preflight_options(command: Callable[..., None]) -> Callable[..., None]:
    """What may be said about the trial of the candidate."""
    for option in (
        click.option("--skip-preflight", is_flag=True, help="Do not try the candidate first; recorded, with --reason."),
        click.option(
            "--requests",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE.jsonl",
            help="Try the candidate with these requests too, one JSON body a line.",
        ),
    ):
        command = option(command)
    return command


def preflight_order(requests: Path | None, *, skip: bool, reason: str) -> dict[str, object]:
    """What the options say, as the server takes it.

    Raises:
        Failure: no reason for skipping, or a file with lines that are no requests; each is named.
    """
    if skip and not reason.strip():
        raise Failure("--skip-preflight needs a reason", hint="say why: --reason WHY", code=ExitCode.USAGE)
    order: dict[str, object] = {"skip_preflight": True} if skip else {}
    if requests is not None:
        order["requests"] = _samples(requests)
    return order


def post_start(link: ServerLink, body: Mapping[str, object]) -> bytes:
    """Ask for a start, or with ``dry_run`` for what it would do, which whoever may look may ask; with progress on standard error.

    Raises:
        Failure: what the trial found, with the settings that mend it; anything else that the server refuses.
    """
    try:
        return link.follow(_PREVIEW if body.get("dry_run") else _START, body, on_line=_Telling())
    except ServerRefusal as refusal:
        code = _CODES.get(refusal.problem.code)
        if code is None:
            raise
        problem = refusal.problem
        paste = ["", *problem.paste.splitlines(), ""] if problem.paste else []
        raise Failure(problem.message, hint=problem.hint, details=[*problem.details, *paste], code=code) from refusal


class _Telling:
    """Prints the plan, then how far it has come, not too often."""

    def __init__(self) -> None:
        self._said = 0
        self._said_at = 0.0

    def __call__(self, raw: bytes) -> None:
        line = msgspec.json.decode(raw, type=Line)
        if not isinstance(line, ProgressLine):
            return
        now = monotonic()
        if not line.sent:
            note(line.text)
        elif line.sent == self._said or now - self._said_at < _SAY_S:
            return
        else:
            note(f"  {line.sent} answered, the last one: {line.text}")
        self._said, self._said_at = line.sent, now


def _samples(path: Path) -> list[dict[str, object]]:
    try:
        samples, faults = read_lines(path.read_bytes())
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}", hint="name a file with one JSON body a line", code=ExitCode.USAGE) from error
    if faults:
        raise _bad_lines(path, faults)
    return [{"surface": sample.surface.value, "body": sample.body} for sample in samples]


def _bad_lines(path: Path, faults: tuple[LineFault, ...]) -> Failure:
    details = [f"line {fault.line}: {fault.text}" if fault.line else fault.text for fault in faults]
    hint = 'one JSON object a line: the body of a request, or {"url": "/v1/chat/completions", "body": {...}} as in batches'
    return Failure(f"{path} cannot be used", hint=hint, details=details, code=ExitCode.USAGE)
