"""What time is it, and where does chance come from? The machine's own clock and dice."""

import secrets
import time

TOKEN_BYTES = 16
SECRET_BYTES = 32


class SystemClock:
    """``ports.clock.Clock`` of this machine. It may be set back by whoever runs the machine."""

    def now(self) -> float:
        """See ``Clock``."""
        return time.time()


class SystemDice:
    """``ports.dice.Dice`` from the operating system's entropy: fit for secrets."""

    def token(self) -> str:
        """See ``Dice``."""
        return secrets.token_hex(TOKEN_BYTES)


class SystemMint:
    """``ports.mint.Mint`` from the operating system's entropy."""

    def secret(self) -> str:
        """See ``Mint``."""
        return secrets.token_urlsafe(SECRET_BYTES)
