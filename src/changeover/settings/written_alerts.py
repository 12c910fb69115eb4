"""How would a file say who is told, and which rules hold for people? Only what is not as usual is written."""

from changeover.rollout.topics import DEFAULT_TOPICS
from changeover.settings.declared_alert import WEEK_DAYS, DeclaredAlert, DeclaredPolicy, SummaryMoment
from changeover.versions import SecretReference
from changeover.versions.naming import DEFAULT_POLICY

Entry = dict[str, object]

_MINUTES_AN_HOUR = 60


def alert_entry(alert: DeclaredAlert) -> Entry:
    entry: Entry = {alert.kind: _reference(alert.target)}
    entry |= {} if alert.secret is None else {"secret": _reference(alert.secret)}
    entry |= {} if alert.topics == DEFAULT_TOPICS else {"on": list(alert.topics)}
    return entry | ({} if alert.link is None else {"link": alert.link})


def policy_entry(policy: DeclaredPolicy) -> Entry:
    entry: Entry = {"four_eyes": True} if policy.four_eyes else {}
    entry |= {} if policy.name == DEFAULT_POLICY else {"name": policy.name}
    if policy.summary == SummaryMoment():
        return entry
    hours, minutes = divmod(policy.summary.minute, _MINUTES_AN_HOUR)
    return entry | {"summary": {"day": WEEK_DAYS[policy.summary.day], "at": f"{hours:02}:{minutes:02}"}}


def _reference(secret: SecretReference) -> Entry:
    return {secret.source: secret.name}
