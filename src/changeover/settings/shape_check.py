"""How does the file set the rules of its own check, and silence what is known? Ids and levels; judges no finding."""

from typing import Annotated, Final, cast

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from changeover.settings.dates import DATE_EXPECTED, day_at
from changeover.settings.declared_check import Environment, Level
from changeover.settings.rules.book import SETTABLE
from changeover.settings.shape_base import Shape, expected

LEVELS: Final[tuple[Level, ...]] = ("off", "warn", "error")
ENVIRONMENTS: Final[tuple[Environment, ...]] = ("prod", "dev")
RULE_EXPECTED: Final = f"the id of a rule that may be set: {', '.join(SETTABLE)}"
LEVEL_EXPECTED: Final = "off, warn or error, or one for each environment, such as {prod: error, dev: off}"
AT_EXPECTED: Final = "the path of a finding as the check prints it, such as deployments.chat"
REASON_CHARS_MAX: Final = 500
AT_CHARS_MAX: Final = 500


def _rule(text: str) -> str:
    if text not in SETTABLE:
        raise expected(RULE_EXPECTED)
    return text


def _level(value: object) -> Level:
    """YAML reads a plain ``off`` as false."""
    word = "off" if value is False else value
    for level in LEVELS:
        if word == level:
            return level
    raise expected(LEVEL_EXPECTED)


def _levels(value: object) -> dict[Environment, Level]:
    if not isinstance(value, dict):
        return dict.fromkeys(ENVIRONMENTS, _level(value))
    said = cast("dict[object, object]", value)
    if not said or not set(said) <= set(ENVIRONMENTS):
        raise expected(LEVEL_EXPECTED)
    return {environment: _level(said[environment]) for environment in ENVIRONMENTS if environment in said}


def _printable(text: str) -> str:
    if not text.isprintable():
        raise expected("text in one line, of signs that can be printed", "signs that cannot")
    return text


def _day(text: str) -> str:
    if day_at(text) is None:
        raise expected(DATE_EXPECTED)
    return text


_LEVEL_SCHEMA: Final[dict[str, object]] = {"enum": [*LEVELS, False]}
RuleId = Annotated[str, Field(json_schema_extra={"enum": list(SETTABLE)}), AfterValidator(_rule)]
Levels = Annotated[
    dict[Environment, Level],
    PlainValidator(_levels),
    WithJsonSchema(
        {
            "anyOf": [
                _LEVEL_SCHEMA,
                {
                    "type": "object",
                    "properties": dict.fromkeys(ENVIRONMENTS, _LEVEL_SCHEMA),
                    "additionalProperties": False,
                    "minProperties": 1,
                },
            ]
        }
    ),
]
Day = Annotated[str, AfterValidator(_day)]


class SilenceShape(Shape):
    """a silence: {rule: CO103, at: deployments.chat, reason: "...", until: 2027-01-31}"""

    rule: RuleId = Field(description=RULE_EXPECTED)
    at: Annotated[str, Field(min_length=1, max_length=AT_CHARS_MAX), AfterValidator(_printable)] = Field(description=AT_EXPECTED)
    reason: Annotated[str, Field(max_length=REASON_CHARS_MAX), AfterValidator(_printable)] | None = Field(
        None, description="why it is put off, in a sentence"
    )
    until: Day | None = Field(None, description=DATE_EXPECTED)


class CheckShape(Shape):
    """{rules: {CO201: error}, silence: [{rule: CO103, at: deployments.chat, reason: "...", until: 2027-01-31}]}"""

    rules: dict[RuleId, Levels] | None = Field(None, description="levels by rule: off, warn or error")
    silence: list[SilenceShape] | None = Field(None, description=f"a list, each entry {SilenceShape.__doc__}")
