"""Which event loop runs a program? uvloop where it is installed, the standard loop elsewhere."""

import asyncio
from collections.abc import Coroutine


def run_program(program: Coroutine[object, object, None]) -> None:
    """Run ``program`` to its end on a fresh loop."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        with asyncio.Runner() as runner:
            runner.run(program)
    else:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(program)
