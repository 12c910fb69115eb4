"""Where is a request's slice read from? The ways to write it in the file."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from changeover.settings.shape_base import matches

SLICE_EXPECTED: Final = "header:NAME or metadata:KEY, such as header:x-language"

_SLICE: Final = r"^(header:[A-Za-z0-9!#$%&'*+.^_`|~-]+|metadata:[A-Za-z0-9_.-]{1,64})$"


def _lower_header(text: str) -> str:
    return text.lower() if text.startswith("header:") else text


SliceSource = Annotated[str, Field(json_schema_extra={"pattern": _SLICE}), matches(_SLICE, SLICE_EXPECTED), AfterValidator(_lower_header)]
