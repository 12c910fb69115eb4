"""What time is it, and where does chance come from? The machine's own clock and dice."""

import os
import secrets
import time

TOKEN_BYTES = 16
SECRET_BYTES = 32
FETCHED_TOKENS = 256
"""Tokens whose entropy is fetched at once."""


class SystemClock:
    """``ports.clock.Clock`` of this machine. It may be set back by whoever runs the machine."""

    now = staticmethod(time.time)
    """See ``Clock``."""


class SystemDice:
    """``ports.dice.Dice`` from the operating system's entropy: fit for secrets.

    Entropy is fetched for many tokens at a time, because a system call for each costs more than all else that a token needs.
    What has been fetched is not shared with a process that is forked later: it fetches its own.
    """

    def __init__(self) -> None:
        self._fetched = b""
        self._used = 0
        os.register_at_fork(after_in_child=self._forget)

    def token(self) -> str:
        """See ``Dice``."""
        at = self._used
        if at >= len(self._fetched):
            self._fetched, at = secrets.token_bytes(TOKEN_BYTES * FETCHED_TOKENS), 0
        self._used = at + TOKEN_BYTES
        return self._fetched[at : at + TOKEN_BYTES].hex()

    def _forget(self) -> None:
        self._fetched = b""


class SystemMint:
    """``ports.mint.Mint`` from the operating system's entropy."""

    def secret(self) -> str:
        """See ``Mint``."""
        return secrets.token_urlsafe(SECRET_BYTES)
