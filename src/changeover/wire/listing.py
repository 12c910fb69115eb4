"""What can be asked for here? The answer to ``GET /v1/models``."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

import msgspec

OWNER: Final = "changeover"
_ENCODER: Final = msgspec.json.Encoder()


def models_body(names: Sequence[str], created: int) -> bytes:
    """OpenAI's list of models with these names, in their order; ``created`` is Unix time in seconds."""
    return _ENCODER.encode({"object": "list", "data": [_model(name, created) for name in names]})


def model_body(name: str, created: int) -> bytes:
    """The answer to ``GET /v1/models/{name}``."""
    return _ENCODER.encode(_model(name, created))


def asked_name(operation: bytes) -> str | None:
    """The name in ``/models/{name}``; ``None`` for the whole list."""
    return unquote(operation.decode("ascii").removeprefix("/models").removeprefix("/")) or None


def _model(name: str, created: int) -> dict[str, object]:
    return {"id": name, "object": "model", "created": created, "owned_by": OWNER}
