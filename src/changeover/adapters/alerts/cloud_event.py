"""What does a webhook's body say? A CloudEvent 1.0 in the JSON format, structured mode."""

from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec

from changeover.ports.alerts import Message

MEDIA_TYPE: Final = "application/cloudevents+json; charset=utf-8"
NAMESPACE: Final = "dev.changeover"
SOURCE: Final = "/changeover"
"""Where an event comes from when no address of the control plane is known."""

_KINDS: Final = {"drift": "deployment", "retirement": "deployment", "summary": "week", "test": "alert"}


class EventData(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, why, where to look, and the one command that goes back. Empty texts are left empty, never left out."""

    task: str
    topic: str
    revision: int
    actor: str
    what: str
    why: str
    text: str
    link: str
    rollback: str


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The attributes of the specification, by its names."""

    specversion: str
    id: str
    source: str
    type: str
    time: str
    subject: str | None = None
    datacontenttype: str
    data: EventData


def event_body(message: Message) -> bytes:
    """The message as the body of a request."""
    event = CloudEvent(
        specversion="1.0",
        id=message.id,
        source=_origin(message.link),
        type=event_type(message.topic),
        time=datetime.fromtimestamp(message.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        subject=message.task or None,
        datacontenttype="application/json",
        data=EventData(
            task=message.task,
            topic=message.topic,
            revision=message.revision,
            actor=message.actor,
            what=message.what,
            why=message.why,
            text=message.text,
            link=message.link,
            rollback=message.rollback,
        ),
    )
    return msgspec.json.encode(event)


def _origin(link: str) -> str:
    """The control plane that a link leads to."""
    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else SOURCE


def event_type(topic: str) -> str:
    """``dev.changeover.rollout.rolled_back`` and the like."""
    return f"{NAMESPACE}.{_KINDS.get(topic, 'rollout')}.{topic}"
