"""What are the lines of an answer that comes line by line? The command line reads them too."""

import msgspec


class ProgressLine(msgspec.Struct, frozen=True, kw_only=True, tag="progress", tag_field="line"):
    """How far the call has come."""

    sent: int
    text: str


class EndLine(msgspec.Struct, frozen=True, kw_only=True, tag="end", tag_field="line"):
    """The last line: what the call would have been answered with."""

    status: int
    body: msgspec.Raw


Line = ProgressLine | EndLine
