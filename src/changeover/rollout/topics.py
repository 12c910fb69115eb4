"""What can an alert be about, and who has asked to hear of it? Sends nothing."""

from collections.abc import Collection
from typing import Final

TOPICS: Final = ("started", "step", "paused", "undecided", "rolled_back", "completed", "drift", "retirement", "summary")
"""What a destination may ask for, in the order of a rollout's life."""

DEFAULT_TOPICS: Final = tuple(topic for topic in TOPICS if topic != "step")
"""What a destination hears of that does not say: everything but the steps of a rollout that goes well."""

_HEARD_AS: Final = {
    "undecided": ("undecided", "paused"),
    "approval": ("paused",),
    "expired": ("paused",),
    "baking": ("step",),
    "superseded": ("step",),
    "undone": ("rolled_back",),
    "retired": ("completed",),
}
"""What has no word of its own in the file. Whatever waits for a person is heard as a pause, a promotion that is taken back as
the way back that it is.
"""


def is_wanted(topic: str, wanted: Collection[str]) -> bool:
    """Whether somebody who asked for ``wanted`` hears of ``topic``. A topic that nobody can ask for goes to everybody:
    to hear too much is the smaller harm.
    """
    heard_as = _HEARD_AS.get(topic, (topic,))
    return any(name in wanted for name in heard_as) or not any(name in TOPICS for name in heard_as)
