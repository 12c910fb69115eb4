"""In what do two sides differ besides the version? Each of it is compared along with the version."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from changeover.versions import Deployment

UNKNOWN: Final = "unknown"
_HASH_SHOWN: Final = 8


class Difference(NamedTuple):
    """``stable`` and ``candidate`` are what each side has, where it was declared. ``spoils`` says which criteria it may decide
    in the version's place; empty for what is part of the candidate itself.
    """

    what: str
    stable: str
    candidate: str
    spoils: str = ""

    def __str__(self) -> str:
        cause = f": it may decide {self.spoils} in the version's place" if self.spoils else ""
        return f"the sides differ in {self.what}: stable {self.stable}, candidate {self.candidate}{cause}"


def confounders(stable: Sequence[Deployment], candidate: Sequence[Deployment]) -> list[Difference]:
    """What the two sides, each of one deployment or a pool, do not have in common and should: where they run, how they are
    sold, what filters them.
    """
    found = [
        Difference("account", _all(stable, _account), _all(candidate, _account), "latency and errors"),
        Difference("environment", _all(stable, _environment), _all(candidate, _environment), "latency and errors"),
        Difference("region", _all(stable, _region), _all(candidate, _region), "latency and errors"),
        Difference("SKU", _all(stable, _sku), _all(candidate, _sku), "latency, errors and cost"),
        Difference("content-filter policy", _all(stable, _filter), _all(candidate, _filter), "safety"),
    ]
    return [each for each in found if each.stable != each.candidate]


def differences(stable: Sequence[Deployment], candidate: Sequence[Deployment]) -> list[Difference]:
    """The same, and what makes the candidate another one: its model and its request settings."""
    found = [
        Difference("model", _all(stable, _model), _all(candidate, _model)),
        Difference("request settings", _all(stable, _settings), _all(candidate, _settings)),
    ]
    return [*confounders(stable, candidate), *(each for each in found if each.stable != each.candidate)]


def members(deployments: Mapping[str, Deployment], name: str, pool: Sequence[str]) -> list[Deployment]:
    """Those of a side that are still known."""
    return [deployments[member] for member in (pool or (name,)) if member in deployments]


def _all(side: Sequence[Deployment], of: Callable[[Deployment], str]) -> str:
    return ", ".join(sorted({of(deployment) for deployment in side}))


def _account(deployment: Deployment) -> str:
    return deployment.account


def _environment(deployment: Deployment) -> str:
    return deployment.environment


def _region(deployment: Deployment) -> str:
    return deployment.region or UNKNOWN


def _sku(deployment: Deployment) -> str:
    return deployment.sku or UNKNOWN


def _filter(deployment: Deployment) -> str:
    return deployment.content_filter or UNKNOWN


def _model(deployment: Deployment) -> str:
    return deployment.model.name


def _settings(deployment: Deployment) -> str:
    return "none" if deployment.request is None else deployment.request.hash[:_HASH_SHOWN]
