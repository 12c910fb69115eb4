"""Can people be told? Where alerts go, as the file says it, and what a running server makes of it."""

import socket
from collections.abc import Iterator, Sequence
from typing import Final

import httpx2
import msgspec

from changeover.adapters.alerts import destination_for
from changeover.adapters.credentials import resolve_secret
from changeover.api.alert_answers import AlertsAnswer
from changeover.ports.examination import Finding, fail, ok, warn
from changeover.ports.serving import ServerRecord
from changeover.settings.declared_alert import DeclaredAlert

ANSWER_S: Final = 3.0


def check_alerts(alerts: Sequence[DeclaredAlert]) -> list[Finding]:
    """Whether their addresses and secrets are there; nothing is sent."""
    return [_check(alert) for alert in alerts]


def _check(alert: DeclaredAlert) -> Finding:
    about = f"alerts to {alert.name}"
    fault = destination_for(alert, resolve=resolve_secret).fault()
    if fault:
        return fail(about, fault, "set it where the server is started, then: changeover alerts test")
    unsigned = alert.kind == "webhook" and alert.secret is None
    return ok(about, f"{', '.join(alert.topics)}{'; not signed' if unsigned else ''}")


def check_deliveries(record: ServerRecord | None) -> list[Finding]:
    """What the running server could not deliver; nothing where none runs, or nobody is to be told."""
    return [] if record is None else list(_undelivered(record))


def _undelivered(record: ServerRecord) -> Iterator[Finding]:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.connect(record.socket)  # httpx2 leaves a socket behind that could not connect
        transport = httpx2.HTTPTransport(uds=record.socket, trust_env=False)
        with httpx2.Client(transport=transport, base_url="http://localhost", timeout=ANSWER_S, trust_env=False) as client:
            answer = msgspec.json.decode(client.get("/api/v1/alerts").content, type=AlertsAnswer)
    except (httpx2.HTTPError, msgspec.DecodeError, OSError):
        return  # what is wrong with the server is said elsewhere
    for each in answer.destinations:
        if each.waiting or each.given_up:
            found = f"{each.waiting} wait, {each.given_up} were given up since the server's start: {each.problem or 'on their way'}"
            yield warn(f"alerts to {each.name}", found, "see what it answers: changeover alerts test")
