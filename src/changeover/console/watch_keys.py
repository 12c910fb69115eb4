"""Has somebody pressed a key? Asked of a terminal without waiting for Enter; the terminal is left as it was."""

import contextlib
import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Generator
from threading import Event
from typing import Final

LEAVE: Final = b"qQ\x04"
"""q and Ctrl-D."""
ESCAPE: Final = b"\x1b"
"""Alone it is the key; arrows and their like begin with it."""

Wait = Callable[[float], bool]
"""Waits so many seconds, or until somebody wants to leave: then it is true."""


@contextlib.contextmanager
def leave_keys() -> Generator[Wait]:
    """Without a terminal to read from nobody can press a key, and every wait lasts its time."""
    if not sys.stdin.isatty():
        yield _wait
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        yield lambda seconds: _pressed(terminal, seconds)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _wait(seconds: float) -> bool:
    Event().wait(seconds)
    return False


def _pressed(terminal: int, seconds: float) -> bool:
    ready, _, _ = select.select([terminal], [], [], seconds)
    if not ready:
        return False
    return is_leave(os.read(terminal, 64))


def is_leave(read: bytes) -> bool:
    """Whether what was typed means to leave; the end of the input does."""
    if read.startswith(ESCAPE):
        return read == ESCAPE
    return not read or any(key in LEAVE for key in read)
