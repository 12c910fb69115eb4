"""What do requests look like, task by task? Noted after their answers, told now and then; never delays a request (rule I16)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

import msgspec

from changeover.ports.planes import LinkDownError, PlaneLink, ShapeReport, TaskShape
from changeover.wire.sent_shape import SentShape, merged, shape_of
from changeover.wire.surface import Ask

KEYS_MAX: Final = 64
"""Different requests told apart, per task. On top of these one a refresh takes the place of the oldest."""
REFRESH_S: Final = 1.0
"""A request like an earlier one is looked at this seldom, per task, in case a value is new."""
RETELL_S: Final = 10.0
"""A shape with new values is told again this seldom."""
REMIND_S: Final = 60.0
"""A shape that is still asked for is told again this often: its last time counts, and the control plane may have forgotten."""
TELL_S: Final = 1.0
REPORT_MAX: Final = 200
"""Shapes in one report."""

_log: Final = logging.getLogger(__name__)
_Key = tuple[object, ...]


@dataclass(slots=True)
class _Noted:
    shape: SentShape
    untold: bool = True
    told_at: float = float("-inf")

    def see(self, shape: SentShape, now: float) -> None:
        known = self.shape.values
        if any(value not in known.get(name, ()) for name, values in shape.values.items() for value in values):
            self.shape, self.untold = merged((shape, self.shape)), True
        elif now - self.told_at >= REMIND_S:
            self.untold = True


@dataclass(slots=True)
class _OfTask:
    refresh_at: float = float("-inf")
    noted: dict[_Key, _Noted] = field(default_factory=dict[_Key, _Noted])


class ShapeNoter:
    """Notes the shapes of answered requests. A request like an earlier one costs a tuple and two look-ups."""

    def __init__(self) -> None:
        self._tasks: dict[str, _OfTask] = {}

    def note(self, task: str, ask: Ask, fields: Mapping[str, msgspec.Raw]) -> None:
        """A request of ``task`` was answered. Synchronous, bounded in time and memory, raises nothing."""
        of_task = self._tasks.get(task)
        if of_task is None:
            of_task = self._tasks[task] = _OfTask()
        key = (ask.surface, ask.query, tuple(fields))
        known, now = of_task.noted.get(key), monotonic()
        if now < of_task.refresh_at and (known is not None or len(of_task.noted) >= KEYS_MAX):
            return
        of_task.refresh_at = now + REFRESH_S
        shape = shape_of(ask.surface, fields, query=ask.query)
        if known is not None:
            known.see(shape, now)
            return
        if len(of_task.noted) >= KEYS_MAX:
            del of_task.noted[next(iter(of_task.noted))]
        of_task.noted[key] = _Noted(shape)

    def due(self, now: float) -> Iterator[tuple[str, _Noted]]:
        """What is to be told, with its task. ``now`` is of the monotonic clock."""
        for task, of_task in self._tasks.items():
            for noted in of_task.noted.values():
                if noted.untold and now - noted.told_at >= RETELL_S:
                    yield task, noted


class ShapeTeller:
    """Tells the control plane what a noter has noted."""

    def __init__(self, noter: ShapeNoter, *, plane: str, boot: str, link: PlaneLink) -> None:
        self._noter = noter
        self._plane = plane
        self._boot = boot
        self._link = link
        self._connected = True

    async def run(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Tell until cancelled. What could not be told is told later."""
        while True:
            await self.tell()
            await sleep(TELL_S)

    async def tell(self) -> None:
        """Tell what is due, if anything is."""
        now = monotonic()
        due = [each for each, _ in zip(self._noter.due(now), range(REPORT_MAX), strict=False)]
        if not due:
            return
        shapes = tuple(TaskShape(task=task, shape=noted.shape) for task, noted in due)
        for _, noted in due:
            noted.untold = False  # before it is sent: what is seen meanwhile is told next time
        try:
            await self._link.tell_shapes(ShapeReport(plane=self._plane, boot=self._boot, shapes=shapes))
        except LinkDownError as error:
            for _, noted in due:
                noted.untold = True
            if self._connected:
                _log.info("the shapes of requests cannot be told now: %s", error)
            self._connected = False
            return
        self._connected = True
        for _, noted in due:
            noted.told_at = now
