"""Trying a deployment before it gets traffic: who sends the requests, and who says what came of them."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import msgspec

from changeover.rollout.preflight import Findings
from changeover.versions import Account, Deployment
from changeover.wire.probe import Probe
from changeover.wire.surface import Ask


class ProbeCall(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a deployment, its body as the deployment wants it."""

    deployment: Deployment
    account: Account
    ask: Ask
    body: bytes


class ProbeHead(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request goes and with which headers, the credential among them: never show it. ``proxy``: through whom, as a
    URL, with the header that it wants.
    """

    url: str
    headers: tuple[tuple[str, str], ...]
    proxy: str | None = None
    proxy_headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"ProbeHead(url={self.url!r})"


class ProbeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. ``headers`` by lower-case name; ``body`` is the beginning of a very long one."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class ProbeFailedError(Exception):
    """No answer came; the message says why, without any secret."""

    def __init__(self, kind: Literal["unreachable", "timeout", "unusable"], message: str) -> None:
        super().__init__(message)
        self.kind: Literal["unreachable", "timeout", "unusable"] = kind


class Prober(Protocol):
    """Sends a request as a gateway would: the same address, the same credentials, the same way out."""

    async def send(self, call: ProbeCall, *, timeout_s: float) -> ProbeAnswer:
        """Raises ``ProbeFailedError`` when there is no answer."""
        ...


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """``sent`` requests have been answered; ``text`` says what is being done."""

    sent: int
    text: str


Tell = Callable[[Progress], None]


class Preflighter(Protocol):
    """Tries a candidate with what its task is asked."""

    async def check(self, task: str, members: Sequence[str], *, samples: Sequence[Probe], tell: Tell) -> Findings:
        """Send the task's shapes and the caller's own ``samples`` to each of ``members``. It never raises for what a
        provider does; it takes a bounded time and a bounded number of requests.
        """
        ...
