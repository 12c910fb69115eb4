"""Starts the program again and again in a fraction of a second: it has been read once, and each run is a fork of that.

One line of JSON on standard input, ``{"arguments": [...], "log": PATH}``, is one process in a session of its own; its id is answered.
"""

import importlib
import json
import os
import signal
import sys
from typing import Any

from changeover.console.main import main

for name in ("alembic.command", "alembic.config", "changeover.bootstrap.server", "changeover.adapters.sql", "uvicorn.protocols.http.auto"):
    importlib.import_module(name)


def become(order: Any) -> None:
    """The rest of this process is a run of the program."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.argv = ["changeover", *order["arguments"]]
    main()


def raise_children() -> None:
    """Until standard input ends. Nobody waits for them: they are gone when they are dead."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if not child:
            become(json.loads(line))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    raise_children()
