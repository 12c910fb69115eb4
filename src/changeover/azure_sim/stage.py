"""What stands on the stage? One declared resource: its deployments, the version behind each, and how each behaves in time."""

from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

import msgspec

SUMMARISER_MODEL: Final = "summariser"
"""A family of small extractive summarisers of this package; no provider sells it."""
TOKENS_PER_CAPACITY: Final = 1000
REQUESTS_PER_CAPACITY: Final = 6
"""One unit of capacity is 1,000 tokens and 6 requests a minute, as for most Standard deployments."""

Method = Literal["first-sentence", "first-sentence-compressed", "textrank", "last-sentence"]


class Condition(StrEnum):
    """How a deployment stands; changed while running through ``PUT /sim/deployments/{name}``."""

    SERVING = "serving"
    LIMITED = "limited"
    """Every request is answered 429."""
    PAUSED = "paused"
    """423."""
    RETIRED = "retired"
    """410, as after the retirement of its model version."""
    FAILING = "failing"
    """500."""


class Latency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The modelled time of an answer, in milliseconds; compressed: a real model takes about a hundred times as long.

    Time to the first token and time per later token are both multiplied by one draw per request from a log-normal
    distribution with median 1 and ``spread`` as its sigma.
    """

    first_token_ms: float = 8.0
    per_token_ms: float = 0.4
    spread: float = 0.3


class StagedDeployment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deployment on the stage. ``capacity`` is in thousands of tokens a minute."""

    name: str
    model: str = SUMMARISER_MODEL
    version: str
    method: Method
    latency: Latency = Latency()
    capacity: int = 50_000
    condition: Condition = Condition.SERVING

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
    """The default stage: a version in use, a shorter newer one, a truly worse newest one, and an older, slower one."""
    slow = Latency(first_token_ms=14.0, per_token_ms=0.6)
    versions: tuple[tuple[str, Method, Latency], ...] = (
        ("2025-09-15", "textrank", slow),
        ("2026-01-15", "first-sentence", Latency()),
        ("2026-06-01", "first-sentence-compressed", Latency()),
        ("2026-09-01", "last-sentence", Latency()),
    )
    return Stage(
        account=account,
        deployments=tuple(
            StagedDeployment(
                name=f"{SUMMARISER_MODEL}-prod-v{version[5:7]}{version[8:10]}", version=version, method=method, latency=latency
            )
            for version, method, latency in versions
        ),
    )


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
