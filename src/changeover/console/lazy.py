"""Which commands are there? Listed with their help, imported only when called, so that ``--help`` costs next to nothing."""

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click


class Entry(NamedTuple):
    """A command: where it is (``module:attribute``) and its line of help. ``section`` ``None`` hides it."""

    target: str
    help: str
    section: str | None


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called. Sections of ``--help`` come in the order of entries."""

    def __init__(self, *args: Any, entries: Mapping[str, Entry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Click guesses among commands that are loaded, which are none here."""
        name = args[0]
        if name not in self.entries and not ctx.resilient_parsing and not name.startswith("-"):
            raise click.UsageError(f"No such command {name!r}.{self._guess(name)}", ctx)
        return super().resolve_command(ctx, args)

    def _guess(self, name: str) -> str:
        from difflib import get_close_matches

        known = [each for each, entry in self.entries.items() if entry.section is not None]
        close = get_close_matches(name, known)
        return f" Did you mean {' or '.join(close)}?" if close else ""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, entry in self.entries.items():
            if entry.section is not None:
                sections.setdefault(entry.section, []).append((name, entry.help))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows)
