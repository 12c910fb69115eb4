"""What is a version asked, whichever API asked? Each request becomes this; the summarisers and the shapes know no other."""

from collections.abc import Sequence

import msgspec

from changeover.azure_sim.filters import NO_MARKS, Marks, read_marks, without_marks

Json = dict[str, object]


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is JSON by ``schema``: the arguments of ``tool``, or where that is ``None`` the text itself.

    ``by_name``: the caller named the tool; such an answer finishes with ``stop``.
    """

    schema: Json
    tool: str | None = None
    by_name: bool = False


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """One question. ``operation`` is Azure's name for the API; ``settings`` are the parameters that some versions refuse, as
    sent; ``tokens`` are modelled.
    """

    operation: str
    document: str
    tokens: int
    tokens_max: int | None = None
    form: Form | None = None
    effort: str | None = None
    settings: Json = {}
    marks: Marks = NO_MARKS


def document_of(text: str) -> str:
    """The text to work on: without marks for the filter, stripped."""
    return without_marks(text).strip()


def marks_of(texts: Sequence[str]) -> Marks:
    return read_marks("\n".join(texts))


def sent(settings: Json) -> Json:
    """What was said of ``settings``: ``null`` says nothing."""
    return {name: value for name, value in settings.items() if value is not None}
