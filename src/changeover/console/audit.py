"""``changeover audit``: who did what and why, and the proof that the log was not changed afterwards."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from changeover.console.asking import OUTPUT_OPTION, Asking, asks_server, takes_where
from changeover.console.failure import ExitCode, Failure
from changeover.console.output import Format, as_text, note, show
from changeover.console.server_link import Where, open_link
from changeover.console.taught import Taught
from changeover.console.time_span import TimeSpan, time_span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from changeover.api.audit_answers import AuditCheck, LinksAnswer
    from changeover.rollout.audit_chain import Head, Link

STANDARD: Final = "-"
LIMIT_MAX: Final = 10_000
_STATE = click.Path(path_type=Path, file_okay=False)


@click.group()
def audit() -> None:
    """Read the audit log, and verify that nothing of it was changed."""


@audit.command(
    "ls",
    cls=Taught,
    examples=("changeover audit ls --task email-summarisation", "changeover audit ls --actor ada --since 7d -o json | jq .entries"),
)
@click.option("--task", help="Only what is about this task.")
@click.option("--actor", help="Only what this person or part did.")
@click.option("--since", callback=time_span, metavar="SPAN", help="How far back, such as 7d, or FROM..TO as dates of UTC.")
@click.option("--limit", type=click.IntRange(1, LIMIT_MAX), default=50, show_default=True, help="At most so many, the newest.")
@click.option("--detail", is_flag=True, help="Under each change: every place that it moved, from what to what, and on which evidence.")
@asks_server
def ls(asking: Asking, *, task: str | None, actor: str | None, since: TimeSpan | None, limit: int, detail: bool) -> None:
    """Show what was changed, a line each: when, by whom, what, and why."""
    from changeover.api.audit_answers import AuditAnswer
    from changeover.console.render_audit import render_audit, render_audit_detail

    asked: dict[str, str | int] = {"limit": limit, **({} if since is None else since.asked)}
    asked |= {name: value for name, value in (("task", task), ("actor", actor)) if value is not None}
    show(
        asking.link.get("/api/v1/audit", **asked), AuditAnswer, render=render_audit_detail if detail else render_audit, output=asking.output
    )


@audit.command(
    "verify",
    cls=Taught,
    examples=(
        "changeover audit verify",
        "changeover audit verify --state-dir .changeover",
        "changeover audit verify --file audit.jsonl",
        "changeover audit verify --anchor 42:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ),
)
@click.option("--file", "file", metavar="FILE", help="An exported log instead of a server; - is standard input.")
@click.option("--state-dir", type=_STATE, help="The store of this state directory, with or without a server over it.")
@click.option("--anchor", "anchors", multiple=True, metavar="REV:HASH", help="An earlier head, kept elsewhere; may be repeated.")
@OUTPUT_OPTION
@takes_where
def verify(where: Where, *, file: str | None, state_dir: Path | None, anchors: tuple[str, ...], output: Format) -> None:
    """Check that the log is the one that was written.

    Every change carries the hash of the one before, so that a change which was rewritten, removed or put elsewhere breaks
    the chain; each broken link is named and the exit code is 3. The head that is printed, kept in another place, proves later
    that nothing before it was written anew.
    """
    import msgspec

    if file is not None and state_dir is not None:
        raise click.UsageError("--file and --state-dir are two places to look at; name one of them")
    kept = [_anchor(anchor) for anchor in anchors]
    if file is not None:
        found = _checked(*_from_file(file), kept)
    elif state_dir is not None:
        found = _checked(*_from_store(state_dir), kept)
    else:
        found = _asked(where, kept)
    if output == "table":
        _show(found)
    else:
        click.echo(as_text(msgspec.json.encode(found), output=output))
    if not found.ok:
        hint = "the log was changed after the fact: keep a copy of it as it is, and compare with a backup or an export"
        raise Failure(
            f"{len(found.faults)} {'fault' if len(found.faults) == 1 else 'faults'} in the audit log", hint=hint, code=ExitCode.ROLLED_BACK
        )


@audit.command(
    "export",
    cls=Taught,
    examples=("changeover audit export | tee audit.jsonl", "changeover audit export -o jsonl | changeover audit verify --file -"),
)
@click.option("-o", "--output", type=click.Choice(["jsonl"]), default="jsonl", show_default=True, help="Form of the export.")
@takes_where
def export(where: Where, *, output: str) -> None:  # noqa: ARG001 - there is one form
    """Write the whole log to standard output, one change a line, so that it can be verified anywhere."""
    from changeover.rollout.audit_chain import Head
    from changeover.rollout.audit_file import written, written_head

    head = Head()
    with open_link(where) as link:
        for page in _pages(link.get):
            for line in written(page.links):
                sys.stdout.buffer.write(line + b"\n")
            head = page.head
    sys.stdout.buffer.write(written_head(head) + b"\n")
    sys.stdout.buffer.flush()
    note(f"the log ends at {head}; keep that line elsewhere, and check it with: changeover audit verify --anchor")


def _pages(get: "Callable[..., bytes]") -> "Iterator[LinksAnswer]":
    """The log up to where it ended at the first call, at least one page."""
    import msgspec

    from changeover.api.audit_answers import LinksAnswer

    after, end = 0, None
    while True:
        page = msgspec.json.decode(get("/api/v1/audit/links", after=after), type=LinksAnswer)
        end = page.head if end is None else end
        kept = tuple(link for link in page.links if link.revision <= end.revision)
        yield msgspec.structs.replace(page, links=kept, head=end)
        after = page.next
        if after >= end.revision or not page.links:
            return


def _asked(where: Where, anchors: "Sequence[Head]") -> "AuditCheck":
    import msgspec

    from changeover.api.audit_answers import AuditCheck

    asked = {"anchors": ",".join(map(str, anchors))} if anchors else {}
    with open_link(where) as link:
        return msgspec.json.decode(link.get("/api/v1/audit/verification", **asked), type=AuditCheck)


def _from_file(name: str) -> "tuple[list[Link], Head]":
    from changeover.rollout.audit_file import AuditFileError, read

    try:
        return read((sys.stdin.buffer.read() if name == STANDARD else Path(name).read_bytes()).splitlines())
    except OSError as error:
        raise Failure(f"cannot read {name}: {error.strerror}", hint="name a file that can be read") from error
    except AuditFileError as error:
        hint = "export it anew: changeover audit export > FILE"
        raise Failure(f"{name} is no whole audit log: {error}", hint=hint, code=ExitCode.ROLLED_BACK) from error


def _from_store(state: Path) -> "tuple[list[Link], Head]":
    from changeover.bootstrap.store_access import look_into
    from changeover.ports.store import StoreError

    try:
        with look_into(state) as store:
            head = store.head()
            return list(store.links(limit=store.world().revision + head.revision + 1)), head
    except StoreError as error:
        raise Failure(str(error)) from error


def _anchor(text: str) -> "Head":
    from changeover.rollout.audit_chain import Head

    revision, _, tied = text.partition(":")
    if not revision.isdigit() or not tied:
        raise click.UsageError(f"--anchor: found {text!r}, expected REV:HASH as printed by an earlier verify")
    return Head(revision=int(revision), hash=tied)


def _checked(links: "list[Link]", head: "Head", anchors: "Sequence[Head]") -> "AuditCheck":
    from changeover.api.audit_answers import AuditCheck
    from changeover.rollout.audit_chain import chain_faults

    faults = tuple(chain_faults(links, head=head, anchors=anchors))
    return AuditCheck(ok=not faults, checked=len(links), head=head, faults=faults)


def _show(found: "AuditCheck") -> None:
    for fault in found.faults:
        click.echo(f"✖ {fault}")
    if found.ok:
        click.echo(f"✔ all {found.checked} changes are as they were written; the log ends at {found.head}")
