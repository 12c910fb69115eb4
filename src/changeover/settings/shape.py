"""How is the file built? Its keys, types and ranges; the JSON Schema for editors comes from here. Resolves no names.

A field's description says what is expected there: faults quote it. ``LATER`` holds keys of the full format that this
version does not know yet: they are refused by that name rather than as unknown.
"""

import re
from datetime import date
from typing import Annotated, ClassVar, Final, Literal, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from changeover.settings.durations import DURATION_EXPECTED, DURATION_PATTERN, seconds
from changeover.settings.endpoints import ENDPOINT_EXPECTED, endpoint_fault

FORMAT_EXPECTED: Final = "1, the version of this format"
NAME_EXPECTED: Final = "a name of letters, digits and . _ - : (up to 128, a letter or digit first)"
DEPLOYMENT_NAME_EXPECTED: Final = "a name of letters, digits and . _ - : / (up to 128, a letter or digit first)"
VERSION_EXPECTED: Final = 'the exact version as the provider names it, such as "2024-11-20"'
POOL_EXPECTED: Final = "the name of a deployment, or a list of such names: a pool of one model version"
UNROUTED_EXPECTED: Final = "refuse, or {account: NAME}: what no task claims is answered with an error, or goes to that account unchanged"
API_EXPECTED: Final = 'v1, or the date of the dated form, such as "2024-10-21"'
PARAMETER_EXPECTED: Final = "the name of a parameter, such as max_tokens"
STICKY_EXPECTED: Final = "header:NAME, safety_identifier or user"
BLOCK_S_MIN: Final = 0.1
BLOCK_EXPECTED: Final = f"{DURATION_EXPECTED}, at least 100ms"
SOURCE_EXPECTED: Final = "scores/NAME: the scores of that name decide"
RATIO_EXPECTED: Final = "a ratio above 1 and at most 100, such as 1.5"
POINTS_EXPECTED: Final = "percentage points above 0 and at most 100, such as 0.5"
QUANTILE_EXPECTED: Final = "a quantile such as p50, p95 or p99"
QUANTILES_MAX: Final = 3
QUANTILES_EXPECTED: Final = f"one to {QUANTILES_MAX} quantiles, each once, such as [p50, p95, p99]"
NO_SOURCE_WORD: Final = "none"
"""Written as a source: the decision to do without one."""

_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"
_DEPLOYMENT_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$"
_VERSION: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_STICKY: Final = r"^(header:[A-Za-z0-9!#$%&'*+.^_`|~-]+|safety_identifier|user)$"
_QUANTILE: Final = r"^p([1-9][0-9]?|[1-9][0-9]\.[0-9])$"
_SOURCE: Final = r"^scores/[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_LATER_SOURCES: Final = ("judge/", "eval/")
_API: Final = r"^(v1|20[0-9]{2}-[0-9]{2}-[0-9]{2}(-preview)?)$"
_PARAMETER: Final = r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$"
_ENV: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
_FLOATING_VERSIONS: Final = ("latest", "default", "auto", "current")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PERMILLE_GRAIN: Final = 1e-6


def expected(text: str, found: str = "") -> PydanticCustomError:
    """A fault with its own words; ``found`` replaces the value where that must not be shown or says too little."""
    return PydanticCustomError("expected", "{expected}", {"expected": text, "found": found})


def later(what: str) -> PydanticCustomError:
    return PydanticCustomError("later", "{what}", {"what": what})


def _matches(pattern: str, words: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise expected(words)
        return text

    return AfterValidator(check)


def _endpoint(text: str) -> str:
    found = endpoint_fault(text)
    if found:
        raise expected(ENDPOINT_EXPECTED, found)
    return text


def _environment_name(text: str) -> str:
    if not re.fullmatch(_ENV, text):
        raise expected("the name of an environment variable, such as AZURE_OPENAI_API_KEY", "something else (not shown)")
    return text


def _exact_version(text: str) -> str:
    if text.lower() in _FLOATING_VERSIONS:
        raise expected(VERSION_EXPECTED + "; a pin names one version, not whatever is newest")
    if _DATE.fullmatch(text):
        try:
            date.fromisoformat(text)
        except ValueError:
            raise expected("a date that exists, " + VERSION_EXPECTED, f"{text}, which is no date") from None
    return text


def _members(value: object) -> tuple[str, ...]:
    names = cast("list[object]", value) if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise expected(POOL_EXPECTED)
    if len(set(names)) < len(names):
        raise expected("every deployment of a pool once", "a deployment twice")
    return tuple(cast("list[str]", names))


def _unrouted(value: object) -> str | None:
    if value == "refuse":
        return None
    if isinstance(value, dict) and list(cast("dict[object, object]", value)) == ["account"]:
        account = cast("dict[str, object]", value)["account"]
        if isinstance(account, str):
            return account
    raise expected(UNROUTED_EXPECTED)


def _no_dataset(value: object) -> object:
    return _known_source(value) if isinstance(value, str) else value


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise expected(QUANTILES_EXPECTED)
    return names


def _some_quantiles(names: list[str]) -> list[str]:
    """Every quantile takes its share of the error level that is left to all trips together."""
    if not 1 <= len(names) <= QUANTILES_MAX:
        raise expected(QUANTILES_EXPECTED, f"{len(names)} quantiles")
    return _distinct(names)


def _whole_number(value: object) -> object:
    """``true`` and ``1.0`` equal 1, but are not what is asked for."""
    if type(value) is not int:
        raise expected(FORMAT_EXPECTED)
    return value


def _long_enough(text: str) -> str:
    if seconds(text) < BLOCK_S_MIN:
        raise expected(BLOCK_EXPECTED)
    return text


def _known_source(text: str) -> str:
    if text.startswith(_LATER_SOURCES):
        raise later(f"the source {text.partition('/')[0]}/...")
    return text


def _sticky_lower(text: str) -> str:
    """Header names are the same in either case; routing tables hold them in lower case."""
    return text.lower() if text.startswith("header:") else text


def _tenths(percent: float) -> float:
    if abs(percent * 10 - round(percent * 10)) > _PERMILLE_GRAIN:
        raise expected("a weight in percent with at most one decimal, such as 12.5")
    return percent


Name = Annotated[str, Field(json_schema_extra={"pattern": _NAME}), _matches(_NAME, NAME_EXPECTED)]
DeploymentName = Annotated[
    str, Field(json_schema_extra={"pattern": _DEPLOYMENT_NAME}), _matches(_DEPLOYMENT_NAME, DEPLOYMENT_NAME_EXPECTED)
]
Duration = Annotated[str, Field(json_schema_extra={"pattern": DURATION_PATTERN}), _matches(DURATION_PATTERN, DURATION_EXPECTED)]
Version = Annotated[
    str, Field(json_schema_extra={"pattern": _VERSION}), _matches(_VERSION, VERSION_EXPECTED), AfterValidator(_exact_version)
]
Pool = Annotated[
    tuple[str, ...],
    PlainValidator(_members),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}]}),
]
Unrouted = Annotated[
    str | None,
    PlainValidator(_unrouted),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "refuse"},
                {"type": "object", "properties": {"account": {"type": "string"}}, "required": ["account"], "additionalProperties": False},
            ]
        }
    ),
]
Parameter = Annotated[str, Field(json_schema_extra={"pattern": _PARAMETER}), _matches(_PARAMETER, PARAMETER_EXPECTED)]
Sticky = Annotated[str, Field(json_schema_extra={"pattern": _STICKY}), _matches(_STICKY, STICKY_EXPECTED), AfterValidator(_sticky_lower)]
Source = Annotated[str, Field(json_schema_extra={"pattern": _SOURCE}), AfterValidator(_known_source), _matches(_SOURCE, SOURCE_EXPECTED)]
SourceOrNone = Annotated[
    str,
    Field(json_schema_extra={"pattern": rf"^none$|{_SOURCE}"}),
    AfterValidator(_known_source),
    _matches(rf"^none$|{_SOURCE}", f"{SOURCE_EXPECTED}; or none"),
]
Quantile = Annotated[str, Field(json_schema_extra={"pattern": _QUANTILE}), _matches(_QUANTILE, QUANTILE_EXPECTED)]
Ratio = Annotated[float, Field(gt=1, le=100)]
Points = Annotated[float, Field(gt=0, le=100)]


class Shape(BaseModel):
    """a mapping"""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    LATER: ClassVar[frozenset[str]] = frozenset()


class AuthShape(Shape):
    """{env: NAME} or {file: PATH}: where the key is found, never the key"""

    LATER = frozenset({"entra", "keyvault"})

    env: Annotated[str, AfterValidator(_environment_name)] | None = Field(None, description="the name of an environment variable")
    file: Annotated[str, Field(min_length=1)] | None = Field(None, description="the path of a file that holds the key")

    @model_validator(mode="after")
    def _one(self) -> "AuthShape":
        if (self.env is None) == (self.file is None):
            raise expected("exactly one of {env: NAME} and {file: PATH}", "both" if self.env else "neither")
        return self


class AccountShape(Shape):
    """an account: {kind: azure-openai, endpoint: https://NAME.openai.azure.com}"""

    LATER = frozenset({"subscription", "resource_group"})

    kind: Literal["azure-openai", "openai", "openai-compatible"] = Field(description="azure-openai, openai or openai-compatible")
    endpoint: Annotated[str, AfterValidator(_endpoint)] | None = Field(None, description=ENDPOINT_EXPECTED)
    auth: AuthShape | None = Field(None, description="{env: NAME} or {file: PATH}: where the key is found, never the key")
    api: Annotated[str, Field(json_schema_extra={"pattern": _API}), _matches(_API, API_EXPECTED)] | None = Field(
        None, description=API_EXPECTED
    )


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

    LATER = frozenset({"sku", "capacity", "content_filter", "upgrade", "region", "pool"})

    account: str | None = Field(None, description="the name of an account; may be left out when there is only one")
    model: Annotated[str, Field(min_length=1, max_length=128)] = Field(description="the model's name, such as gpt-4o")
    version: Version = Field(description=VERSION_EXPECTED)
    environment: Literal["prod", "dev"] = Field("prod", description="prod or dev")
    request: RequestShape | None = Field(None, description="what must change in a request: {rename: ..., drop: ..., set: ...}")


class QualityShape(Shape):
    """the quality criterion: {source: scores/NAME, scale: [1, 5], margin: 0.1, trip: margin}"""

    source: Source | None = Field(None, description=SOURCE_EXPECTED)
    scale: list[float] | None = Field(None, description="[lowest, highest] value of a score, such as [1, 5]")
    margin: Annotated[float, Field(gt=0)] | None = Field(None, description="the accepted loss in the scale's own units, above 0")
    trip: Literal["margin", "any"] | None = Field(None, description="margin or any")

    @model_validator(mode="after")
    def _scale(self) -> "QualityShape":
        if self.scale is not None and (len(self.scale) != 2 or not self.scale[0] < self.scale[1]):
            raise expected("scale: [lowest, highest], the lowest first, such as [1, 5]", f"scale: {self.scale}")
        return self


class ErrorsShape(Shape):
    """the errors criterion: {max_ratio: 1.5, margin_pp: 0.5, trip: any}"""

    max_ratio: Ratio | None = Field(None, description=RATIO_EXPECTED)
    margin_pp: Points | None = Field(None, description=POINTS_EXPECTED)
    trip: Literal["margin", "any"] | None = Field(None, description="margin or any")


class LatencyShape(Shape):
    """the latency criterion: {quantiles: [p50, p95, p99], max_ratio: 1.1, guard_only: [p99], trip: margin}"""

    quantiles: Annotated[list[Quantile], AfterValidator(_some_quantiles)] | None = Field(None, description=QUANTILES_EXPECTED)
    max_ratio: Ratio | None = Field(None, description=RATIO_EXPECTED)
    guard_only: Annotated[list[Quantile], AfterValidator(_distinct)] | None = Field(
        None, description="quantiles of the list that may roll back but are no gate, such as [p99]"
    )
    trip: Literal["margin", "any"] | None = Field(None, description="margin or any")


class TokensShape(Shape):
    """how many times the stable's tokens are accepted: {input: 1.1, output: 1.25}"""

    input: Ratio | None = Field(None, description=RATIO_EXPECTED)
    output: Ratio | None = Field(None, description=RATIO_EXPECTED)


class CostShape(Shape):
    """the cost criterion: {max_ratio: 1.1, tokens: {input: 1.1, output: 1.25}, trip: margin}"""

    max_ratio: Ratio | None = Field(None, description=RATIO_EXPECTED)
    tokens: TokensShape | None = Field(None, description="{input: 1.1, output: 1.25}")
    trip: Literal["margin", "any"] | None = Field(None, description="margin or any")


class FilterShape(Shape):
    """the accepted share of content-filter triggers: {max_ratio: 1.5, margin_pp: 0.2}"""

    max_ratio: Ratio | None = Field(None, description=RATIO_EXPECTED)
    margin_pp: Points | None = Field(None, description=POINTS_EXPECTED)


class HarmfulShape(Shape):
    """where scores of harmful answers come from: {source: scores/NAME} of 0 or 1, or {source: none}"""

    source: SourceOrNone = Field(description=f"{SOURCE_EXPECTED}; or none")


class SafetyShape(Shape):
    """the safety criterion: {filter: {max_ratio: 1.5, margin_pp: 0.2}, harmful: {source: none}, trip: any}"""

    filter: FilterShape | None = Field(None, description="{max_ratio: 1.5, margin_pp: 0.2}")
    harmful: HarmfulShape | None = Field(None, description="{source: none} or {source: scores/NAME}")
    trip: Literal["margin", "any"] | None = Field(None, description="margin or any")


class AccuracyShape(Shape):
    """accuracy against ground truth: {source: none}, any other source is not in this version"""

    LATER = frozenset({"margin_pp", "trip"})

    source: Annotated[Literal["none"], BeforeValidator(_no_dataset)] = Field(description="none: accuracy is not asked")


class CriteriaShape(Shape):
    """criteria: {preset: standard, quality: {...}, latency: {...}, cost: {...}, safety: {...}, errors: {...}}"""

    preset: Literal["strict", "standard", "cheaper-model", "none"] | None = Field(
        None, description="strict, standard, cheaper-model, or none for exactly the criteria written"
    )
    quality: QualityShape | None = Field(None, description="{source: scores/NAME, scale: [1, 5], margin: 0.1, trip: margin}")
    accuracy: AccuracyShape | None = Field(None, description="{source: none}")
    latency: LatencyShape | None = Field(None, description="{quantiles: [p50, p95, p99], max_ratio: 1.1, trip: margin}")
    cost: CostShape | None = Field(None, description="{max_ratio: 1.1, tokens: {input: 1.1, output: 1.25}, trip: margin}")
    safety: SafetyShape | None = Field(None, description="{filter: {max_ratio: 1.5, margin_pp: 0.2}, harmful: {source: none}, trip: any}")
    errors: ErrorsShape | None = Field(None, description="{max_ratio: 1.5, margin_pp: 0.5, trip: any}")
    min_samples: Annotated[int, Field(ge=0, le=100_000_000)] | None = Field(
        None, description="a whole number: units on either side that every pass needs"
    )


class TaskShape(Shape):
    """a task: {stable: DEPLOYMENT}"""

    stable: Pool = Field(description=POOL_EXPECTED)
    failover: list[str] | None = Field(None, description="a list of deployments that stand in, in their order")
    sticky_by: list[Sticky] | None = Field(None, description=f"a list of {STICKY_EXPECTED}")
    criteria: CriteriaShape | None = Field(None, description="{preset: ..., quality: {...}, latency: {...}, ...}")


class ScoreTimeoutShape(Shape):
    """how long late scores are waited for: {client: 1m}"""

    LATER = frozenset({"judge", "human"})

    client: Duration | None = Field(None, description=DURATION_EXPECTED)


class EvidenceShape(Shape):
    """{block: 30m, min_blocks: 12, score_timeout: {client: 1m}}"""

    block: Annotated[Duration, AfterValidator(_long_enough)] | None = Field(None, description=BLOCK_EXPECTED)
    min_blocks: Annotated[int, Field(ge=1, le=100_000)] | None = Field(None, description="a whole number of blocks, 1 or more")
    score_timeout: ScoreTimeoutShape | None = Field(None, description="{client: 1m}")


class AnalysisShape(Shape):
    """an analysis: {require: no_harm, min_duration: 24h}"""

    LATER = frozenset({"gates"})

    require: Literal["no_harm", "pass"] = Field(description="no_harm or pass")
    min_duration: Duration | None = Field(None, description=DURATION_EXPECTED)
    max_duration: Duration | None = Field(None, description=DURATION_EXPECTED)
    on_undecided: Literal["pause"] = Field("pause", description="pause: an undecided analysis never passes")


class StepShape(Shape):
    """one step: {weight: PERCENT} or {analysis: {require: no_harm | pass}}"""

    LATER = frozenset({"verify", "shadow", "approve", "prepare"})

    weight: Annotated[float, Field(gt=0, le=100), AfterValidator(_tenths)] | None = Field(
        None, description="a weight in percent above 0 and at most 100, such as 10 or 12.5"
    )
    analysis: AnalysisShape | None = Field(None, description="{require: no_harm | pass, min_duration: ..., max_duration: ...}")

    @model_validator(mode="after")
    def _one(self) -> "StepShape":
        if (self.weight is None) == (self.analysis is None):
            raise expected(
                "one step an entry: `- weight: 10` or `- analysis: {require: no_harm}`",
                "both a weight and an analysis" if self.weight else "neither",
            )
        return self


class BakeShape(Shape):
    """{duration: 0s, holdback: 0}: a bake is not in this version, promotion comes with the last weight"""

    duration: Duration = Field(description="0s: a bake is not in this version")
    holdback: Annotated[float, Field(ge=0, le=100)] = Field(description="0: a holdback is not in this version")

    @model_validator(mode="after")
    def _none(self) -> "BakeShape":
        if seconds(self.duration) or self.holdback:
            raise later("any other bake")
        return self


class RolloutShape(Shape):
    """a rollout: {task: TASK, candidate: DEPLOYMENT, steps: [...]}"""

    LATER = frozenset({"retain_old", "rollback", "schedule"})

    task: str = Field(description="the name of a task")
    candidate: Pool = Field(description=POOL_EXPECTED)
    strategy: Literal["canary"] = Field("canary", description="canary")
    steps: list[StepShape] | None = Field(None, description="a list of steps: weights up to 100 with an analysis between them")
    bake: BakeShape | None = Field(None, description="{duration: 0s, holdback: 0}")


class GatewayShape(Shape):
    """{unrouted: refuse} or {unrouted: {account: NAME}}"""

    unrouted: Unrouted = Field(None, description=UNROUTED_EXPECTED)


class FileShape(Shape):
    """changeover.yaml"""

    LATER = frozenset({"policy", "datasets", "judges", "alerts"})

    version: Annotated[Literal[1], BeforeValidator(_whole_number)] = Field(description=FORMAT_EXPECTED)
    accounts: dict[Name, AccountShape] = Field(description="accounts by name, at least one", json_schema_extra={"minProperties": 1})
    deployments: dict[DeploymentName, DeploymentShape] = Field(
        description="deployments by name, at least one", json_schema_extra={"minProperties": 1}
    )
    tasks: dict[Name, TaskShape] = Field(
        description="tasks by name, each with its stable, at least one", json_schema_extra={"minProperties": 1}
    )
    gateway: GatewayShape | None = Field(None, description="{unrouted: refuse}")
    criteria: CriteriaShape | None = Field(None, description="{preset: standard, quality: {...}, latency: {...}, ...}")
    evidence: EvidenceShape | None = Field(None, description="{block: 30m, min_blocks: 12, score_timeout: {client: 1m}}")
    rollouts: dict[Name, RolloutShape] | None = Field(None, description="rollouts by name")


LATER_VALUES: Final = {
    "kind": ("anthropic",),
    "strategy": ("blue-green", "paired"),
    "on_undecided": ("rollback", "roll_back", "fail"),
}
"""Values of the full format that this version does not know yet, by key."""
