"""``changeover db``: the store itself. These commands open it without a server."""

import contextlib
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar, cast

import click

from changeover.console.asking import OUTPUT_OPTION
from changeover.console.database_option import DATABASE_OPTION
from changeover.console.failure import ExitCode, Failure
from changeover.console.output import Format, as_text, is_interactive, note
from changeover.console.running import STATE_OPTION
from changeover.console.server_link import state_directory
from changeover.console.setup import CONFIG_OPTION
from changeover.console.taught import Taught

if TYPE_CHECKING:
    from changeover.bootstrap.store_access import Kept, Restored, StorePlace, Upgrade

P = ParamSpec("P")
T = TypeVar("T")

_EVIDENCE: Final = "observations and scores can all be read (no chain holds them)"
_FILE: Final = click.Path(path_type=Path, dir_okay=False)


def _on_store(function: "Callable[Concatenate[StorePlace, P], None]") -> Callable[..., None]:
    """Give a command the options that name a store, and the store as its first argument."""
    import functools

    @functools.wraps(function)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        from changeover.bootstrap.store_access import StorePlace

        named: dict[str, Any] = {name: kwargs.pop(name) for name in ("config", "state", "database")}
        state = cast("Path | None", named["state"]) or state_directory(cast("Path", named["config"]))
        with _said():
            function(StorePlace(state, cast("str | None", named["database"])), *args, **kwargs)

    command: Callable[..., None] = told
    for option in (OUTPUT_OPTION, DATABASE_OPTION, STATE_OPTION, CONFIG_OPTION):
        command = option(command)
    return command


@contextlib.contextmanager
def _said() -> Generator[None]:
    from changeover.ports.store import StoreError, UnsoundError

    try:
        yield
    except UnsoundError as error:
        raise Failure(str(error), code=ExitCode.ROLLED_BACK) from error
    except StoreError as error:
        raise Failure(str(error)) from error


@click.group()
def db() -> None:
    """Upgrade, back up, restore and verify the store."""


@db.command("upgrade", cls=Taught, examples=("changeover db upgrade --dry-run", "changeover db upgrade"))
@click.option("--dry-run", is_flag=True, help="Say which steps are due, and take none.")
@_on_store
def upgrade(place: "StorePlace", *, dry_run: bool, output: Format) -> None:
    """Move the store to the schema of this version, all of it or nothing.

    A store in a file is moved up by the next start as well. A PostgreSQL database is moved up by this command alone, while no
    control plane is connected; gateways serve on meanwhile. Make a backup first: the way back is to restore it.
    """
    found = place.upgrade(dry_run=dry_run)
    _show(found, output, _upgrade_lines)


@db.command("backup", cls=Taught, examples=("changeover db backup changeover-backup.db",))
@click.argument("target", metavar="FILE", type=_FILE)
@_on_store
def backup(place: "StorePlace", target: Path, *, output: Format) -> None:
    """Write the whole store, as it is at one moment, into the new FILE; servers may run on.

    The file is a SQLite file whatever the store is in. It is verified after it was written. It holds hashes of keys and what was
    observed of requests, never their text.
    """
    found = place.back_up(target)
    _show(found, output, lambda kept: (f"wrote {target}: {_at(kept)}",))
    _refuse_broken(found)
    note(f"check it anywhere: changeover db verify --file {target}; bring it back: changeover db restore {target}")


@db.command(
    "restore", cls=Taught, examples=("changeover db restore changeover-backup.db", "changeover db restore changeover-backup.db --yes")
)
@click.argument("source", metavar="FILE", type=_FILE)
@click.option("--yes", is_flag=True, help="Replace what the store holds.")
@_on_store
def restore(place: "StorePlace", source: Path, *, yes: bool, output: Format) -> None:
    """Put what the backup FILE holds into the store, which no server may have open.

    FILE is verified first, the store afterwards. A store that holds anything is replaced only with --yes; a file that was there
    is kept beside it.
    """
    replace = yes or (is_interactive() and click.confirm("replace what the store holds, if it holds anything?", err=True))
    found = place.restore(source, replace=replace)
    _show(found, output, lambda done: _restored_lines(source, done))
    if found.set_aside is not None:
        note(f"what was there before is in {found.set_aside}")
    note("gateways that run elsewhere may serve a newer table, and never go back: stop each, remove table.json in its state directory,")
    note("and start it again once the control plane runs")


@db.command("verify", cls=Taught, examples=("changeover db verify", "changeover db verify --file changeover-backup.db"))
@click.option("--file", "file", type=_FILE, metavar="FILE", help="A backup in place of the store.")
@_on_store
def verify(place: "StorePlace", *, file: Path | None, output: Format) -> None:
    """Check that the store is whole: its pages, the chain of the log, and that replaying the log makes the state.

    Observations and scores are in no chain: each is read, and one that was changed to another that can be read is not found.
    A server may run meanwhile. Exits 3 when anything is wrong, and names it.
    """
    from changeover.bootstrap.store_access import verified_file

    found = place.verify() if file is None else verified_file(file)
    _show(found, output, _kept_lines)
    _refuse_broken(found)


def _show(found: T, output: Format, lines: Callable[[T], Iterable[str]]) -> None:
    import msgspec

    if output != "table":
        click.echo(as_text(msgspec.json.encode(found), output=output))
        return
    for line in lines(found):
        click.echo(line)


def _refuse_broken(found: "Kept") -> None:
    if not found.ok:
        hint = "stop the server, keep a copy of the store as it is, and restore a backup"
        raise Failure(f"{len(found.faults)} faults in {found.place}", hint=hint, code=ExitCode.ROLLED_BACK)


def _upgrade_lines(found: "Upgrade") -> list[str]:
    if not found.steps:
        return [f"nothing to do: the schema is {found.newest}, the newest"]
    done = "moved" if found.done else "would move"
    return [f"{done} from schema {found.found or 'none'} to {found.newest}:", *(f"  {step.schema}  {step.what}" for step in found.steps)]


def _restored_lines(source: Path, done: "Restored") -> tuple[str, ...]:
    return (f"restored {source} into {done.place}; the log ends at {done.head}",)


def _kept_lines(kept: "Kept") -> list[str]:
    return [f"✖ {fault}" for fault in kept.faults] or [f"✔ {kept.place} is whole: {_at(kept)}; {_EVIDENCE}"]


def _at(kept: "Kept") -> str:
    return f"{kept.head.revision} changes, the log ends at {kept.head}"
