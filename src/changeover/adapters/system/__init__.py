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

    def now(self) -> float:
        """See ``Clock``."""
        return time.time()


class SystemDice:
    """``ports.dice.Dice`` from the operating system's entropy: fit for secrets.

    Entropy is fetched for many tokens at a time, because a system call for each costs more than all else that a token needs.
    What has been fetched is not shared with a process that is forked later: it fetches its own.
    """

    def __init__(self) -> None:
        self._fetched: list[str] = []
        os.register_at_fork(after_in_child=self._fetched.clear)

    def token(self) -> str:
        """See ``Dice``."""
        if not self._fetched:
            fetched = secrets.token_hex(TOKEN_BYTES * FETCHED_TOKENS)
            self._fetched += (fetched[at : at + 2 * TOKEN_BYTES] for at in range(0, len(fetched), 2 * TOKEN_BYTES))
        return self._fetched.pop()


class SystemMint:
    """``ports.mint.Mint`` from the operating system's entropy."""

    def secret(self) -> str:
        """See ``Mint``."""
        return secrets.token_urlsafe(SECRET_BYTES)
