"""What do editors need to know? The JSON Schema of ``changeover.yaml``."""

from typing import Final, cast

from changeover.settings.shape import FileShape

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, object]:
    """The schema, from the same shapes that check the file. Names that must exist in the file are beyond it."""
    schema = cast("dict[str, object]", _without_null(FileShape.model_json_schema()))
    return {"$schema": DIALECT, **schema, "title": "changeover.yaml"}


def _without_null(node: object) -> object:
    """A key may be left out, never empty: the file's check refuses empty values, so the schema does too."""
    if isinstance(node, list):
        return [_without_null(item) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    kept = {key: _without_null(value) for key, value in cast("dict[str, object]", node).items() if not (key == "default" and value is None)}
    options = kept.get("anyOf")
    if not isinstance(options, list):
        return kept
    real = [option for option in cast("list[dict[str, object]]", options) if option != {"type": "null"}]
    if len(real) != 1:
        return {**kept, "anyOf": real}
    del kept["anyOf"]
    return {**real[0], **kept}
