"""What is to be embedded? Texts, or lists of token numbers as some clients send them."""

from typing import Final, Literal

import msgspec

from changeover.azure_sim import refusals
from changeover.azure_sim.filters import Marks
from changeover.azure_sim.prompt import marks_of
from changeover.azure_sim.tokens import modelled_tokens

OPERATION: Final = "embeddings"
TEXTS_MAX: Final = 2048
"""As many as OpenAI takes at once."""

Tokens = list[int]


class EmbeddingRequest(msgspec.Struct, frozen=True):
    """``model`` names the deployment on the v1 surface."""

    input: str | list[str | int | Tokens]
    model: str | None = None
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None

    def texts(self) -> list[str]:
        """Each text to embed; a list of token numbers is the text of these numbers. Raises ``RefusalError`` for none, or too many."""
        texts = self._texts()
        if not 0 < len(texts) <= TEXTS_MAX or not all(texts):
            raise refusals.malformed(f"found {len(texts)} inputs, or an empty one; expected 1 to {TEXTS_MAX} with text", param="input")
        return texts

    def _texts(self) -> list[str]:
        if isinstance(self.input, str):
            return [self.input]
        numbers = [each for each in self.input if isinstance(each, int)]
        if numbers:
            return [_spoken(numbers)]
        return [each if isinstance(each, str) else _spoken(each) for each in self.input if not isinstance(each, int)]

    def tokens(self) -> int:
        """Token numbers count one each; texts by the rule of thumb."""
        if isinstance(self.input, str):
            return modelled_tokens(self.input)
        return sum(1 if isinstance(each, int) else modelled_tokens(each) if isinstance(each, str) else len(each) for each in self.input)

    def marks(self) -> Marks:
        return marks_of(self._texts())


def _spoken(numbers: list[int]) -> str:
    return " ".join(f"token{number}" for number in numbers)


read_embedding = msgspec.json.Decoder(EmbeddingRequest).decode
