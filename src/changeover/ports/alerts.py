"""Who is told of what happens? Destinations for alerts, and what is known of each delivery."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from changeover.rollout.state import Command


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How far one alert has come on its way to one destination.

    ``settled``: it arrived, or will not be tried any more; ``problem`` says why the last try failed, without any secret.
    """

    tries: int = 0
    next_at: float = 0.0
    settled: bool = False
    problem: str = ""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that a committed change owes, with what the log says of that change. ``deliveries`` are by destination."""

    identity: int
    revision: int
    at: float
    actor: str
    reason: str
    command: Command
    deliveries: dict[str, Delivery] = {}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination is told. ``id`` is the same however often it is sent; ``at`` is when it happened (Unix seconds).

    ``what`` is its headline, ``why`` the reason as the log has it, ``text`` all of it in words. ``link`` leads to the control
    plane, ``rollback`` is the one command that takes all traffic of ``task`` back; both may be empty.
    """

    id: str
    topic: str
    at: float
    task: str
    what: str
    why: str
    text: str
    actor: str = ""
    revision: int = 0
    link: str = ""
    rollback: str = ""


class AlertFailedError(Exception):
    """It was not delivered. The message may be shown anywhere: no address, no secret, nothing of the answer's body.

    ``retry_after_s``: how long the destination asks to be left alone. ``final``: it wants to hear nothing more of this.
    """

    def __init__(self, problem: str, *, retry_after_s: float | None = None, final: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.retry_after_s = retry_after_s
        self.final = final


class Destination(Protocol):
    """Somewhere alerts go. Holds nothing of what was sent."""

    @property
    def name(self) -> str:
        """How it is called everywhere: by where its address is found, never the address."""
        ...

    @property
    def topics(self) -> Sequence[str]:
        """What it asked for."""
        ...

    @property
    def link(self) -> str | None:
        """The base of links for it, where that is not the control plane's own address."""
        ...

    async def send(self, message: Message, *, now: float) -> None:
        """Deliver once, at ``now`` (Unix seconds), within a time of its own.

        Raises:
            AlertFailedError: it is not known to have arrived.
        """
        ...


class DestinationStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How a destination does. ``waiting`` alerts are on their way or tried again; the counts are since this server's start.

    ``problem`` is that of the last try, empty where it went well or nothing was sent yet.
    """

    name: str
    topics: tuple[str, ...]
    waiting: int
    delivered: int
    given_up: int
    problem: str = ""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a message that was sent to try a destination; ``problem`` is empty where it arrived."""

    name: str
    problem: str = ""


class AlertDesk(Protocol):
    """What operators may ask about alerts."""

    async def standing(self) -> Sequence[DestinationStanding]:
        """Every destination that is declared now."""
        ...

    async def test(self, *, actor: str) -> Sequence[Tried]:
        """Send each a message that says it is a test, once."""
        ...
