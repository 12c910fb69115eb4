"""What is wrong with the file's shape, in the reader's words? Turns what pydantic found into faults."""

import json
import types
from difflib import get_close_matches
from typing import Annotated, Final, Union, cast, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from changeover.settings.declared import Fault
from changeover.settings.paths import Path, written
from changeover.settings.secrecy import HIDDEN, looks_secret
from changeover.settings.shape import LATER_VALUES, FileShape
from changeover.settings.shape_base import Shape

_SHOWN_CHARS_MAX: Final = 60
_LISTED_MAX: Final = 12
_KEY_MARK: Final = "[key]"
_SECRET_KEYS: Final = frozenset({"key", "api_key", "apikey", "api-key", "token", "secret", "password", "credential", "credentials"})
_OFF: Final = ("none", "off", "no", "false", False)
_REMOVE: Final = "take it out"


def shape_faults(error: ValidationError) -> list[tuple[Path, Fault]]:
    """Every fault with the path it stands at, for pruning and sorting."""
    return [_fault(details) for details in error.errors(include_url=False)]


def shown(value: object) -> str:
    """A value as a fault shows it: short, and never a secret."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value) if isinstance(value, float) or abs(value) < 10**_SHOWN_CHARS_MAX else "a very large number"
        case str():
            return _shown_text(value)
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return "nothing"


def did_you_mean(name: str, known: list[str]) -> str:
    """What is known instead of ``name``: all of it, with a hint when one is almost the same."""
    known = sorted(word for word in known if word.isprintable() and not looks_secret(word))
    close = get_close_matches(name, known, n=1)
    listed = f"one of {', '.join(known[:_LISTED_MAX])}{', ...' if len(known) > _LISTED_MAX else ''}" if known else "none, as there are none"
    return f"{listed} (did you mean {close[0]}?)" if close else listed


def _shown_text(text: str) -> str:
    if looks_secret(text):
        return f"a text that looks like a secret {HIDDEN}"
    short = text if len(text) <= _SHOWN_CHARS_MAX else text[:_SHOWN_CHARS_MAX] + "..."
    return f'"{short}"' if short.isprintable() else json.dumps(short)


def _fault(details: ErrorDetails) -> tuple[Path, Fault]:
    path: Path = tuple(part for part in details["loc"] if part != _KEY_MARK)
    found, expected = _words(details, path)
    return path, Fault(path=written(path), found=found, expected=expected)


def _words(details: ErrorDetails, path: Path) -> tuple[str, str]:
    value = cast("object", details["input"])
    context = cast("dict[str, object]", details.get("ctx", {}))
    match details["type"]:
        case "extra_forbidden":
            return _unknown_key(path)
        case "missing":
            return "nothing", f"{_description(path)}; write it"
        case "later":
            return str(context["what"]), f"{_description(path)}; {context['what']} is not in this version"
        case "expected":
            return str(context["found"]) or _hidden_if_key(path, shown(value)), str(context["expected"])
        case _ if _switches_off(path, value):
            off = f"to ask for no {path[-1]}: preset: none, and only the criteria that are wanted"
            return shown(value), f"{_description(path)}; {off}"
        case "literal_error" if _is_later(path, value):
            return shown(value), f"{_description(path)}: {shown(value)} is not in this version"
        case _:
            return _hidden_if_key(path, shown(value)), _description(path)


def _unknown_key(path: Path) -> tuple[str, str]:
    key = str(path[-1])
    owner = _shape_at(path[:-1])[0]
    if owner is None:
        return "an unknown key", _REMOVE
    if key in owner.LATER:
        return "a key of a later version", f"no {key}: it is not in this version; {_REMOVE}"
    if key.lower() in _SECRET_KEYS:
        return f"a key for a secret (its value is {HIDDEN.strip('()')})", "secrets by reference only: auth: {env: NAME} or {file: PATH}"
    return "an unknown key", did_you_mean(key, list(owner.model_fields))


def _switches_off(path: Path, value: object) -> bool:
    """A criterion has no word for off: every preset but ``none`` asks for all of them."""
    return len(path) > 1 and path[-2] == "criteria" and _shape_at(path)[0] is not None and value in _OFF


def _is_later(path: Path, value: object) -> bool:
    known = LATER_VALUES.get(str(path[-1]), ())
    return any(key in known for key in cast("dict[str, object]", value)) if isinstance(value, dict) else value in known


def _hidden_if_key(path: Path, text: str) -> str:
    """A value written in place of ``auth`` may be any secret."""
    return f"a text {HIDDEN}" if "auth" in path and text.startswith('"') else text


def _description(path: Path) -> str:
    return _shape_at(path)[1]


def _shape_at(path: Path) -> tuple[type[Shape] | None, str]:
    """The shape that stands at ``path`` (``None``: a value or nothing known) and the words for what is expected there."""
    present: object = FileShape
    words = FileShape.__doc__ or ""
    for part in path:
        present, words = _step_into(_plain(present), part, words)
    shape = _plain(present)
    return (shape if isinstance(shape, type) and issubclass(shape, Shape) else None), words


def _step_into(present: object, part: str | int, words: str) -> tuple[object, str]:
    if isinstance(present, type) and issubclass(present, Shape):
        field = present.model_fields.get(str(part))
        return (field.annotation, field.description or words) if field else (None, "nothing")
    arguments = get_args(present)
    if get_origin(present) not in (dict, list):
        return None, words
    inner = _plain(arguments[-1])
    if isinstance(inner, type) and issubclass(inner, Shape):
        return inner, inner.__doc__ or words
    return cast("object", inner), words


def _plain(annotation: object) -> object:
    """``annotation`` without ``Annotated`` and ``| None``."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            annotation = next(argument for argument in get_args(annotation) if argument is not type(None))
        else:
            return annotation
