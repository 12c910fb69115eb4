"""What the control plane tells Prometheus, and what it tells of one task or deployment."""

import re
from collections.abc import Iterator

import pytest

from changeover.api.inventory import DeploymentsAnswer, DeploymentView, TaskAnswer
from changeover.ports.planes import PLANE_SILENT_S
from tests.unit.api.bench import Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as found:
        yield found


def value(bench: Bench, sample: str) -> float | None:
    """The value of the sample written exactly so."""
    reply = bench.get("/metrics")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = re.search(rf"^{re.escape(sample)} (\S+)$", reply.text, re.MULTILINE)
    return None if found is None else float(found.group(1))


def test_a_weight_is_actual_only_once_every_live_plane_serves_it(bench: Bench) -> None:
    bench.acknowledge()
    bench.start()
    bench.tick()
    assert value(bench, 'changeover_task_weight_set_percent{task="email"}') == 10
    assert value(bench, 'changeover_task_weight_actual_percent{task="email"}') is None
    assert value(bench, 'changeover_task_planes_behind{task="email"}') == 1
    bench.acknowledge()
    assert value(bench, 'changeover_task_weight_actual_percent{task="email"}') == 10
    assert value(bench, 'changeover_rollouts{phase="running"}') == 1
    assert value(bench, 'changeover_rollouts{phase="paused"}') == 0


def test_verdicts_of_active_rollouts_are_told_with_their_evidence(bench: Bench) -> None:
    bench.acknowledge()
    bench.start()
    bench.tick()
    decisions = {
        word: value(bench, f'changeover_verdict{{task="email",criterion="errors",decision="{word}"}}')
        for word in ("pass", "fail", "undecided")
    }
    assert decisions == {"pass": 0, "fail": 0, "undecided": 1}
    for criterion, test in (("errors", "pass"), ("quality", "harm"), ("sample_ratio", "alarm")):
        at = f'{{task="email",criterion="{criterion}",test="{test}"}}'
        assert value(bench, f"changeover_log_evidence{at}") is not None
        assert (value(bench, f"changeover_log_evidence_threshold{at}") or 0) > 0
    assert value(bench, 'changeover_verdict{task="chat",criterion="errors",decision="undecided"}') is None


def test_a_plane_that_is_not_heard_of_is_silent(bench: Bench) -> None:
    bench.acknowledge("p0")
    bench.clock.advance(PLANE_SILENT_S + 1)
    bench.acknowledge("p1", revision=0)
    assert value(bench, 'changeover_plane_silent{plane="p0"}') == 1
    assert value(bench, 'changeover_plane_heard_seconds{plane="p0"}') == PLANE_SILENT_S + 1
    found = {state: value(bench, f'changeover_planes{{state="{state}"}}') for state in ("ok", "behind", "silent")}
    assert found == {"ok": 0, "behind": 1, "silent": 1}
    assert value(bench, "changeover_outbox_owed") is not None


def test_a_task_names_its_deployments_and_a_deployment_its_tasks(bench: Bench) -> None:
    bench.start()
    bench.tick()
    one = bench.ask("/api/v1/tasks/email", TaskAnswer)
    assert [(view.deployment.name, use.part, use.percent) for view in one.deployments for use in view.uses] == [
        ("new", "candidate", 10),
        ("old", "stable", 90),
    ]
    old = bench.ask("/api/v1/deployments/old", DeploymentView)
    assert [(use.task, use.part) for use in old.uses] == [("chat", "stable"), ("email", "stable")]
    assert [view.deployment.name for view in bench.ask("/api/v1/deployments", DeploymentsAnswer).deployments] == ["new", "old", "other"]


@pytest.mark.parametrize(("path", "known"), [("/api/v1/deployments/gone", "new, old, other"), ("/api/v1/tasks/gone", "chat, email")])
def test_what_is_not_there_is_answered_with_what_is(bench: Bench, path: str, known: str) -> None:
    reply = bench.get(path)
    assert reply.status_code == 404
    assert known in reply.text
