"""What does the story need of the world? A server to ask, an application at work, processes that stay, a voice, and patience."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from changeover.api.answers import CompareAnswer, EventView, RolloutAnswer, StatusAnswer
from changeover.demo.children import ChildError, CommandResult
from changeover.demo.failure import StoppedShortError
from changeover.demo.voice import Voice


class Server(Protocol):
    """The control API's questions. Each raises ``StoppedShortError`` when it is not answered."""

    async def status(self) -> StatusAnswer: ...

    async def rollout(self, name: str) -> RolloutAnswer: ...

    async def compare(self, task: str) -> CompareAnswer: ...

    async def events_after(self, revision: int) -> Sequence[EventView]: ...


class Traffic(Protocol):
    """What the application has done so far. ``served`` counts answers by the model that each carried."""

    @property
    def sent(self) -> int: ...

    @property
    def failed(self) -> int: ...

    @property
    def failures(self) -> Sequence[str]: ...

    @property
    def served(self) -> Counter[str]: ...


class Processes(Protocol):
    """Our processes, and commands run beside them."""

    def ended(self) -> str | None: ...

    def last_words(self, name: str) -> str: ...

    async def run(self, *arguments: str) -> CommandResult: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything at once. ``requests_max`` bounds what one weight of a rollout may take."""

    server: Server
    traffic: Traffic
    processes: Processes
    voice: Voice
    requests_max: int
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic

    def check_health(self) -> None:
        """Raises ``StoppedShortError`` as soon as a request failed or a process of ours ended."""
        if self.traffic.failed:
            raise StoppedShortError(f"{self.traffic.failed} client requests failed: {'; '.join(self.traffic.failures)}")
        ended = self.processes.ended()
        if ended is not None:
            raise ChildError(f"{ended} ended in the middle of the story; its last words:\n{self.processes.last_words(ended)}")

    async def command(self, *arguments: str) -> str:
        """What ``changeover`` with these arguments prints. Raises ``StoppedShortError`` when it does not end well."""
        result = await self.processes.run("changeover", *arguments)
        if result.code:
            said = (result.errors + result.output).strip()
            raise StoppedShortError(f"changeover {' '.join(arguments)} ended with {result.code}: {said}")
        return result.output
