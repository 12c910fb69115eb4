"""Move the store to a file: what would change, the change itself, and the file that says what is in force.

The caller sends the file's text and the prompts that it names; nothing is read from this machine for them.
"""

import asyncio
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.bodies import actor_of, read_json
from changeover.api.commanding import Reason
from changeover.api.declared_now import declared_now
from changeover.api.desk import Desk, desk_of
from changeover.api.errors import answer, invalid
from changeover.api.plan_answers import AppliedAnswer, ExportAnswer, PlanAnswer
from changeover.rollout.commands import NothingToDo, Order, Refusal, amend, refuse_stale
from changeover.rollout.terms import Terms
from changeover.rollout.world import Applied, Proposal, World
from changeover.settings.amending import Wishes, amending
from changeover.settings.declared import Declared, SettingsError
from changeover.settings.file import parse
from changeover.settings.plans import terms_of
from changeover.settings.tree import TEXT_CHARS_MAX
from changeover.settings.written_file import file_text


class FileOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``text`` is a whole changeover.yaml; ``prompts`` the texts of the files it names, by the names it uses for them.

    ``stables`` names tasks whose stable moves to the file's although a rollout decided otherwise. ``expected_revision`` is
    that of the plan which was looked at.
    """

    text: Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)]
    prompts: dict[str, str] = {}
    stables: tuple[str, ...] = ()
    allow_remove: bool = False
    reason: Reason = ""
    expected_revision: int | None = None

    @property
    def wishes(self) -> Wishes:
        return Wishes(stables=self.stables, allow_remove=self.allow_remove)


async def plan(request: Request) -> Response:
    """What applying the file would change. Changes nothing."""
    sent = await read_json(request, FileOrder)
    desk = desk_of(request)
    declared, base = await _read(desk, sent)
    world = await desk.office.read(lambda store: store.world())
    refuse_stale(world, Order(actor=actor_of(request), reason="", expected_revision=sent.expected_revision))
    _refuse_unknown(world, declared, sent)
    found = amending(world, declared, terms=base, wishes=sent.wishes)
    return answer(
        PlanAnswer(
            revision=world.revision,
            has_changes=any(each.is_change for each in found.amendments),
            amendments=found.amendments,
            faults=found.faults,
            warnings=declared.warnings,
        )
    )


async def apply(request: Request) -> Response:
    """Move the store to the file, in one revision. What is kept or refused stays as it is, and is said."""
    sent = await read_json(request, FileOrder)
    desk = desk_of(request)
    declared, base = await _read(desk, sent)
    order = Order(actor=actor_of(request), reason=sent.reason, expected_revision=sent.expected_revision)

    def decide(world: World) -> Proposal:
        refuse_stale(world, order)
        _refuse_unknown(world, declared, sent)
        return amend(world, _content(world, declared, base, sent), order=order)

    change = await desk.office.commit(decide)
    assert isinstance(change.body, Applied)
    world = await desk.office.read(lambda store: store.world())
    return answer(
        AppliedAnswer(
            revision=change.revision,
            table_revision=world.table_revision,
            amendments=change.body.amendments,
            warnings=declared.warnings,
        )
    )


def _content(world: World, declared: Declared, base: Terms | None, sent: FileOrder) -> Applied:
    found = amending(world, declared, terms=base, wishes=sent.wishes)
    if found.faults:
        raise Refusal(
            "invalid",
            f"the store would not hold together: {'; '.join(found.faults)}",
            hint="What is kept or refused does not go with the rest of the file; settle that first: changeover plan",
        )
    if found.applied is None:
        raise NothingToDo("nothing of the file is to be applied")
    return found.applied


async def export(request: Request) -> Response:
    """What is in force, as a file that would change nothing."""
    desk = desk_of(request)
    world = await desk.office.read(lambda store: store.world())
    declared = await asyncio.to_thread(_with_people, await declared_now(desk), desk)
    text = await asyncio.to_thread(_checked_text, declared)
    return answer(ExportAnswer(revision=world.revision, text=text))


def _with_people(declared: Declared, desk: Desk) -> Declared:
    """With who is told and which rules hold for people: those stand in the server's own file alone."""
    try:
        own = desk.declared()
    except SettingsError:
        return declared
    return msgspec.structs.replace(declared, alerts=own.alerts, policy=own.policy)


def _checked_text(declared: Declared) -> str:
    text = file_text(declared)
    try:
        parse(text)
    except SettingsError as error:
        hint = "write these places by hand, a prompt into a file of its own"
        raise invalid("what is in force cannot be written as a file in whole", hint=hint, faults=error.faults) from error
    return text


async def _read(desk: Desk, sent: FileOrder) -> tuple[Declared, Terms | None]:
    """The file that was sent, and what the server's own says, where the store holds no terms of its own."""
    declared = await asyncio.to_thread(_parsed, sent)
    world = await desk.office.read(lambda store: store.world())
    if world.terms is not None:
        return declared, None
    try:
        return declared, terms_of(await asyncio.to_thread(desk.declared))
    except SettingsError:
        return declared, None


def _parsed(sent: FileOrder) -> Declared:
    try:
        return parse(sent.text, files=sent.prompts.get)
    except SettingsError as error:
        raise invalid("the file that was sent cannot be used", hint="see all of it: changeover check", faults=error.faults) from error


def _refuse_unknown(world: World, declared: Declared, sent: FileOrder) -> None:
    """A wish for a task that is not there is a slip of the pen."""
    for name in sent.stables:
        if name not in world.tasks or name not in declared.tasks:
            where = "the store" if name not in world.tasks else "the file"
            raise Refusal("invalid", f"--stable {name}: there is no such task in {where}", hint="Name a task that both have")


ROUTES = (
    Route("/api/v1/plan", plan, methods=["POST"]),
    Route("/api/v1/apply", apply, methods=["POST"]),
    Route("/api/v1/export", export, methods=["GET"]),
)
