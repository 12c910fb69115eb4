"""What can be asked for here? The answer to ``GET /v1/models``."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote

import msgspec

from changeover.versions.dialect import Dialect

OWNER: Final = "changeover"
_ENCODER: Final = msgspec.json.Encoder()


def models_body(names: Sequence[str], created: int, dialect: Dialect = Dialect.OPENAI) -> bytes:
    """The provider's list of models with these names, in their order and whole; ``created`` is Unix time in seconds."""
    listed = [_model(name, created, dialect) for name in names]
    if dialect is Dialect.OPENAI:
        return _ENCODER.encode({"object": "list", "data": listed})
    first, last = (names[0], names[-1]) if names else (None, None)
    return _ENCODER.encode({"data": listed, "has_more": False, "first_id": first, "last_id": last})


def model_body(name: str, created: int, dialect: Dialect = Dialect.OPENAI) -> bytes:
    """The answer to ``GET /v1/models/{name}``."""
    return _ENCODER.encode(_model(name, created, dialect))


def asked_name(operation: bytes) -> str | None:
    """The name in ``/models/{name}``; ``None`` for the whole list."""
    return unquote(operation.decode("ascii").removeprefix("/models").removeprefix("/")) or None


def _model(name: str, created: int, dialect: Dialect) -> dict[str, object]:
    if dialect is Dialect.ANTHROPIC:
        at = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"type": "model", "id": name, "display_name": name, "created_at": at, "lifecycle": "active"}
    return {"id": name, "object": "model", "created": created, "owned_by": OWNER}
