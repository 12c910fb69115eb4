"""What time is it?"""

from typing import Protocol


class Clock(Protocol):
    """Unix time in seconds (UTC). Rooms that decide take the time as an argument instead."""

    def now(self) -> float: ...
