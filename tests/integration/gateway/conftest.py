"""Asynchronous tests of this folder run on both event loops, each within a deadline."""

import asyncio
import inspect
from collections.abc import Callable

import pytest
import uvloop

DEADLINE_S = 5.0
LOOPS: tuple[Callable[[], asyncio.AbstractEventLoop], ...] = (asyncio.new_event_loop, uvloop.new_event_loop)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters}
    for loop_factory in LOOPS:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(asyncio.wait_for(test(**arguments), DEADLINE_S))
    return True
