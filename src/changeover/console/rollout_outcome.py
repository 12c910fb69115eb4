"""How does a rollout stand, in the one number that a script asks for? Phases by their name, so that new ones are known. Pure."""

from typing import Final

from changeover.console.failure import ExitCode
from changeover.rollout.state import Rollout

PROMOTED: Final = frozenset({"completed", "retiring", "retired"})
ROLLED_BACK: Final = frozenset({"rolling_back", "rolled_back"})
PAUSED: Final = frozenset({"paused"})
GIVEN_UP: Final = frozenset({"superseded", "expired"})
"""It is over, and nothing was decided about its candidate."""


def outcome(rollout: Rollout, *, undone: bool) -> ExitCode | None:
    """What a script gets for a rollout that stands like this; ``None`` while it moves by itself.

    ``undone``: its promotion was taken back.
    """
    phase = rollout.progress.phase.value
    if undone or phase in ROLLED_BACK:
        return ExitCode.ROLLED_BACK
    if phase in PROMOTED:
        return ExitCode.OK
    return ExitCode.UNDECIDED if phase in PAUSED | GIVEN_UP else None
