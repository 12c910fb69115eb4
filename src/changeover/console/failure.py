"""How does a command end when it cannot do what was asked? One line of what, one of what to do, and an exit code."""

from collections.abc import Sequence
from enum import IntEnum
from typing import IO, Any

import click


class ExitCode(IntEnum):
    """What scripts may rely on."""

    OK = 0
    ERROR = 1
    USAGE = 2
    ROLLED_BACK = 3
    NOT_ALLOWED = 4
    UNDECIDED = 5
    STALE = 6


class Failure(click.ClickException):
    """Ends the command: ``message``, then every detail on its own line, then what to do next, all on stderr."""

    def __init__(self, message: str, *, hint: str = "", details: Sequence[str] = (), code: ExitCode = ExitCode.ERROR) -> None:
        super().__init__(message)
        self.hint = hint
        self.details = tuple(details)
        self.exit_code = int(code)  # pyright: ignore[reportAttributeAccessIssue]  click reads it from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"error: {self.message}", file=file, err=True)
        for detail in self.details:
            click.echo(f"  {detail}", file=file, err=True)
        if self.hint:
            click.echo(f"  {self.hint}", file=file, err=True)
