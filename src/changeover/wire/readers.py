"""Who reads the answers of this surface?"""

from collections.abc import Callable
from typing import Final

from changeover.wire.events import EventReader
from changeover.wire.message_stream import MessageStreamReader
from changeover.wire.messages import read_message
from changeover.wire.reply import read_answer
from changeover.wire.reply_facts import NO_FACTS, ReplyFacts
from changeover.wire.response_stream import ResponseStreamReader
from changeover.wire.sse import StreamReader
from changeover.wire.surface import Surface

ReplyReader = Callable[[bytes], ReplyFacts | None]
"""The facts of a whole answer, ``None`` when it is no JSON object."""

# Looking a member up in its class costs as much as all that follows.
_MESSAGES: Final = Surface.MESSAGES


class UnreadStream(EventReader):
    """A stream of a surface that passes through: relayed as it comes. Nothing tells its end but the end of the answer."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self.done = True

    @property
    def facts(self) -> ReplyFacts:
        """Nothing is known."""
        return NO_FACTS

    def feed(self, data: bytes) -> bytes:
        """Every byte may be content."""
        self.content_started = self.content_started or bool(data)
        return data

    def _says_nothing_new(self, payload: bytes) -> bool:  # noqa: ARG002 - nothing is read
        return True

    def _learn(self, kind: bytes, payload: bytes) -> bool:  # noqa: ARG002 - nothing is read
        return False


def stream_reader(surface: Surface, *, hide_usage: bool = False) -> EventReader:
    """A reader for one streamed answer. ``hide_usage`` is ``ModelRequest.hides_usage``: only chats and completions heed it."""
    if surface in (Surface.CHAT, Surface.COMPLETIONS):
        return StreamReader(hide_usage=hide_usage)
    if surface is _MESSAGES:
        return MessageStreamReader()
    return ResponseStreamReader() if surface is Surface.RESPONSES else UnreadStream()


def reply_reader(surface: Surface) -> ReplyReader:
    """A reader for whole answers."""
    return read_message if surface is _MESSAGES else read_answer
