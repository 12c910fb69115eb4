"""What does a JSON Schema look like when it is filled in from a text? Values are found in the text where it has any."""

import re
from collections.abc import Mapping
from typing import Final, cast

import msgspec

from changeover.azure_sim.prompt import Json

DEPTH_MAX: Final = 8
"""Deeper objects stay empty: a schema may contain itself."""
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")


def fill_in(schema: Json, *, document: str, summary: str) -> str:
    """JSON text by ``schema``.

    A string is the summary, or that choice of an ``enum`` which stands first in the document (else the first choice); a
    number is the document's first; a boolean says whether the document speaks of the property; an array has one item.
    """
    return msgspec.json.encode(_Filling(schema, document, summary).value(schema, name="", depth=0)).decode()


class _Filling:
    def __init__(self, root: Json, document: str, summary: str) -> None:
        self._root = root
        self._document = document
        self._lower = document.lower()
        self._summary = summary

    def value(self, schema: Json, *, name: str, depth: int) -> object:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._choice(cast("list[object]", schema["enum"]))
        match _kind(schema):
            case "object":
                return self._properties(schema, depth=depth)
            case "array":
                items = cast("Json", schema.get("items") or {"type": "string"})
                return [self.value(items, name=name, depth=depth + 1)] if depth < DEPTH_MAX else []
            case "integer":
                return int(self._number())
            case "number":
                return self._number()
            case "boolean":
                return name.replace("_", " ").lower() in self._lower
            case "null":
                return None
            case _:
                return self._summary

    def _properties(self, schema: Json, *, depth: int) -> Json:
        if depth >= DEPTH_MAX:
            return {}
        properties = cast("Mapping[str, Json]", schema.get("properties") or {})
        return {name: self.value(each, name=name, depth=depth + 1) for name, each in properties.items()}

    def _resolved(self, schema: Json) -> Json:
        """The schema behind a reference into the same document, and the first of several alternatives."""
        for _ in range(DEPTH_MAX):
            if isinstance(reference := schema.get("$ref"), str):
                schema = _at(self._root, reference)
            elif isinstance(several := schema.get("anyOf") or schema.get("oneOf"), list) and several:
                schema = cast("Json", several[0])
            else:
                break
        return schema

    def _choice(self, choices: list[object]) -> object:
        places = [(self._lower.find(str(choice).lower()), index) for index, choice in enumerate(choices)]
        return choices[min(((at, index) for at, index in places if at >= 0), default=(0, 0))[1]]

    def _number(self) -> float:
        found = _NUMBER.search(self._document)
        return float(found.group()) if found else 0.0


def _kind(schema: Json) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in cast("list[object]", kind) if each != "null"), "null")
    return str(kind) if kind else "object" if "properties" in schema else "string"


def _at(root: Json, reference: str) -> Json:
    """The schema at a reference like ``#/$defs/name``; an empty one where there is none."""
    here = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        found = here.get(part)
        if not isinstance(found, dict):
            return {}
        here = cast("Json", found)
    return here
