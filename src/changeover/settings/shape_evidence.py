"""How does the file say what observations become evidence by? Blocks, time-outs, and where the cost tests are sharpest."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from changeover.settings.durations import DURATION_EXPECTED, seconds
from changeover.settings.shape_base import Duration, Shape, expected

BLOCK_S_MIN: Final = 0.1
BLOCK_EXPECTED: Final = f"{DURATION_EXPECTED}, at least 100ms"
N_STAR_EXPECTED: Final = "a whole number of requests of both sides together, 100 or more: where the cost tests are sharpest"
N_STAR_USERS_EXPECTED: Final = "the same in users, where a user's requests hang together: 60 or more"


def _long_enough(text: str) -> str:
    if seconds(text) < BLOCK_S_MIN:
        raise expected(BLOCK_EXPECTED)
    return text


class ScoreTimeoutShape(Shape):
    """how long late scores are waited for, by who gives them: {client: 1m, judge: 10m, human: 7d}"""

    client: Duration | None = Field(None, description=DURATION_EXPECTED)
    judge: Duration | None = Field(None, description=DURATION_EXPECTED)
    human: Duration | None = Field(None, description=DURATION_EXPECTED)


NO_TIMEOUTS: Final = ScoreTimeoutShape(client=None, judge=None, human=None)


class EvidenceShape(Shape):
    """{block: 30m, min_blocks: 12, score_timeout: {client: 1m, judge: 10m, human: 7d}}"""

    block: Annotated[Duration, AfterValidator(_long_enough)] | None = Field(None, description=BLOCK_EXPECTED)
    min_blocks: Annotated[int, Field(ge=1, le=100_000)] | None = Field(None, description="a whole number of blocks, 1 or more")
    score_timeout: ScoreTimeoutShape | None = Field(None, description="{client: 1m, judge: 10m, human: 7d}")
    n_star: Annotated[int, Field(ge=100, le=1_000_000_000)] | None = Field(None, description=N_STAR_EXPECTED)
    n_star_users: Annotated[int, Field(ge=60, le=1_000_000_000)] | None = Field(None, description=N_STAR_USERS_EXPECTED)
