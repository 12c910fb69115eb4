"""The options that every command to a running server has, and the link they make."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, ParamSpec, cast

import click

from changeover.console.output import Format
from changeover.console.server_link import ServerLink, Where, open_link

P = ParamSpec("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The server, and the form in which its answer is wanted."""

    link: ServerLink
    output: Format


def takes_where(function: Callable[Concatenate[Where, P], None]) -> Callable[..., None]:
    """Give a command ``-c``, ``--url`` and ``--token``, and a `Where` as its first argument: for commands that decide
    themselves whether to ask, and in which form to answer.
    """

    @functools.wraps(function)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        where = Where(
            url=cast("str | None", kwargs.pop("url")),
            token=cast("str | None", kwargs.pop("token")),
            config=cast("Path | None", kwargs.pop("config")),
        )
        function(where, *args, **kwargs)

    for option in reversed(_WHERE_OPTIONS):
        told = option(told)
    return told


def asks_server(function: Callable[Concatenate[Asking, P], None]) -> Callable[..., None]:
    """Give a command ``-c``, ``--url``, ``--token`` and ``-o``, and an `Asking` as its first argument."""

    @functools.wraps(function)
    def asking(where: Where, *args: P.args, **kwargs: P.kwargs) -> None:
        output = cast("Format", kwargs.pop("output"))
        with open_link(where) as link:
            function(Asking(link=link, output=output), *args, **kwargs)

    return OUTPUT_OPTION(takes_where(asking))


OUTPUT_OPTION = click.option(
    "-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True, help="Form of the answer."
)
_WHERE_OPTIONS = (
    click.option("-c", "--config", type=click.Path(path_type=Path, dir_okay=False), help="The file the server was started with."),
    click.option(
        "--url", envvar="CHANGEOVER_URL", metavar="URL", help="The control port of a server, if it is not the one of this directory."
    ),
    click.option(
        "--token", envvar="CHANGEOVER_TOKEN", metavar="TOKEN", help="Its token; better in CHANGEOVER_TOKEN than on the command line."
    ),
)
