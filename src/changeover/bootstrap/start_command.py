"""How is a server started again as it was? Told to whoever finds that it was killed."""

import shlex
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from changeover.ports.serving import CONTROL_HOST, DATABASE_VARIABLE, STATE_NAME, ServeOptions

_HIDDEN: Final = "..."


def start_command(options: ServeOptions, *, gateway: str | None, control: str) -> str:
    """The command for a shell, with the ports that were taken, whichever were asked for: clients know those.

    ``gateway`` and ``control`` are the URLs. The URL of a database may hold a password: only that there is one is said.
    """
    alone = gateway is None
    door = options.control if alone else options
    words = ["changeover", "control" if alone else "serve", "-c", str(options.config.absolute())]
    if options.state.absolute() != options.config.absolute().parent / STATE_NAME:
        words += ["--state", str(options.state.absolute())]
    if gateway is None:
        words += ["--listen", f"{_listed(options.control.host)}:{urlsplit(control).port}"]
    else:
        words += [] if options.host == CONTROL_HOST else ["--host", options.host]
        words += ["--port", f"{urlsplit(gateway).port}", "--control-port", f"{urlsplit(control).port}"]
        words += ["--workers", f"{options.workers}"] if options.workers > 1 else []
    words += _path("--tls-cert", door.tls_cert) + _path("--tls-key", door.tls_key)
    words += ["--behind-proxy"] if door.behind_proxy else []
    words += ["--read-only"] if options.read_only else []
    return (f"{DATABASE_VARIABLE}={_HIDDEN} " if options.database else "") + shlex.join(words)


def _listed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _path(option: str, path: Path | None) -> list[str]:
    return [] if path is None else [option, str(path.absolute())]
