"""What may a thing of the file be called? Names of accounts, tasks, deployments and pools, and free words."""

from typing import Annotated, Final, cast

from pydantic import Field, PlainValidator, WithJsonSchema

from changeover.settings.shape_base import expected, matches

NAME_EXPECTED: Final = "a name of letters, digits and . _ - : (up to 128, a letter or digit first)"
DEPLOYMENT_NAME_EXPECTED: Final = "a name of letters, digits and . _ - : / (up to 128, a letter or digit first)"
POOL_EXPECTED: Final = "the name of a deployment, or a list of such names: a pool of one model version"
_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"
_DEPLOYMENT_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$"


def _members(value: object) -> tuple[str, ...]:
    names = cast("list[object]", value) if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise expected(POOL_EXPECTED)
    if len(set(names)) < len(names):
        raise expected("every deployment of a pool once", "a deployment twice")
    return tuple(cast("list[str]", names))


Name = Annotated[str, Field(json_schema_extra={"pattern": _NAME}), matches(_NAME, NAME_EXPECTED)]
DeploymentName = Annotated[str, Field(json_schema_extra={"pattern": _DEPLOYMENT_NAME}), matches(_DEPLOYMENT_NAME, DEPLOYMENT_NAME_EXPECTED)]
Pool = Annotated[
    tuple[str, ...],
    PlainValidator(_members),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}]}),
]
Words = Annotated[str, Field(min_length=1, max_length=64)]
