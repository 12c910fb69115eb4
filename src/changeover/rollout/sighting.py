"""What was seen of a deployment that its pin does not say? The records of drift; decides nothing."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

FINGERPRINTS_KEPT: Final = 16
"""Per deployment. A provider's machines differ, so several take turns; one that is known makes no news."""

DriftKind = Literal["model", "deployment", "retired", "missing"]
"""Another model version answered; another deployment answered; the version is no longer served; there is no deployment."""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment is not what its pin says.

    ``found`` is what answered, or the provider's error; ``expected`` what was pinned. ``seen_at`` (Unix seconds) and
    ``request_id`` are those of the first request that met it.
    """

    deployment: str
    kind: DriftKind
    found: str
    expected: str
    seen_at: float
    request_id: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes two of them the same: one is told once."""
        return self.deployment, self.kind, self.found, self.expected

    @property
    def sentence(self) -> str:
        match self.kind:
            case "model":
                return f"{self.deployment} answered as {self.found}, pinned is {self.expected}"
            case "deployment":
                return f"{self.deployment} was answered for by deployment {self.found}"
            case "retired":
                return f"{self.deployment} serves no more: {self.expected} is retired ({self.found})"
            case "missing":
                return f"{self.deployment} is missing at its provider ({self.found})"


class Fingerprints(msgspec.Struct, frozen=True, kw_only=True):
    """The system fingerprints that a deployment answered with, newest last, and when the newest was first seen."""

    known: tuple[str, ...]
    seen_at: float


def with_drift(drifts: Sequence[Drift], drift: Drift) -> tuple[Drift, ...]:
    """``drifts`` with one more, unless it is there."""
    return tuple(drifts) if any(each.key == drift.key for each in drifts) else (*drifts, drift)


def with_fingerprint(known: Mapping[str, Fingerprints], *, deployment: str, fingerprint: str, seen_at: float) -> dict[str, Fingerprints]:
    """``known`` with the newest fingerprint of ``deployment``."""
    before = known[deployment].known if deployment in known else ()
    kept = tuple(each for each in before if each != fingerprint)[-(FINGERPRINTS_KEPT - 1) :]
    return {**known, deployment: Fingerprints(known=(*kept, fingerprint), seen_at=seen_at)}
