"""How is an answer shown? As a table for people, as JSON or YAML for programs. Data goes to stdout, all else to stderr."""

import os
import sys
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import click
import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

T = TypeVar("T")
PIPE_COLUMNS: Final = 140
"""Into a pipe or a file there is no width to keep to, and wrapped cells are hard to search."""
Format = Literal["table", "json", "yaml"]


def show(reply: bytes, kind: type[T], *, render: "Callable[[T], RenderableType]", output: Format) -> None:
    """Print an answer of the server as asked."""
    if output == "table":
        print_table(render(msgspec.json.decode(reply, type=kind)))
    else:
        click.echo(as_text(reply, output=output))


def as_text(reply: bytes, *, output: Literal["json", "yaml"]) -> str:
    if output == "json":
        return msgspec.json.format(reply, indent=2).decode()
    import yaml

    return str(yaml.safe_dump(msgspec.json.decode(reply), sort_keys=False, allow_unicode=True)).rstrip()


def print_table(content: "RenderableType") -> None:
    """Rich is imported here and in the renderers alone; it honours NO_COLOR and the width of the terminal."""
    from rich.console import Console

    is_sized = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(highlight=False, width=None if is_sized else PIPE_COLUMNS)
    with console.capture() as captured:
        console.print(content)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def note(text: str) -> None:
    """Progress, and what a person should know besides."""
    click.echo(text, err=True)


def is_interactive() -> bool:
    """Whether somebody is there to answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()
