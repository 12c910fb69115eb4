"""How does a request read for a deployment that wants it otherwise? Applies request settings; knows nothing of tasks."""

from typing import Final

import msgspec

from changeover.versions import RequestSettings
from changeover.wire.surface import FIRST_CLASS, Surface

RESERVED: Final = frozenset({"model", "stream", "messages", "input", "prompt", "instructions", "system"})
"""No setting renames, drops or sets these: they are who is asked, how it is answered, and what was said."""

PROMPT_GAP: Final = "\n\n"
"""Between our system prompt and the caller's own."""

_SYSTEM_ROLES: Final = ("system", "developer")
_ENCODER: Final = msgspec.json.Encoder()
_TEXT: Final = msgspec.json.Decoder(str)
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NULL: Final = b"null"


class _Message(msgspec.Struct):
    role: str | None = None


_MESSAGE: Final = msgspec.json.Decoder(_Message)


def apply_settings(surface: Surface, fields: dict[str, msgspec.Raw], settings: RequestSettings) -> dict[str, msgspec.Raw]:
    """``fields`` as the deployment wants them: renamed, then dropped, then set, then with its system prompt.

    A renamed parameter gives way to one that stands under the new name already. Values that are not touched keep their
    bytes. The system prompt is the leading system and developer messages of a chat, ``instructions`` of a response, and
    ``system`` of a message; other surfaces have none. What is not built as the API says is left for the provider to refuse.
    Surfaces that are not first class pass unchanged.
    """
    if surface not in FIRST_CLASS:
        return dict(fields)
    changed = _renamed(fields, settings.rename) if settings.rename else dict(fields)
    for name in settings.drop:
        changed.pop(name, None)
    for name, value in settings.set.items():
        changed[name] = _raw(value)
    if settings.system_prompt is not None:
        _prompt(surface, changed, settings.system_prompt, prepend=settings.system_prompt_mode == "prepend")
    return changed


def _renamed(fields: dict[str, msgspec.Raw], rename: dict[str, str]) -> dict[str, msgspec.Raw]:
    changed: dict[str, msgspec.Raw] = {}
    for name, value in fields.items():
        target = rename.get(name, name)
        if target == name or target not in fields:
            changed[target] = value
    return changed


def _prompt(surface: Surface, fields: dict[str, msgspec.Raw], prompt: str, *, prepend: bool) -> None:
    if surface is Surface.CHAT and "messages" in fields:
        messages = _items(fields["messages"])
        if messages is not None:
            fields["messages"] = _raw(_with_system(messages, prompt, prepend=prepend))
    elif surface is Surface.RESPONSES:
        fields["instructions"] = _instructions(fields.get("instructions"), prompt, prepend=prepend)
    elif surface is Surface.MESSAGES:
        fields["system"] = _system(fields.get("system"), prompt, prepend=prepend)


def _with_system(messages: list[msgspec.Raw], prompt: str, *, prepend: bool) -> list[msgspec.Raw]:
    """``messages`` with ``prompt`` as, or before, their leading system message."""
    leading = 0
    while leading < len(messages) and _role(messages[leading]) in _SYSTEM_ROLES:
        leading += 1
    if prepend and leading:
        return [_prepended(messages[0], prompt), *messages[1:]]
    role = _role(messages[0]) if leading else _SYSTEM_ROLES[0]
    return [_raw({"role": role, "content": prompt}), *messages[leading:]]


def _prepended(message: msgspec.Raw, prompt: str) -> msgspec.Raw:
    """A system message that says ``prompt`` first. Its content is a text or a list of parts."""
    fields = _FIELDS.decode(message)
    content = fields.get("content")
    text, parts = _text(content), _items(content)
    if text is not None:
        fields["content"] = _raw(prompt + PROMPT_GAP + text)
    elif parts is not None:
        fields["content"] = _raw([{"type": "text", "text": prompt}, *parts])
    elif content is None or bytes(content) == _NULL:
        fields["content"] = _raw(prompt)
    return _raw(fields)


def _instructions(raw: msgspec.Raw | None, prompt: str, *, prepend: bool) -> msgspec.Raw:
    if raw is None or bytes(raw) == _NULL or not prepend:
        return _raw(prompt)
    text = _text(raw)
    return raw if text is None else _raw(prompt + PROMPT_GAP + text)


def _system(raw: msgspec.Raw | None, prompt: str, *, prepend: bool) -> msgspec.Raw:
    """A message's system prompt: a text or a list of blocks, each of which keeps its place in the provider's cache."""
    blocks = None if raw is None or not prepend else _items(raw)
    if blocks is None:
        return _instructions(raw, prompt, prepend=prepend)
    return _raw([{"type": "text", "text": prompt}, *blocks])


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode(value))


def _role(message: msgspec.Raw) -> str | None:
    try:
        return _MESSAGE.decode(message).role
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _text(raw: msgspec.Raw | None) -> str | None:
    try:
        return None if raw is None else _TEXT.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _items(raw: msgspec.Raw | None) -> list[msgspec.Raw] | None:
    try:
        return None if raw is None else _ITEMS.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
