"""How does the file say who is told, about what, and when? Addresses and secrets by reference only."""

import re
from typing import Annotated, Final, Literal, cast

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from changeover.rollout.topics import DEFAULT_TOPICS, TOPICS
from changeover.settings.endpoints import endpoint_fault
from changeover.settings.secrecy import HIDDEN
from changeover.settings.shape_base import Shape, expected
from changeover.versions.naming import DEFAULT_POLICY, NamePolicy, PolicyError

REFERENCE_EXPECTED: Final = "{env: NAME} or {file: PATH}: where it is found, never the value (whoever knows the address can post there)"
SECRET_EXPECTED: Final = "{env: NAME} or {file: PATH}: where the signing secret (whsec_...) is found, never the secret"
TOPICS_EXPECTED: Final = f"a list of topics out of {', '.join(TOPICS)}; without it all but step"
LINK_EXPECTED: Final = "the address people reach the control plane at, such as https://changeover.example.com, without a slash at the end"
AT_EXPECTED: Final = 'a time of day in UTC, in quotes, such as "15:00"'
NAME_PATTERN_EXPECTED: Final = (
    "what deployments are called, such as {model}-{env}-v{mmdd}: {model}, one of {mmdd}, {yymmdd}, {yyyymmdd} and {version}, and {env} if "
    "you like"
)
DAY_EXPECTED: Final = "mon, tue, wed, thu, fri, sat or sun"

_ENV: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_AT: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _environment_name(text: str) -> str:
    if not _ENV.fullmatch(text):
        raise expected("the name of an environment variable, such as CHANGEOVER_WEBHOOK", f"something else {HIDDEN}")
    return text


def _a_mapping(value: object) -> object:
    """Whatever is written in place of a reference may be the secret itself."""
    if not isinstance(value, dict):
        raise expected(REFERENCE_EXPECTED, f"something else {HIDDEN}")
    return cast("object", value)


def _an_entry(value: object) -> object:
    """An address written in place of an entry is not shown either."""
    if not isinstance(value, dict):
        raise expected("an entry such as {webhook: {env: NAME}, on: [paused, rolled_back]}", f"something else {HIDDEN}")
    return cast("object", value)


def _link(text: str) -> str:
    found = endpoint_fault(text)
    if found:
        raise expected(LINK_EXPECTED, found)
    return text


def _time_of_day(text: str) -> str:
    if not _AT.fullmatch(text):
        raise expected(AT_EXPECTED)
    return text


class ReferenceShape(Shape):
    """{env: NAME} or {file: PATH}: where it is found, never the value"""

    env: Annotated[str, AfterValidator(_environment_name)] | None = Field(None, description="the name of an environment variable")
    file: Annotated[str, Field(min_length=1)] | None = Field(None, description="the path of a file that holds it")

    @model_validator(mode="after")
    def _one(self) -> "ReferenceShape":
        if (self.env is None) == (self.file is None):
            raise expected(REFERENCE_EXPECTED, "neither" if self.env is None else "both")
        return self


Reference = Annotated[ReferenceShape, BeforeValidator(_a_mapping)]
Topic = Literal["started", "step", "paused", "undecided", "rolled_back", "completed", "drift", "retirement", "summary"]


class AlertShape(Shape):
    """a destination: {webhook: {env: NAME}, secret: {env: NAME}, on: [...]} or {apprise: {env: NAME}, on: [...]}"""

    webhook: Reference | None = Field(None, description=REFERENCE_EXPECTED)
    apprise: Reference | None = Field(None, description=REFERENCE_EXPECTED)
    secret: Reference | None = Field(None, description=SECRET_EXPECTED)
    on: Annotated[list[Topic], Field(min_length=1)] = Field(cast("list[Topic]", list(DEFAULT_TOPICS)), description=TOPICS_EXPECTED)
    link: Annotated[str, AfterValidator(_link)] | None = Field(None, description=LINK_EXPECTED)

    @model_validator(mode="after")
    def _one(self) -> "AlertShape":
        if (self.webhook is None) == (self.apprise is None):
            raise expected("one of webhook and apprise", "neither" if self.webhook is None else "both")
        if self.apprise is not None and self.secret is not None:
            raise expected("no secret: only a webhook is signed; take it out", "a secret for apprise")
        return self


Alert = Annotated[AlertShape, BeforeValidator(_an_entry)]


def _name_pattern(text: str) -> str:
    try:
        NamePolicy(text)
    except PolicyError as error:
        found = str(error).partition(";")[0].removeprefix("found ")
        raise expected(NAME_PATTERN_EXPECTED, found) from None
    return text


class SummaryShape(Shape):
    """{day: fri, at: "15:00"}: when the week is summed up, in UTC"""

    day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] = Field("fri", description=DAY_EXPECTED)
    at: Annotated[str, AfterValidator(_time_of_day)] = Field("15:00", description=AT_EXPECTED)


class PolicyShape(Shape):
    """{four_eyes: true, summary: {day: fri, at: "15:00"}, name: "{model}-{env}-v{mmdd}"}"""

    LATER = frozenset({"retire_warning_days", "on_retirement"})

    name: Annotated[str, AfterValidator(_name_pattern)] = Field(DEFAULT_POLICY, description=NAME_PATTERN_EXPECTED)
    four_eyes: bool = Field(default=False, description="true: who starts a rollout does not approve it; or false")
    summary: SummaryShape = Field(SummaryShape(day="fri", at="15:00"), description=SummaryShape.__doc__)
