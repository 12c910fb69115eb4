"""How does the file declare a deployment: its pinned version, and what must change in requests for it?"""

import re
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from changeover.settings.shape_base import Shape, expected, matches
from changeover.settings.shape_names import Words
from changeover.versions import PINNED, UpgradeOption

VERSION_EXPECTED: Final = 'the exact version as the provider names it, such as "2024-11-20"'
PARAMETER_EXPECTED: Final = "the name of a parameter, such as max_tokens"
CALLED_EXPECTED: Final = "its name at the provider, where that is not the name it has here"
CAPACITY_EXPECTED: Final = "a whole number of units: thousands of tokens a minute, or PTUs for a provisioned SKU"
UPGRADE_EXPECTED: Final = "NoAutoUpgrade (the pin), OnceCurrentVersionExpired or OnceNewDefaultVersionAvailable"
CAPACITY_MAX: Final = 10_000_000
_CALLED: Final = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$"
_VERSION: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_PARAMETER: Final = r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$"
_FLOATING_VERSIONS: Final = ("latest", "default", "auto", "current")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _exact_version(text: str) -> str:
    if text.lower() in _FLOATING_VERSIONS:
        raise expected(VERSION_EXPECTED + "; a pin names one version, not whatever is newest")
    if _DATE.fullmatch(text):
        try:
            date.fromisoformat(text)
        except ValueError:
            raise expected("a date that exists, " + VERSION_EXPECTED, f"{text}, which is no date") from None
    return text


Version = Annotated[
    str, Field(json_schema_extra={"pattern": _VERSION}), matches(_VERSION, VERSION_EXPECTED), AfterValidator(_exact_version)
]
Parameter = Annotated[str, Field(json_schema_extra={"pattern": _PARAMETER}), matches(_PARAMETER, PARAMETER_EXPECTED)]


class SystemPromptShape(Shape):
    """{file: PATH} or {text: ...}, with mode: replace or prepend"""

    file: Annotated[str, Field(min_length=1)] | None = Field(None, description="the path of a text file, seen from this file")
    text: Annotated[str, Field(min_length=1)] | None = Field(None, description="the prompt itself")
    mode: Literal["replace", "prepend"] = Field("replace", description="replace or prepend: instead of the caller's own, or before it")

    @model_validator(mode="after")
    def _one(self) -> "SystemPromptShape":
        if (self.file is None) == (self.text is None):
            raise expected("exactly one of {file: PATH} and {text: ...}", "both" if self.file else "neither")
        return self


class RequestShape(Shape):
    """what must change in a request: {rename: {max_tokens: max_completion_tokens}, drop: [temperature], set: {...}}"""

    rename: dict[Parameter, Parameter] | None = Field(None, description="new names of parameters by their old names")
    drop: list[Parameter] | None = Field(None, description="a list of parameters that are not sent on")
    set: dict[Parameter, object] | None = Field(None, description="values by parameter, sent whatever the caller says")
    system_prompt: SystemPromptShape | None = Field(None, description="{file: PATH} or {text: ...}, with mode: replace or prepend")


class DeploymentShape(Shape):
    """a deployment: {model: gpt-4o, version: "2024-11-20"}"""

    LATER = frozenset({"pool"})

    account: str | None = Field(None, description="the name of an account; may be left out when there is only one")
    model: Annotated[str, Field(min_length=1, max_length=128)] = Field(description="the model's name, such as gpt-4o")
    version: Version = Field(description=VERSION_EXPECTED)
    environment: Literal["prod", "dev"] = Field("prod", description="prod or dev")
    sku: Words | None = Field(None, description="how the provider sells it, such as Standard or GlobalStandard")
    region: Words | None = Field(None, description="where it runs, such as swedencentral")
    content_filter: Words | None = Field(None, description="the name of its content-filter policy")
    called: Annotated[str, Field(json_schema_extra={"pattern": _CALLED}), matches(_CALLED, CALLED_EXPECTED)] | None = Field(
        None, description=CALLED_EXPECTED
    )
    capacity: Annotated[int, Field(ge=1, le=CAPACITY_MAX)] | None = Field(None, description=CAPACITY_EXPECTED)
    upgrade: UpgradeOption = Field(PINNED, description=UPGRADE_EXPECTED)
    observed: bool = Field(default=False, description="true: somebody else makes and changes it, and apply never does; or false")
    request: RequestShape | None = Field(None, description="what must change in a request: {rename: ..., drop: ..., set: ...}")
