"""The gateways of one server: none, one, or one per core behind one port. Each is a data plane of its own."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from changeover.bootstrap.child import GatewayChild, GatewayFailedError
from changeover.bootstrap.shared_port import SharedPort, SharedPortError
from changeover.ports.serving import GatewayOptions

PlaneDir = Callable[[str], Path]


def worker_name(number: int) -> str:
    """The directory of worker ``number``, from 0: the same at every start, so that it finds its table, spool and ledger."""
    return f"local-{number}"


class Workers:
    """``options`` are those of every gateway; each gets a directory of its own from ``plane_dir``.

    More than one share a port. None is a control plane alone, whose gateways run elsewhere.
    """

    def __init__(self, options: GatewayOptions, *, count: int, plane_dir: PlaneDir) -> None:
        self._options = options
        self._count = count
        self._plane_dir = plane_dir
        self._shared: SharedPort | None = None
        self._children: tuple[GatewayChild, ...] = ()

    @property
    def url(self) -> str | None:
        """Where applications send their requests; ``None`` without a gateway, or before one is ready."""
        return next((child.ready.url for child in self._children if child.ready is not None), None)

    async def start(self) -> None:
        """Start them all and wait until each can be called.

        Raises:
            GatewayFailedError: one did not come up, or the port is not to be had. Those that came are stopped by ``stop``.
        """
        options = self._options
        if self._count > 1:
            options = msgspec.structs.replace(options, port=self._share(), shared_port=True)
        self._children = tuple(GatewayChild(self._own(options, number)) for number in range(self._count))
        outcomes = await asyncio.gather(*(child.start() for child in self._children), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def watch(self, stop: asyncio.Event) -> None:
        """Start each again whenever it ends, until ``stop``."""
        async with asyncio.TaskGroup() as group:
            for child in self._children:
                group.create_task(child.watch(stop))

    async def stop(self) -> None:
        """Ask all of them to finish what they serve, and wait."""
        await asyncio.gather(*(child.stop() for child in self._children))
        if self._shared is not None:
            self._shared.close()

    def _share(self) -> int:
        try:
            self._shared = SharedPort(self._options.host, self._options.port)
        except SharedPortError as error:
            raise GatewayFailedError(str(error)) from error
        return self._shared.port

    def _own(self, options: GatewayOptions, number: int) -> GatewayOptions:
        return msgspec.structs.replace(options, plane_dir=self._plane_dir(worker_name(number)))
