"""How does the file declare a task?"""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from changeover.settings.shape_base import Shape, matches
from changeover.settings.shape_criteria import CriteriaShape
from changeover.settings.shape_names import POOL_EXPECTED, Pool
from changeover.settings.slicing import SLICE_EXPECTED, SliceSource

STICKY_EXPECTED: Final = "header:NAME, safety_identifier, user or metadata.user_id"
_STICKY: Final = r"^(header:[A-Za-z0-9!#$%&'*+.^_`|~-]+|safety_identifier|user|metadata\.user_id)$"


def _sticky_lower(text: str) -> str:
    """Header names are the same in either case; routing tables hold them in lower case."""
    return text.lower() if text.startswith("header:") else text


Sticky = Annotated[str, Field(json_schema_extra={"pattern": _STICKY}), matches(_STICKY, STICKY_EXPECTED), AfterValidator(_sticky_lower)]


class TaskShape(Shape):
    """a task: {stable: DEPLOYMENT}"""

    stable: Pool = Field(description=POOL_EXPECTED)
    failover: list[str] | None = Field(None, description="a list of deployments that stand in, in their order")
    sticky_by: list[Sticky] | None = Field(None, description=f"a list of {STICKY_EXPECTED}")
    slice_by: list[SliceSource] | None = Field(None, description=f"a list of {SLICE_EXPECTED}")
    criteria: CriteriaShape | None = Field(None, description="{preset: ..., quality: {...}, latency: {...}, ...}")
