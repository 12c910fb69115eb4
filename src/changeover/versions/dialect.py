"""Which API does an account speak? Requests and answers are never translated from one into another."""

from enum import StrEnum
from typing import Final

from changeover.versions.model import AccountKind


class Dialect(StrEnum):
    """A family of APIs whose requests, answers and errors have one shape."""

    OPENAI = "openai"
    """Chat completions, responses and what stands beside them, at OpenAI, Azure OpenAI and compatible servers."""
    ANTHROPIC = "anthropic"
    """Messages."""


API_NAMES: Final = {Dialect.OPENAI: "OpenAI's API", Dialect.ANTHROPIC: "Anthropic's API"}
"""For sentences."""


def dialect_of(kind: AccountKind) -> Dialect:
    """What accounts of ``kind`` speak."""
    return Dialect.ANTHROPIC if kind == "anthropic" else Dialect.OPENAI
