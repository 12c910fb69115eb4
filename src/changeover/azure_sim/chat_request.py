"""What does a request ask for? The few fields of a chat completion that the summarisers heed; all others are accepted and ignored."""

from typing import Literal

import msgspec


class Part(msgspec.Struct, frozen=True):
    type: str
    text: str = ""


class Message(msgspec.Struct, frozen=True):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool | None = None


class ChatRequest(msgspec.Struct, frozen=True):
    """``model`` names the deployment on the v1 surface and is ignored where the path names it."""

    messages: list[Message]
    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None

    @property
    def document(self) -> str:
        """The text to summarise: the last user message, stripped; empty when there is none."""
        return next((message.text.strip() for message in reversed(self.messages) if message.role == "user"), "")

    @property
    def tokens_max(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    @property
    def wants_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)


read_chat = msgspec.json.Decoder(ChatRequest).decode
"""Raises ``msgspec.DecodeError`` for what is no JSON, ``msgspec.ValidationError`` for JSON that is no chat request."""
