"""Where is something to listen? ``HOST:PORT``, with brackets around an IPv6 address."""

from typing import Any, Final, NamedTuple

import click

PORT_MAX: Final = 65_535


class Listen(NamedTuple):
    """An address to listen on; port 0 takes any free one."""

    host: str
    port: int


class ListenType(click.ParamType[Listen]):
    """``127.0.0.1:8400``, ``[::1]:8400``, ``:8400`` or ``8400`` for a port of this machine alone."""

    name = "HOST:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Listen:
        if isinstance(value, Listen):
            return value
        host, _, port = str(value).rpartition(":")
        if not port.isascii() or not port.isdigit() or int(port) > PORT_MAX or (":" in host and not host.startswith("[")):
            self.fail(f"found {value!r}, expected HOST:PORT such as 127.0.0.1:8400 or [::1]:8400", param, ctx)
        return Listen(host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port))


LISTEN: Final = ListenType()
