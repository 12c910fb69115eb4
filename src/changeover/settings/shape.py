"""How is the file built? Its keys, types and ranges; the JSON Schema for editors comes from here. Resolves no names.

A field's description says what is expected there: faults quote it. ``LATER`` holds keys of the full format that this
version does not know yet: they are refused by that name rather than as unknown.
"""

from typing import Annotated, Final, Literal, cast

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from changeover.settings.shape_accounts import AccountShape
from changeover.settings.shape_alerts import Alert, AlertShape, PolicyShape
from changeover.settings.shape_base import Shape, expected
from changeover.settings.shape_check import CheckShape
from changeover.settings.shape_criteria import CriteriaShape
from changeover.settings.shape_deployments import DeploymentShape
from changeover.settings.shape_evidence import EvidenceShape
from changeover.settings.shape_names import DeploymentName, Name
from changeover.settings.shape_rollouts import RolloutShape
from changeover.settings.shape_tasks import TaskShape

FORMAT_EXPECTED: Final = "1, the version of this format"
UNROUTED_EXPECTED: Final = "refuse, or {account: NAME}: what no task claims is answered with an error, or goes to that account unchanged"


def _unrouted(value: object) -> str | None:
    if value == "refuse":
        return None
    if isinstance(value, dict) and list(cast("dict[object, object]", value)) == ["account"]:
        account = cast("dict[str, object]", value)["account"]
        if isinstance(account, str):
            return account
    raise expected(UNROUTED_EXPECTED)


def _whole_number(value: object) -> object:
    """``true`` and ``1.0`` equal 1, but are not what is asked for."""
    if type(value) is not int:
        raise expected(FORMAT_EXPECTED)
    return value


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


class GatewayShape(Shape):
    """{unrouted: refuse} or {unrouted: {account: NAME}}"""

    unrouted: Unrouted = Field(None, description=UNROUTED_EXPECTED)


class FileShape(Shape):
    """changeover.yaml"""

    LATER = frozenset({"datasets", "judges"})

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
    evidence: EvidenceShape | None = Field(None, description=EvidenceShape.__doc__)
    rollouts: dict[Name, RolloutShape] | None = Field(None, description="rollouts by name")
    alerts: list[Alert] | None = Field(None, description=f"a list, each entry {AlertShape.__doc__}")
    policy: PolicyShape | None = Field(None, description=PolicyShape.__doc__)
    check: CheckShape | None = Field(None, description=CheckShape.__doc__)


LATER_VALUES: Final = {
    "on_undecided": ("fail",),
}
"""Values of the full format that this version does not know yet, by key."""
