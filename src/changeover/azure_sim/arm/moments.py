"""How are moments written? Unix seconds inside, text as Azure writes it outside."""

from datetime import UTC, datetime
from typing import Final

DAY_S: Final = 86_400.0
NEVER: Final = datetime(2099, 12, 31, tzinfo=UTC).timestamp()
"""How Azure writes that no date is set."""


def moment(text: str) -> float:
    """Unix seconds of a date or time; without a zone it is UTC. Raises ``ValueError``."""
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def written(at: float) -> str:
    """``2026-11-20T12:00:00Z``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def finely_written(at: float) -> str:
    """With seven digits behind the second, as in ``systemData``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def american(at: float) -> str:
    """As in the refusal of a retired model."""
    return datetime.fromtimestamp(at, UTC).strftime("%m/%d/%Y %H:%M:%S")
