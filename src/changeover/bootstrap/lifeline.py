"""How does a program end with the one that started it? Its standard input is a pipe, and pipes end."""

import asyncio
import logging
import os
import threading
from typing import Final

_STANDARD_INPUT: Final = 0
_CHUNK_BYTES: Final = 1024

_log: Final = logging.getLogger(__name__)


def follow_lifeline(stop: asyncio.Event) -> None:
    """Set ``stop`` when standard input ends. A thread reads it, because not every loop can wait for every kind of input."""
    loop = asyncio.get_running_loop()

    def wait_for_end() -> None:
        while os.read(_STANDARD_INPUT, _CHUNK_BYTES):
            pass
        _log.warning("whoever started this program is gone; finishing what is under way and stopping")
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_end, name="lifeline", daemon=True).start()
