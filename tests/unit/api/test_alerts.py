"""Who is told, and what became of it, as operators see it."""

import pytest

from changeover.adapters.alerts import MemoryDestination
from changeover.adapters.memory import SeededDice
from changeover.api.app import build_app
from changeover.controller.outbox import AlertOutbox
from changeover.ports.alerts import AlertFailedError
from tests.unit.api.bench import GATEWAY, Bench


class Told(Bench):
    """A bench whose alerts go to ``destination``."""

    def build(self, *, token: str | None = None, planes: bool = True):
        self.destination = MemoryDestination("webhook env:HOOK")
        self.outbox = AlertOutbox(self.office, self.clock, destinations=lambda: [self.destination], address=lambda: "http://127.0.0.1:1")
        return build_app(
            office=self.office,
            assessor=self.assessor,
            clock=self.clock,
            dice=SeededDice(1),
            declared=lambda: None,  # type: ignore[arg-type, return-value]
            gateway_url=lambda: GATEWAY,
            token=token,
            planes=planes,
            alert_desk=self.outbox,
        )


def test_destinations_are_listed_with_what_waits_and_why() -> None:
    with Told() as bench:
        bench.destination.failures.append(AlertFailedError("it answered 500"))
        bench.post("/api/v1/tasks/email/split", {"weights": {"old": 90, "new": 10}})
        (listed,) = bench.get("/api/v1/alerts").json()["destinations"]
        assert (listed["name"], listed["waiting"], listed["problem"]) == ("webhook env:HOOK", 0, "")


@pytest.mark.parametrize(("failure", "problem"), [(None, ""), (AlertFailedError("it answered 500"), "it answered 500")])
def test_a_test_says_what_came_of_it(failure: AlertFailedError | None, problem: str) -> None:
    with Told() as bench:
        bench.destination.failures += [] if failure is None else [failure]
        reply = bench.post("/api/v1/alerts/test", {})
        assert reply.json() == {"results": [{"name": "webhook env:HOOK", "problem": problem}]}
