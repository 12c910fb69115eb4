"""What does a version answer? The same value for every API; each has its own bytes for it."""

from enum import StrEnum
from typing import Final

import msgspec

from changeover.azure_sim.filters import Marks
from changeover.azure_sim.prompt import Form

Json = dict[str, object]
encode: Final = msgspec.json.Encoder().encode


class Finish(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    FILTER = "content_filter"
    TOOL = "tool_calls"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer ready to be sent. ``pieces`` are what a stream's deltas carry; together they are ``text``.

    ``token`` is the part of its ids that is its own. With a ``form`` that names a tool the text is that tool's arguments.
    ``completion_tokens`` include ``reasoning_tokens``.
    """

    token: str
    created: int
    model: str
    fingerprint: str
    pieces: tuple[str, ...]
    finish: Finish
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int = 0
    marks: Marks
    form: Form | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def tool(self) -> str | None:
        return None if self.form is None else self.form.tool

    @property
    def filtered(self) -> bool:
        return self.finish is Finish.FILTER

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class Vectors(msgspec.Struct, frozen=True, kw_only=True):
    """Embeddings ready to be sent. ``as_base64``: 32-bit floats instead of numbers."""

    model: str
    vectors: tuple[tuple[float, ...], ...]
    as_base64: bool
    tokens: int
    pieces: tuple[str, ...] = ("",)


class Frames(msgspec.Struct, frozen=True, kw_only=True):
    """A stream: what comes first, what comes piece by piece, and the end."""

    opening: bytes
    pieces: tuple[bytes, ...]
    closing: bytes


def data_event(body: Json) -> bytes:
    return b"data: " + encode(body) + b"\n\n"


STREAM_END: Final = b"data: [DONE]\n\n"
