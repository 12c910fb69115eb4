"""How many tokens would it be? Modelled: a rule of thumb, the same for prompt and answer, so that versions compare fairly."""

import math
from collections.abc import Sequence
from typing import Final

CHARACTERS_PER_TOKEN: Final = 4
"""English prose comes to about four characters a token in the vocabularies of current models."""
TOKENS_PER_MESSAGE: Final = 4
TOKENS_PER_PROMPT: Final = 3


def modelled_tokens(text: str) -> int:
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def chat_tokens(messages: Sequence[str]) -> int:
    """The text of every message, four tokens of frame each and three for the prompt."""
    return TOKENS_PER_PROMPT + sum(TOKENS_PER_MESSAGE + modelled_tokens(text) for text in messages)


def cut_to_tokens(text: str, tokens_max: int | None) -> str:
    return text if tokens_max is None else text[: tokens_max * CHARACTERS_PER_TOKEN]
