"""How is a shape asked of a deployment that nobody has sent it to? The same parameters, with harmless words of our own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from changeover.wire.sent_shape import ROLES, SentShape, SentValue, ValueKind
from changeover.wire.surface import Ask, Surface

OUTPUT_TOKENS_MAX: Final = 64
"""What a probe lets a deployment say at most, where its shape bounds the output at all; the one for the largest bound aside."""
CHOICES_MAX: Final = 2
PROMPT: Final = 'This is a test of the connection. Answer with the one word OK, or where JSON is wanted with {"ok": true}.'
STAND_IN: Final = "changeover-preflight"
"""Stands for a text that says nothing about the answer: a user, a key of a cache, a label."""

LIMITS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")
OPERATIONS: Final[Mapping[Surface, bytes]] = {
    Surface.CHAT: b"/chat/completions",
    Surface.RESPONSES: b"/responses",
    Surface.COMPLETIONS: b"/completions",
    Surface.EMBEDDINGS: b"/embeddings",
    Surface.MESSAGES: b"/messages",
}
"""The surfaces that can be probed."""

_CHOICES: Final = ("n", "best_of")
_SYSTEM: Final = "Be brief."
_STOP: Final = "<<end-of-test>>"
_LABELS: Final = frozenset({"user", "safety_identifier", "prompt_cache_key", "suffix"})
_FUNCTION: Final = "note_result"
_OBJECT_SCHEMA: Final = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}
_SCHEMA: Final = {"name": "answer", "schema": _OBJECT_SCHEMA, "strict": True}
_LEFT_OUT: Final = object()


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A request to try. ``body`` lacks its ``model``. ``left_out`` are parameters of the shape whose value cannot be made up."""

    surface: Surface
    api_version: str = ""
    body: dict[str, object]
    left_out: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.body)

    @property
    def ask(self) -> Ask:
        query = f"api-version={self.api_version}".encode() if self.api_version else b""
        return Ask(self.surface, OPERATIONS[self.surface], query=query)


def probes_of(shapes: Sequence[SentShape], *, most: int) -> tuple[tuple[Probe, ...], int]:
    """At most ``most`` different probes for ``shapes``, the first shapes first, and how many there would have been.

    Every value that was seen of a parameter is in one of them. Limits of the output are kept small, but for one probe with
    the largest that was seen: a version may refuse it as too large.
    """
    known = [shape for shape in shapes if shape.surface in OPERATIONS]
    made = [probe for rank in range(_ranks(known)) for shape in known if rank < _ranks([shape]) for probe in (_probe(shape, rank),)]
    largest = max(known, key=_largest_limit, default=None)
    if largest is not None and _largest_limit(largest) > OUTPUT_TOKENS_MAX:
        made.insert(1, _probe(largest, 0, largest_limit=True))
    distinct = list({msgspec.json.encode((probe.surface, probe.api_version, probe.body)): probe for probe in made}.values())
    return tuple(distinct[:most]), len(distinct)


def plain_probe(surface: Surface) -> Probe:
    """The least that ``surface`` can be asked."""
    return Probe(surface=surface, body=_required(surface))


def _required(surface: Surface) -> dict[str, object]:
    match surface:
        case Surface.CHAT:
            return {"messages": [_user()]}
        case Surface.MESSAGES:
            return {"messages": [_user()], "max_tokens": OUTPUT_TOKENS_MAX}
        case Surface.COMPLETIONS:
            return {"prompt": PROMPT}
        case _:
            return {"input": PROMPT}


def _probe(shape: SentShape, rank: int, *, largest_limit: bool = False) -> Probe:
    body: dict[str, object] = {}
    left_out: list[str] = []
    bounded = not largest_limit and "thinking" not in shape.values  # a budget of thinking has to fit below the limit
    for name, seen in shape.values.items():
        chosen = max(seen, key=_number) if largest_limit and name in LIMITS else seen[min(rank, len(seen) - 1)]
        made = _made(shape.surface, name, chosen, bounded=bounded)
        if made is _LEFT_OUT:
            left_out.append(name)
        else:
            body[name] = made
    whole = _required(shape.surface) | body
    not_made = tuple(sorted(set(left_out) - whole.keys()))
    return Probe(surface=shape.surface, api_version=shape.api_version, body=whole, left_out=not_made)


def _ranks(shapes: Iterable[SentShape]) -> int:
    """How many probes it takes to send each value once."""
    return max((len(seen) for shape in shapes for seen in (*shape.values.values(), (None,))), default=0)


def _largest_limit(shape: SentShape) -> float:
    return max((_number(value) for name in LIMITS for value in shape.values.get(name, ())), default=0)


def _number(value: SentValue) -> float:
    return value.value if value.kind is ValueKind.NUMBER and isinstance(value.value, int | float) else 0


def _made(surface: Surface, name: str, value: SentValue, *, bounded: bool) -> object:
    """A value of the same kind, or ``_LEFT_OUT``."""
    maker = _BY_NAME.get(name)
    if value.kind is ValueKind.NULL:
        return None
    if maker is not None:
        return maker(surface, value)
    match value.kind:
        case ValueKind.NUMBER:
            return _LEFT_OUT if value.value is None else _bounded(name, value.value, bounded=bounded)
        case ValueKind.BOOLEAN | ValueKind.WORD:
            return value.value
        case ValueKind.TEXT if name in _LABELS:
            return STAND_IN
        case _:
            return _LEFT_OUT


def _bounded(name: str, number: object, *, bounded: bool) -> object:
    most = {**dict.fromkeys(LIMITS, OUTPUT_TOKENS_MAX), **dict.fromkeys(_CHOICES, CHOICES_MAX)}.get(name)
    if most is None or not isinstance(number, int | float) or (name in LIMITS and not bounded):
        return number
    return min(number, most)


def _user() -> dict[str, object]:
    return {"role": "user", "content": PROMPT}


def _messages(_surface: Surface, value: SentValue) -> object:
    leading = [{"role": role, "content": _SYSTEM} for role in ROLES if value.parts.get(role)]
    return [*leading, _user()]


def _input(surface: Surface, value: SentValue) -> object:
    if value.kind is ValueKind.TEXT:
        return PROMPT
    return [_user()] if surface is Surface.RESPONSES else [PROMPT]


def _prompt(surface: Surface, value: SentValue) -> object:
    """On responses ``prompt`` names a template that only its account knows."""
    if surface is not Surface.COMPLETIONS:
        return _LEFT_OUT
    return PROMPT if value.kind is ValueKind.TEXT else [PROMPT]


def _system(_surface: Surface, value: SentValue) -> object:
    return _SYSTEM if value.kind is ValueKind.TEXT else [{"type": "text", "text": _SYSTEM}]


def _stop(_surface: Surface, value: SentValue) -> object:
    return _STOP if value.kind is ValueKind.TEXT else [_STOP]


def _tools(surface: Surface, value: SentValue) -> object:
    if value.kind is not ValueKind.OBJECTS:
        return []
    function: dict[str, object] = {"name": _FUNCTION, "description": "Note the result of the test."}
    match surface:
        case Surface.MESSAGES:
            return [{**function, "input_schema": _OBJECT_SCHEMA}]
        case Surface.RESPONSES:
            return [{"type": "function", **function, "parameters": _OBJECT_SCHEMA}]
        case _:
            return [{"type": "function", "function": {**function, "parameters": _OBJECT_SCHEMA}}]


def _functions(_surface: Surface, _value: SentValue) -> object:
    return [{"name": _FUNCTION, "parameters": _OBJECT_SCHEMA}]


def _tool_choice(surface: Surface, value: SentValue) -> object:
    if value.kind is ValueKind.WORD:
        return value.value
    kind = value.parts.get("type")
    match surface:
        case Surface.MESSAGES if kind == "tool":
            return {"type": "tool", "name": _FUNCTION}
        case Surface.MESSAGES if kind is not None:
            return {"type": kind}
        case Surface.RESPONSES if kind == "function":
            return {"type": "function", "name": _FUNCTION}
        case _ if kind == "function":
            return {"type": "function", "function": {"name": _FUNCTION}}
        case _:
            return _LEFT_OUT


def _response_format(_surface: Surface, value: SentValue) -> object:
    kind = value.parts.get("type")
    if kind is None:
        return _LEFT_OUT
    return {"type": kind, "json_schema": _SCHEMA} if kind == "json_schema" else {"type": kind}


def _text(_surface: Surface, value: SentValue) -> object:
    kind = value.parts.get("format.type")
    found: dict[str, object] = {}
    if kind is not None:
        found["format"] = {"type": kind, **_SCHEMA} if kind == "json_schema" else {"type": kind}
    if "verbosity" in value.parts:
        found["verbosity"] = value.parts["verbosity"]
    return found or _LEFT_OUT


def _parts(_surface: Surface, value: SentValue) -> object:
    return dict(value.parts) or _LEFT_OUT


def _metadata(surface: Surface, _value: SentValue) -> object:
    return {"user_id" if surface is Surface.MESSAGES else "purpose": STAND_IN}


def _nothing_in_it(_surface: Surface, _value: SentValue) -> object:
    return {}


_BY_NAME: Final[Mapping[str, Callable[[Surface, SentValue], object]]] = {
    "messages": _messages,
    "input": _input,
    "prompt": _prompt,
    "instructions": _system,
    "system": _system,
    "stop": _stop,
    "stop_sequences": _stop,
    "tools": _tools,
    "functions": _functions,
    "tool_choice": _tool_choice,
    "response_format": _response_format,
    "text": _text,
    "reasoning": _parts,
    "thinking": _parts,
    "output_config": _parts,
    "stream_options": _parts,
    "metadata": _metadata,
    "logit_bias": _nothing_in_it,
}
