"""A rollout as somebody follows it: as it was found, and as events have moved it since."""

import msgspec

from changeover.api.answers import EventView, RolloutAnswer, StatusAnswer
from changeover.console.failure import ExitCode
from changeover.console.render_transition import is_same_place, is_undone, move_line, moved
from changeover.console.rollout_outcome import PROMOTED, outcome
from changeover.console.server_link import ServerLink, segment
from changeover.rollout.state import Rollout


class Followed:
    """``revision`` is that up to which the log has been taken into account. ``undone``: its promotion was taken back."""

    def __init__(self, rollout: Rollout, *, revision: int, undone: bool) -> None:
        self.rollout = rollout
        self.revision = revision
        self.undone = undone

    @property
    def outcome(self) -> ExitCode | None:
        """See ``rollout_outcome``."""
        return outcome(self.rollout, undone=self.undone)

    def take(self, event: EventView) -> str | None:
        """Take an event into account, and the line it makes, if this rollout is somewhere else after it."""
        self.revision = event.revision
        before, progress = self.rollout.progress, moved(self.rollout, event)
        if progress is not None:
            self.rollout = msgspec.structs.replace(self.rollout, progress=progress)
            if is_same_place(before, progress):
                return None
        self.undone |= is_undone(self.rollout, event)
        return move_line(self.rollout, event)


def look(link: ServerLink, name: str) -> Followed:
    """The rollout of that id, or the active or latest one of that task. What happens after the look is in the log after its
    revision; what happened within it is there too, and changes nothing when it is taken twice.
    """
    status = msgspec.json.decode(link.get("/api/v1/status"), type=StatusAnswer)
    rollout = msgspec.json.decode(link.get(f"/api/v1/rollouts/{segment(name)}"), type=RolloutAnswer).rollout
    blocked = {pair for task in status.tasks if task.name == rollout.task for pair in task.blocked}
    undone = rollout.progress.phase.value in PROMOTED and (rollout.stable, rollout.candidate) in blocked
    return Followed(rollout, revision=status.revision, undone=undone)
