"""What is declared as far as this server is concerned? What was applied, else its own file as it is now."""

import asyncio
from collections.abc import Callable

from changeover.api.desk import Desk
from changeover.rollout.world import World
from changeover.settings.declared import Declared, SettingsError
from changeover.settings.differences import asked_otherwise
from changeover.settings.in_force import in_force


def declared_from(world: World, read: Callable[[], Declared]) -> Declared:
    """What ``world`` holds; a store that holds no terms leaves it all to the file, which ``read`` reads anew.

    Raises:
        SettingsError: the file is asked, and has faults.
    """
    return read() if world.terms is None else in_force(world, world.terms)


async def declared_now(desk: Desk) -> Declared:
    """Like `declared_from`, from the event loop."""
    world = await desk.office.read(lambda store: store.world())
    return await asyncio.to_thread(declared_from, world, desk.declared)


async def edit_warnings(desk: Desk, task: str) -> tuple[str, ...]:
    """Whether the server's own file asks other things of ``task`` than what was applied: its editor may believe that they hold."""
    world = await desk.office.read(lambda store: store.world())
    if world.terms is None:
        return ()
    try:
        edited = await asyncio.to_thread(desk.declared)
    except SettingsError:
        return ()
    return tuple(f"{each}; to take it over: changeover plan, then changeover apply" for each in asked_otherwise(world.terms, edited, task))
