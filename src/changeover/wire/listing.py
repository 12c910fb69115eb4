"""What can be asked for here? The answer to ``GET /v1/models``."""

from collections.abc import Sequence
from typing import Final

import msgspec

OWNER: Final = "changeover"
_ENCODER: Final = msgspec.json.Encoder()


def models_body(names: Sequence[str], created: int) -> bytes:
    """OpenAI's list of models with these names, in their order; ``created`` is Unix time in seconds."""
    return _ENCODER.encode(
        {"object": "list", "data": [{"id": name, "object": "model", "created": created, "owned_by": OWNER} for name in names]}
    )
