"""``Destination`` in memory: the twin that keeps what it is told, and fails when it is told to."""

from collections.abc import Sequence

from changeover.ports.alerts import AlertFailedError, Message
from changeover.rollout.topics import TOPICS


class MemoryDestination:
    """See ``Destination``. ``failures`` are raised first, one a call; ``tried`` counts calls."""

    def __init__(self, name: str = "memory", *, topics: Sequence[str] = TOPICS, link: str | None = None) -> None:
        self.name = name
        self.topics = topics
        self.link = link
        self.sent: list[Message] = []
        self.failures: list[AlertFailedError] = []
        self.tried = 0

    async def send(self, message: Message, *, now: float) -> None:  # noqa: ARG002  the port's signature
        """See ``Destination``."""
        self.tried += 1
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message)
