"""What does an alert say to a destination, and by which id is it known?"""

import hashlib
from typing import Final

import msgspec

from changeover.ports.alerts import Letter, Message

ID_DIGITS: Final = 32


def message_of(letter: Letter, *, base: str) -> Message:
    """The same words and the same id however often it is asked for. ``base`` is the address of links, empty for none."""
    command = letter.command
    message = Message(
        id=_identity(f"{letter.identity} {letter.revision} {letter.at!r} {command.topic} {command.text}"),
        topic=command.topic,
        at=letter.at,
        task=command.subject,
        what=f"{command.topic.replace('_', ' ')}: {command.subject}" if command.subject else command.topic,
        why=letter.reason or command.text,
        text=command.text,
        actor=letter.actor,
        revision=letter.revision,
        rollback=f"changeover rollback {command.subject}" if command.subject else "",
    )
    return _linked(message, base)


def trial_message(*, actor: str, now: float, base: str) -> Message:
    """A message that says that it is a test."""
    message = Message(
        id=_identity(f"test {actor} {now!r}"),
        topic="test",
        at=now,
        task="",
        what="test",
        why=f"{actor} asked for it",
        text="This is a test: alerts of changeover reach you here.",
        actor=actor,
    )
    return _linked(message, base)


def _linked(message: Message, base: str) -> Message:
    if not base:
        return message
    path = f"/api/v1/tasks/{message.task}" if message.task else "/api/v1/status"
    return msgspec.structs.replace(message, link=base + path)


def _identity(text: str) -> str:
    return f"msg_{hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]}"
