"""What does a (legacy) completion ask for? One prompt, taken as the text to work on."""

from typing import Final

import msgspec

from changeover.azure_sim import refusals
from changeover.azure_sim.chat_request import StreamOptions
from changeover.azure_sim.prompt import Prompt, document_of, marks_of, sent
from changeover.azure_sim.tokens import modelled_tokens

OPERATION: Final = "completion"


class CompletionRequest(msgspec.Struct, frozen=True):
    """A prompt of token numbers cannot be read here: no vocabulary."""

    prompt: str | list[str]
    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    n: int | None = None

    @property
    def wants_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    def question(self) -> Prompt:
        """Raises ``RefusalError`` for an empty prompt or several."""
        texts = [self.prompt] if isinstance(self.prompt, str) else self.prompt
        if len(texts) != 1 or not document_of(texts[0]):
            raise refusals.malformed(f"found {len(texts)} prompts, or an empty one; this deployment takes one text", param="prompt")
        return Prompt(
            operation=OPERATION,
            document=document_of(texts[0]),
            tokens=modelled_tokens(texts[0]),
            tokens_max=self.max_tokens,
            settings=sent({"n": self.n}),
            marks=marks_of(texts),
        )


read_completion = msgspec.json.Decoder(CompletionRequest).decode
