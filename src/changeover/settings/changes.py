"""Where do two plain values differ? Path by path, each side as a short text that a person can read."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, cast

import yaml

LINE_MAX: Final = 160
PROMPT_KEY: Final = "text"
"""The one key of a file whose value may be as long as a page."""

_HASH_SHOWN: Final = 8
_UNBROKEN: Final = 1_000_000


class FieldChange(NamedTuple):
    """``None`` stands for what is not there."""

    path: str
    before: str | None
    after: str | None


def field_changes(path: str, before: object, after: object) -> Iterator[FieldChange]:
    """Every place below ``path`` at which the two differ, in the order of ``before``, then of ``after``."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        left, right = cast("Mapping[str, object]", before), cast("Mapping[str, object]", after)
        for key in dict.fromkeys((*left, *right)):
            yield from field_changes(f"{path}.{key}", left.get(key), right.get(key))
    elif before != after:
        yield FieldChange(path, _side(path, cast("object", before)), _side(path, after))


def in_one_line(value: object) -> str:
    """A value as YAML in one line. Prompts are named by their length and hash, whatever is too long is cut."""
    text = str(yaml.safe_dump(_without_prompts(value), default_flow_style=True, sort_keys=False, allow_unicode=True, width=_UNBROKEN))
    text = text.removesuffix("...\n").strip().replace("\n", " ")
    return text if len(text) <= LINE_MAX else f"{text[: LINE_MAX - 1]}…"


def _side(path: str, value: object) -> str | None:
    if value is None:
        return None
    return _prompt(value) if path.endswith(f".system_prompt.{PROMPT_KEY}") and isinstance(value, str) else in_one_line(value)


def _without_prompts(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    entries = cast("Mapping[str, object]", value)
    found = {key: _without_prompts(inner) for key, inner in entries.items()}
    prompt = found.get("system_prompt")
    if isinstance(prompt, dict) and isinstance(cast("dict[str, object]", prompt).get(PROMPT_KEY), str):
        told = cast("dict[str, object]", prompt)
        found["system_prompt"] = told | {PROMPT_KEY: _prompt(str(told[PROMPT_KEY]))}
    return found


def _prompt(text: str) -> str:
    return f"{len(text)} characters, {hashlib.blake2b(text.encode()).hexdigest()[:_HASH_SHOWN]}"
