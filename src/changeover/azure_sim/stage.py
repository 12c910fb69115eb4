"""What stands on the stage? One declared resource: its deployments, the version behind each, and how each behaves in time."""

from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

import msgspec

SUMMARISER_MODEL: Final = "summariser"
"""A family of small extractive summarisers of this package; no provider sells it."""
REASONER_MODEL: Final = "reasoner"
"""The same work from a version of the reasoning type: it refuses what such versions refuse, and counts tokens for thinking."""
EMBEDDER_MODEL: Final = "embedder"
"""Word vectors of this package."""
TOKENS_PER_CAPACITY: Final = 1000
REQUESTS_PER_CAPACITY: Final = 6
"""One unit of capacity is 1,000 tokens and 6 requests a minute, as for most Standard deployments."""

Method = Literal["first-sentence", "first-sentence-compressed", "textrank", "last-sentence", "hashed-words"]
EMBEDDING_METHOD: Final = "hashed-words"
"""The one method that answers with vectors; all others answer with text."""


class Condition(StrEnum):
    """How a deployment stands; changed while running through ``PUT /sim/deployments/{name}``."""

    SERVING = "serving"
    LIMITED = "limited"
    """Every request is answered 429."""
    PAUSED = "paused"
    """423."""
    RETIRED = "retired"
    """410, as after the retirement of its model version."""
    RETIRED_400 = "retired-400"
    """The older form of the same: 400, the operation does not work with this model."""
    MISSING = "missing"
    """404, as if it had been deleted."""
    FAILING = "failing"
    """500."""
    UNAVAILABLE = "unavailable"
    """503."""
    SLOW = "slow"
    """It answers, ``delay_ms`` later than it would."""
    HANG = "hang"
    """It takes the request and never answers."""
    CUT = "cut"
    """It closes the connection in the middle of the answer."""
    ERROR_IN_200 = "error-in-200"
    """Status 200, and the body or an event of the stream says an error."""


class Latency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The modelled time of an answer, in milliseconds; compressed: a real model takes about a hundred times as long.

    Time to the first token and time per later token are both multiplied by one draw per request from a log-normal
    distribution with median 1 and ``spread`` as its sigma.
    """

    first_token_ms: float = 8.0
    per_token_ms: float = 0.4
    spread: float = 0.3


class StagedDeployment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deployment on the stage.

    ``capacity`` is in thousands of tokens a minute. ``reasoning``: the version is of the reasoning type. ``shutdown_date``
    (YYYY-MM-DD) is shown in the list of models.
    """

    name: str
    model: str = SUMMARISER_MODEL
    version: str
    method: Method
    latency: Latency = Latency()
    capacity: int = 50_000
    condition: Condition = Condition.SERVING
    reasoning: bool = False
    shutdown_date: str | None = None

    @property
    def embeds(self) -> bool:
        return self.method == EMBEDDING_METHOD

    @property
    def served_model(self) -> str:
        """What an answer carries as ``model``: name and version."""
        return f"{self.model}-{self.version}"


class Stage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Azure OpenAI resource. Its key is no part of the declaration."""

    account: str
    region: str = "Sim Central"
    deployments: tuple[StagedDeployment, ...]


class StageError(Exception):
    """The declaration cannot be used."""


def summariser_stage(account: str = "aoai-summaries-sim") -> Stage:
    """The default stage: a version in use, a shorter newer one, a truly worse newest one, and an older, slower one; beside
    these summarisers one of the reasoning type and one for embeddings.
    """
    slow = Latency(first_token_ms=14.0, per_token_ms=0.6)
    reasoner = _staged("2026-10-01", "first-sentence-compressed", model=REASONER_MODEL, latency=slow)
    return Stage(
        account=account,
        deployments=(
            _staged("2025-09-15", "textrank", latency=slow),
            _staged("2026-01-15", "first-sentence"),
            _staged("2026-06-01", "first-sentence-compressed"),
            _staged("2026-09-01", "last-sentence"),
            msgspec.structs.replace(reasoner, reasoning=True),
            _staged("2026-02-01", EMBEDDING_METHOD, model=EMBEDDER_MODEL, latency=Latency(first_token_ms=4.0, per_token_ms=0.0)),
        ),
    )


def _staged(version: str, method: Method, *, model: str = SUMMARISER_MODEL, latency: Latency | None = None) -> StagedDeployment:
    name = f"{model}-prod-v{version[5:7]}{version[8:10]}"
    return StagedDeployment(name=name, model=model, version=version, method=method, latency=latency or Latency())


def read_stage(path: Path) -> Stage:
    """The stage declared in a JSON file. Raises ``StageError``."""
    try:
        stage = msgspec.json.decode(path.read_bytes(), type=Stage)
    except OSError as error:
        raise StageError(f"{path}: found no readable file ({error.strerror}); expected a stage in JSON") from error
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise StageError(f"{path}: found {error}; expected a stage: account, deployments with name, version and method") from error
    names = [deployment.name for deployment in stage.deployments]
    if len(set(names)) != len(names):
        raise StageError(f"{path}: found a deployment name twice in {', '.join(names)}; expected each name once")
    return stage
