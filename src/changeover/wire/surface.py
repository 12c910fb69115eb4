"""Which API does a request's path ask for, and whose task does it name? Reads every path form that clients use."""

import re
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from changeover.versions.dialect import Dialect


class Surface(StrEnum):
    """One API. ``FIRST_CLASS`` ones are read for usage, model and filters; the others pass through byte for byte."""

    CHAT = "chat"
    RESPONSES = "responses"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    MESSAGES = "messages"
    """Anthropic's."""
    TOKEN_COUNT = "token_count"
    """How long a message would be: no answer of a model."""
    MESSAGE_BATCHES = "message_batches"
    """Batches of messages, and whatever else stands below messages."""
    STORED_RESPONSE = "stored_response"
    """A response that exists: fetched, cancelled, deleted. It belongs to the deployment that made it."""
    MODELS = "models"
    IMAGES = "images"
    AUDIO = "audio"
    FILES = "files"
    BATCHES = "batches"
    MODERATIONS = "moderations"
    OTHER = "other"

    __hash__ = str.__hash__  # an enum's own hash is a call in Python


class Ask(NamedTuple):
    """What a path asks for.

    ``operation`` is the path below the API's root and ``query`` what follows the question mark, both as sent. ``task`` is
    the task that the path names: it beats the body's ``model``. ``in_deployment``: the path is of Azure's form for one
    deployment. ``response_id`` is the response that a ``STORED_RESPONSE`` path names.
    """

    surface: Surface
    operation: bytes
    task: str | None = None
    query: bytes = b""
    in_deployment: bool = False
    response_id: str | None = None


FIRST_CLASS: Final = frozenset({Surface.CHAT, Surface.RESPONSES, Surface.COMPLETIONS, Surface.EMBEDDINGS, Surface.MESSAGES})

DIALECTS: Final[dict[Surface, Dialect | None]] = {
    **dict.fromkeys((Surface.MESSAGES, Surface.TOKEN_COUNT, Surface.MESSAGE_BATCHES), Dialect.ANTHROPIC),
    **dict.fromkeys((Surface.MODELS, Surface.FILES, Surface.OTHER), None),
}
"""Whose APIs are not OpenAI's, and which every provider has in its own way (``None``)."""

_POST: Final = frozenset({b"POST"})
_READ: Final = frozenset({b"GET", b"HEAD"})
_ANY: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE"})

METHODS: Final[dict[Surface, frozenset[bytes]]] = {
    **dict.fromkeys(Surface, _ANY),
    **dict.fromkeys(FIRST_CLASS, _POST),
    Surface.TOKEN_COUNT: _POST,
    Surface.MODELS: _READ,
    Surface.STORED_RESPONSE: frozenset({b"GET", b"HEAD", b"POST", b"DELETE"}),
}
"""Which methods a surface has."""

_WHOLE: Final = {
    b"/chat/completions": Surface.CHAT,
    b"/responses": Surface.RESPONSES,
    b"/completions": Surface.COMPLETIONS,
    b"/embeddings": Surface.EMBEDDINGS,
    b"/messages": Surface.MESSAGES,
    b"/messages/count_tokens": Surface.TOKEN_COUNT,
}
"""Operations that are nothing more than this."""
_FAMILIES: Final = {
    b"responses": Surface.STORED_RESPONSE,
    b"models": Surface.MODELS,
    b"images": Surface.IMAGES,
    b"audio": Surface.AUDIO,
    b"files": Surface.FILES,
    b"batches": Surface.BATCHES,
    b"moderations": Surface.MODERATIONS,
    b"messages": Surface.MESSAGE_BATCHES,
}
"""Operations by their first segment."""
_NEVER: Final = frozenset({b"deployments", b"engines", b"openai", b"anthropic", b"v1", b"t"})
"""First segments that would make a provider read the path as another form, with a deployment that no task named."""

_ROOTS: Final = (b"/openai/v1", b"/openai", b"/v1")
"""The longer first: one begins with another."""
_FOUNDRY: Final = b"/anthropic/v1"
"""Where Azure's resources serve Anthropic's API, and no other."""
_DEPLOYMENTS: Final = b"/openai/deployments/"
_TASKS: Final = b"/t/"
_FIXED: Final = {
    root + operation: Ask(surface, operation)
    for root in (b"", *_ROOTS)
    for operation, surface in (*_WHOLE.items(), (b"/models", Surface.MODELS))
}
"""Nearly all requests, by their whole path."""

# A segment may not be empty, climb ("." and ".."), or hide a slash, a backslash, a percent sign or a control character from
# us that a provider would see. Signs that need no encoding may have none, so that no known word is hidden either. A semicolon
# begins parameters that some servers cut off.
_ENCODED: Final = rb"%(?!2[5DdEeFf]|3[0-9]|[46][1-9A-Fa-f]|5[0-9AaCcFf]|7[0-9AaEeFf]|[01][0-9A-Fa-f])[0-9A-Fa-f]{2}"
_OPERATION: Final = re.compile(rb"(?:/(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9_~!$&'()*+,=:@.-]|" + _ENCODED + rb")+)+")
_QUERY: Final = re.compile(rb"[!-\"$-~]*")


def read_path(url: bytes) -> Ask | None:
    """What the origin-form ``url`` (path and query) asks for, ``None`` when nothing here has such a path.

    Forms: ``/v1/...``, ``/openai/v1/...``, ``/openai/...``, ``/openai/deployments/{task}/...``, ``/anthropic/v1/...``, the
    same without a root for APIs that are known by name, and any of them behind ``/t/{task}``, whose task beats that of a
    deployment's path.
    """
    path, _, query = url.partition(b"?")
    ask = _FIXED.get(path)
    if ask is None:
        ask = _read_task_path(path) if path.startswith(_TASKS) else _read_rooted(path)
    if ask is None or not query:
        return ask
    return ask._replace(query=query) if _QUERY.fullmatch(query) else None


def asked_dialect(surface: Surface) -> Dialect | None:
    """Which family of APIs ``surface`` belongs to; ``None`` for what each of them has."""
    return DIALECTS.get(surface, Dialect.OPENAI)


def _read_task_path(path: bytes) -> Ask | None:
    segment, slash, rest = path.removeprefix(_TASKS).partition(b"/")
    task = _decode(segment)
    ask = _read_rooted(slash + rest)
    return None if ask is None or task is None else ask._replace(task=task)


def _read_rooted(path: bytes) -> Ask | None:
    if path.startswith(_DEPLOYMENTS):
        segment, slash, rest = path.removeprefix(_DEPLOYMENTS).partition(b"/")
        task, ask = _decode(segment), _read_operation(slash + rest)
        return None if ask is None or task is None else ask._replace(task=task, in_deployment=True)
    if path.startswith(_FOUNDRY + b"/"):
        ask = _read_operation(path.removeprefix(_FOUNDRY))
        return None if ask is None or asked_dialect(ask.surface) is Dialect.OPENAI else ask
    for root in _ROOTS:
        if path.startswith(root + b"/"):
            return _read_operation(path.removeprefix(root))
    ask = _read_operation(path)
    return None if ask is None or ask.surface is Surface.OTHER else ask


def _read_operation(operation: bytes) -> Ask | None:
    if not _OPERATION.fullmatch(operation):
        return None
    surface = _WHOLE.get(operation)
    if surface is not None:
        return Ask(surface, operation)
    family, _, rest = operation[1:].partition(b"/")
    surface = _FAMILIES.get(family, Surface.OTHER)
    if surface is Surface.OTHER and _is_disguised(family, operation):
        return None
    if surface is not Surface.STORED_RESPONSE:
        return Ask(surface, operation)
    response_id = _decode(rest.partition(b"/")[0])
    return None if response_id is None else Ask(surface, operation, response_id=response_id)


def _is_disguised(family: bytes, operation: bytes) -> bool:
    """Whether a provider that is careless about case could take this for something that we know, or must never be asked."""
    lowered = family.lower()
    return lowered in _NEVER or lowered in _FAMILIES or operation.lower() in _WHOLE


def _decode(segment: bytes) -> str | None:
    """One segment's text: percent-encoded UTF-8, not empty."""
    try:
        return unquote_to_bytes(segment).decode() or None
    except UnicodeDecodeError:
        return None
