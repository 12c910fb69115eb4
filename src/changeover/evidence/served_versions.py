"""What did each version do that answered under one deployment's name? Tallies by served version: before and after.

A provider may change the version behind a stable deployment. Nobody drew lots then: the requests before and after differ
in more than the version, and no test may rest on these numbers. They say where to look.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from changeover.evidence.cost import input_of, money_of, output_of
from changeover.evidence.histogram import EMPTY, LogHistogram, histogram_of
from changeover.evidence.latency import time_ms_of
from changeover.evidence.moments import Moments, moments_of
from changeover.exchange.observation import Observation

VERSIONS_MAX: Final = 32
"""A server that answers with another name each time makes no more groups than this; what is above goes into ``OTHERS``."""

OTHERS: Final = "others"


class ServedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The requests assigned to ``deployment`` that ``model`` answered for, as the provider named it; ``None``: not said.

    ``errors`` were not answered by the deployment; they belong to the version it had answered with last before. Of
    ``filter_known`` requests it is known whether a content filter acted; on ``filtered`` it did. ``money`` is in dollars,
    ``input`` and ``output`` in tokens. Seen times are Unix seconds of the first and the last request.
    """

    deployment: str
    model: str | None
    first_seen_at: float
    last_seen_at: float
    requests: int = 0
    errors: int = 0
    filtered: int = 0
    filter_known: int = 0
    times: LogHistogram = EMPTY
    money: Moments = Moments()
    input: Moments = Moments()
    output: Moments = Moments()

    def merged(self, other: "ServedVersion") -> "ServedVersion":
        return ServedVersion(
            deployment=self.deployment,
            model=self.model,
            first_seen_at=min(self.first_seen_at, other.first_seen_at),
            last_seen_at=max(self.last_seen_at, other.last_seen_at),
            requests=self.requests + other.requests,
            errors=self.errors + other.errors,
            filtered=self.filtered + other.filtered,
            filter_known=self.filter_known + other.filter_known,
            times=self.times.merged(other.times),
            money=self.money.merged(other.money),
            input=self.input.merged(other.input),
            output=self.output.merged(other.output),
        )


class ServedVersions(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of requests in the order in which they began. ``latest`` is the version each deployment answered with last."""

    versions: tuple[ServedVersion, ...] = ()
    latest: dict[str, str | None] = {}
    requests: int = 0

    def after(self, rows: Sequence[Observation]) -> "ServedVersions":
        """Take in the next requests. One that was assigned to no deployment is left out."""
        latest = dict(self.latest)
        found: dict[tuple[str, str | None], list[Observation]] = {}
        for row in rows:
            if row.assigned is None:
                continue
            if not row.is_error:
                latest[row.assigned] = row.served_model
            found.setdefault((row.assigned, latest.get(row.assigned)), []).append(row)
        return ServedVersions(
            versions=_joined(self.versions, [_version(key[0], key[1], here) for key, here in found.items()]),
            latest=latest,
            requests=self.requests + sum(map(len, found.values())),
        )


NOBODY_SERVED: Final = ServedVersions()


def _version(deployment: str, model: str | None, rows: Sequence[Observation]) -> ServedVersion:
    answered = [row for row in rows if not row.is_error]
    reported = [row.filtered for row in answered if row.filtered is not None]
    return ServedVersion(
        deployment=deployment,
        model=model,
        first_seen_at=min(row.started_at for row in rows),
        last_seen_at=max(row.started_at for row in rows),
        requests=len(rows),
        errors=len(rows) - len(answered),
        filtered=sum(reported),
        filter_known=len(reported),
        times=histogram_of(_known(map(time_ms_of, rows))),
        money=moments_of(_known(map(money_of, rows))),
        input=moments_of(_known(map(input_of, rows))),
        output=moments_of(_known(map(output_of, rows))),
    )


def _joined(known: Sequence[ServedVersion], new: Sequence[ServedVersion]) -> tuple[ServedVersion, ...]:
    """By deployment and version, the first seen first."""
    found = {(one.deployment, one.model): one for one in known}
    for one in sorted(new, key=lambda one: one.first_seen_at):
        is_new = (one.deployment, one.model) not in found
        kept = msgspec.structs.replace(one, model=OTHERS) if is_new and len(found) >= VERSIONS_MAX else one
        key = kept.deployment, kept.model
        found[key] = found[key].merged(kept) if key in found else kept
    return tuple(sorted(found.values(), key=lambda one: (one.first_seen_at, one.deployment, one.model or "")))


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
