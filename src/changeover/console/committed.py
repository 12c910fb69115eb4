"""How a command that changed something says so."""

import msgspec

from changeover.api.answers import CommittedAnswer
from changeover.console.asking import Asking
from changeover.console.output import note, show


def show_committed(asking: Asking, reply: bytes) -> None:
    """The task as it stands now on stdout, the revision and what was done on stderr."""
    from changeover.console.render_status import render_committed

    committed = msgspec.json.decode(reply, type=CommittedAnswer)
    note(f"done: revision {committed.revision}{'; ' if committed.said else ''}{committed.said}")
    show(reply, CommittedAnswer, render=render_committed, output=asking.output)
