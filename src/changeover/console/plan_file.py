"""Which file is meant, and what is sent of it? Its text and its prompts; keys are only named in it."""

from pathlib import Path
from typing import Final

import click
import msgspec

from changeover.console.failure import Failure
from changeover.console.server_link import Where, state_directory
from changeover.console.setup import faulty, read_config
from changeover.ports.serving import CONFIG_NAME, SERVER_FILE_NAME

FILE_OPTION: Final = click.option(
    "-f",
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file to go by. Without it: the one the server was started with.",
)
STABLE_OPTION: Final = click.option(
    "--stable",
    "stables",
    multiple=True,
    metavar="TASK",
    help="Move TASK's stable to the file's, although a rollout decided otherwise. May be repeated.",
)
ALLOW_REMOVE_OPTION: Final = click.option(
    "--allow-remove", is_flag=True, help="Take out tasks that the file has no more, and the way back of promotions."
)


class PlannedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent to the server, but for the revision."""

    text: str
    prompts: dict[str, str] = {}
    stables: tuple[str, ...] = ()
    allow_remove: bool = False


class SavedPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="changeover-plan-1"):
    """A plan in a file. It is good as long as the store is at ``revision``."""

    revision: int
    order: PlannedOrder


def file_order(where: Where, file: Path | None, *, stables: tuple[str, ...], allow_remove: bool) -> PlannedOrder:
    """The file's text with the prompts that it names.

    Raises:
        Failure: it cannot be read, or has faults; all of them are named.
    """
    from changeover.bootstrap.prompts import prompts_beside
    from changeover.settings.declared import SettingsError
    from changeover.settings.file import parse

    path = file or where.config or Path(CONFIG_NAME)
    text = read_config(path)
    read, prompts = prompts_beside(path), dict[str, str]()

    def noted(name: str) -> str | None:
        found = read(name)
        if found is not None:
            prompts[name] = found
        return found

    try:
        parse(text, files=noted)
    except SettingsError as error:
        raise faulty(path, error) from error
    return PlannedOrder(text=text, prompts=prompts, stables=stables, allow_remove=allow_remove)


def order_body(order: PlannedOrder, *, revision: int | None = None, reason: str | None = None) -> dict[str, object]:
    """The order as the calls take it."""
    body: dict[str, object] = {"text": order.text, "prompts": order.prompts, "stables": order.stables, "allow_remove": order.allow_remove}
    return body | ({} if revision is None else {"expected_revision": revision}) | ({} if reason is None else {"reason": reason})


def read_saved(path: Path) -> SavedPlan:
    """A plan that was saved.

    Raises:
        Failure: it cannot be read, or is none.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=SavedPlan)
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}", hint="save one: changeover plan --out PLAN") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Failure(f"{path} is no saved plan ({error})", hint="save one: changeover plan --out PLAN") from error


def where_with(where: Where, file: Path | None) -> Where:
    """The server that is meant: where nobody says, the one of this directory, else the one beside the file."""
    is_said = where.url is not None or where.config is not None
    if is_said or file is None or (state_directory(None) / SERVER_FILE_NAME).exists():
        return where
    return Where(config=file, token=where.token)
