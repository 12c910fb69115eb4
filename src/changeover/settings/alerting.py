"""What do ``alerts`` and ``policy`` of the file mean? References named, topics filled in, twins refused."""

from collections.abc import Sequence

from changeover.rollout.topics import TOPICS
from changeover.settings.declared import Fault
from changeover.settings.declared_alert import WEEK_DAYS, DeclaredAlert, DeclaredPolicy, SummaryMoment
from changeover.settings.paths import Path, written
from changeover.settings.shape_alerts import AlertShape, PolicyShape, ReferenceShape
from changeover.versions import SecretReference

_MINUTES_AN_HOUR = 60


def resolve_alerts(shapes: Sequence[AlertShape]) -> tuple[tuple[DeclaredAlert, ...], list[tuple[Path, Fault]]]:
    """The destinations, and a fault for each that stands there twice: deliveries are counted by a destination's name."""
    alerts = tuple(map(_alert, shapes))
    faults: list[tuple[Path, Fault]] = []
    for index, alert in enumerate(alerts):
        if alert.name in {earlier.name for earlier in alerts[:index]}:
            path: Path = ("alerts", index)
            faults.append(
                (path, Fault(path=written(path), found=f"a second {alert.name}", expected="one entry a destination; join their topics"))
            )
    return alerts, faults


def resolve_policy(shape: PolicyShape | None) -> DeclaredPolicy:
    if shape is None:
        return DeclaredPolicy()
    hours, _, minutes = shape.summary.at.partition(":")
    moment = SummaryMoment(day=WEEK_DAYS.index(shape.summary.day), minute=int(hours) * _MINUTES_AN_HOUR + int(minutes))
    return DeclaredPolicy(four_eyes=shape.four_eyes, summary=moment, name=shape.name)


def _alert(shape: AlertShape) -> DeclaredAlert:
    target = shape.webhook or shape.apprise
    assert target is not None, "the shape has one"
    return DeclaredAlert(
        kind="webhook" if shape.webhook else "apprise",
        target=_reference(target),
        secret=None if shape.secret is None else _reference(shape.secret),
        topics=tuple(topic for topic in TOPICS if topic in shape.on),
        link=shape.link,
    )


def _reference(shape: ReferenceShape) -> SecretReference:
    return SecretReference(source="env", name=shape.env) if shape.env else SecretReference(source="file", name=shape.file or "")
