"""What do all shapes of the file have in common? Faults in words, patterns, durations, and the base that refuses unknown keys."""

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from changeover.settings.durations import DURATION_EXPECTED, DURATION_PATTERN


def expected(text: str, found: str = "") -> PydanticCustomError:
    """A fault with its own words; ``found`` replaces the value where that must not be shown or says too little."""
    return PydanticCustomError("expected", "{expected}", {"expected": text, "found": found})


def later(what: str) -> PydanticCustomError:
    return PydanticCustomError("later", "{what}", {"what": what})


def matches(pattern: str, words: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise expected(words)
        return text

    return AfterValidator(check)


Duration = Annotated[str, Field(json_schema_extra={"pattern": DURATION_PATTERN}), matches(DURATION_PATTERN, DURATION_EXPECTED)]


class Shape(BaseModel):
    """a mapping"""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    LATER: ClassVar[frozenset[str]] = frozenset()
