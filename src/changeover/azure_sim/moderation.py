"""What does the moderation API say? Flagged is what carries a mark of the content filter; never anything else."""

from typing import Final

import msgspec

from changeover.azure_sim.answer import Json, encode
from changeover.azure_sim.filters import read_marks

_CATEGORIES: Final[dict[str, str]] = {"hate": "hate", "self_harm": "self-harm", "sexual": "sexual", "violence": "violence"}


class ModerationRequest(msgspec.Struct, frozen=True):
    """``model`` may name a deployment; nothing depends on it."""

    input: str | list[str]
    model: str | None = None


read_moderation = msgspec.json.Decoder(ModerationRequest).decode


def moderation(request: ModerationRequest, *, token: str) -> bytes:
    texts = [request.input] if isinstance(request.input, str) else request.input
    return encode({"id": f"modr-{token}", "model": request.model, "results": [_result(text) for text in texts]})


def _result(text: str) -> Json:
    marks = read_marks(text)
    found = marks.block_prompt | marks.annotate_prompt | marks.block_completion | marks.annotate_completion
    return {
        "flagged": bool(found),
        "categories": {name: each in found for each, name in _CATEGORIES.items()},
        "category_scores": {name: float(each in found) for each, name in _CATEGORIES.items()},
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES.values()},
    }
