"""What operators ask and order over HTTP."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.api.answers import CompareAnswer, EventsAnswer, RolloutAnswer, RolloutsAnswer, StatusAnswer
from changeover.api.commanding import permille_weights
from changeover.api.errors import ApiError
from changeover.rollout.state import Phase
from tests.unit.api.bench import GATEWAY, Bench, scores_for


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


def status(bench: Bench) -> StatusAnswer:
    return bench.ask("/api/v1/status", StatusAnswer)


def test_status_says_who_serves_what_and_where(bench: Bench) -> None:
    answer = status(bench)
    assert (answer.revision, answer.table_revision, answer.gateway) == (1, 1, GATEWAY)
    assert [(task.name, task.stable, task.candidate, task.rollout) for task in answer.tasks] == [
        ("chat", "old", None, None),
        ("email", "old", None, None),
    ]


def test_without_any_data_plane_nothing_counts_as_acknowledged(bench: Bench) -> None:
    assert not any(task.acknowledged for task in status(bench).tasks)


def test_a_data_plane_that_lags_behind_is_named_until_it_acknowledges(bench: Bench) -> None:
    bench.acknowledge("p0")
    bench.acknowledge("p1")
    bench.post("/api/v1/tasks/email/split", {"weights": {"old": 90, "new": 10}})
    bench.acknowledge("p0")
    task = next(task for task in status(bench).tasks if task.name == "email")
    assert (task.candidate, task.percent, task.acknowledged, task.waiting_for) == ("new", 10, False, ("p1",))
    bench.acknowledge("p1")
    assert next(task for task in status(bench).tasks if task.name == "email").acknowledged


def test_a_silent_data_plane_is_listed_and_no_longer_waited_for(bench: Bench) -> None:
    bench.acknowledge("p0")
    bench.clock.advance(61)
    bench.post("/api/v1/tasks/email/split", {"weights": {"old": 90, "new": 10}})
    bench.acknowledge("p1")
    answer = status(bench)
    assert [(plane.plane, plane.silent, plane.behind) for plane in answer.planes] == [("p0", True, True), ("p1", False, False)]
    assert all(task.acknowledged for task in answer.tasks)


def test_tasks_are_listed_by_name(bench: Bench) -> None:
    assert [task["name"] for task in bench.get("/api/v1/tasks").json()["tasks"]] == ["chat", "email"]


def test_a_split_moves_the_table_and_is_one_event_with_actor_and_reason(bench: Bench) -> None:
    body = {"weights": {"old": 87.5, "new": 12.5}, "reason": "a first look"}
    reply = bench.post("/api/v1/tasks/email/split", body, **{"x-changeover-actor": "platform"})
    assert reply.status_code == 200
    assert bench.world.tasks["email"].split is not None
    assert bench.world.tasks["email"].split.permille == 125
    event = bench.ask("/api/v1/events?after=1", EventsAnswer).events[0]
    assert (event.actor, event.reason, event.task) == ("platform", "a first look", "email")


def test_who_does_not_say_who_they_are_is_called_api(bench: Bench) -> None:
    bench.post("/api/v1/tasks/email/split", {"weights": {"old": 90, "new": 10}})
    assert bench.store.changes(after=1)[0].actor == "api"


def test_a_weight_finer_than_a_tenth_of_a_percent_is_refused(bench: Bench) -> None:
    reply = bench.post("/api/v1/tasks/email/split", {"weights": {"old": 99.95, "new": 0.05}})
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "invalid")
    assert bench.world.revision == 1


@given(st.integers(0, 1000))
def test_every_tenth_of_a_percent_can_be_said(permille: int) -> None:
    assert permille_weights({"old": permille / 10}) == {"old": permille}


@given(st.integers(0, 1000), st.floats(0.02, 0.98))
def test_nothing_finer_than_a_tenth_is_rounded_in_silence(permille: int, part: float) -> None:
    with pytest.raises(ApiError):
        permille_weights({"old": (permille + part) / 10})


@pytest.mark.parametrize(
    ("weights", "code", "status_code"),
    [
        ({"old": 90, "new": 20}, "invalid", 422),
        ({"old": 90}, "invalid", 422),
        ({"old": 90, "gone": 10}, "not_found", 404),
        ({"new": 50, "other": 50}, "invalid", 422),
        ({"old": -10, "new": 110}, "invalid", 422),
        ({}, "invalid", 422),
    ],
)
def test_weights_that_cannot_be_served_change_nothing(bench: Bench, weights: dict[str, float], code: str, status_code: int) -> None:
    reply = bench.post("/api/v1/tasks/email/split", {"weights": weights})
    assert (reply.status_code, reply.json()["error"]["code"]) == (status_code, code)
    assert bench.world.revision == 1


def test_a_command_decided_on_an_older_revision_is_stale(bench: Bench) -> None:
    bench.post("/api/v1/tasks/email/split", {"weights": {"old": 90, "new": 10}, "expected_revision": 1})
    reply = bench.post("/api/v1/tasks/email/split", {"weights": {"old": 80, "new": 20}, "expected_revision": 1})
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "stale")


def test_an_unknown_task_is_answered_with_those_there_are(bench: Bench) -> None:
    for path in ("/api/v1/tasks/mail/compare", "/api/v1/events?task=mail"):
        reply = bench.get(path)
        assert reply.status_code == 404
        assert "chat, email" in reply.json()["error"]["hint"]


def test_a_rollout_starts_at_its_first_weight_by_the_file_as_it_is_now(bench: Bench) -> None:
    bench.config += (
        "rollouts:\n  careful: {task: email, candidate: new, strategy: canary, bake: {duration: 0s, holdback: 0},\n"
        "    steps: [{weight: 5}, {analysis: {require: pass}}, {weight: 100}]}\n"
    )
    started = bench.start()
    assert started["rollout"]["id"] == "careful-1"
    assert bench.world.rollouts["careful-1"].progress.permille == 50


def test_a_rollout_without_an_entry_in_the_file_is_named_after_its_task(bench: Bench) -> None:
    assert bench.start()["rollout"]["id"] == "email-1"


def test_a_criterion_without_a_source_must_be_accepted_by_name(bench: Bench) -> None:
    order = {"task": "chat", "candidate": "new"}
    reply = bench.post("/api/v1/rollouts", order)
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "no_source")
    criteria = reply.json()["error"]["criteria"]
    assert "quality" in criteria
    accepted = bench.post("/api/v1/rollouts", {**order, "without": criteria})
    assert accepted.status_code == 201
    assert "quality" in accepted.json()["left_out"]


def test_a_file_with_faults_names_all_of_them_and_starts_nothing(bench: Bench) -> None:
    bench.config = bench.config.replace("max_ratio: 1.5", "max_ratio: much").replace("stable: old}", "stable: gone}")
    reply = bench.post("/api/v1/rollouts", {"task": "email", "candidate": "new"})
    assert reply.status_code == 422
    assert len(reply.json()["error"]["faults"]) >= 2
    assert bench.world.revision == 1


def test_one_rollout_a_task(bench: Bench) -> None:
    bench.start()
    reply = bench.post("/api/v1/rollouts", {"task": "email", "candidate": "other"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "conflict")


def test_rollback_needs_no_id_and_takes_the_candidate_out_of_the_table(bench: Bench) -> None:
    bench.start()
    reply = bench.post("/api/v1/tasks/email/rollback", {"reason": "customers complain"})
    assert reply.status_code == 200
    task = reply.json()["task"]
    assert (task["candidate"], task["percent"], task["rollout"]["phase"]) == (None, 0, "rolling_back")
    assert bench.world.table_revision == reply.json()["table_revision"] == reply.json()["revision"]


def test_nothing_to_roll_back_says_so_with_its_own_code(bench: Bench) -> None:
    reply = bench.post("/api/v1/tasks/email/rollback")
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "nothing_to_do")


def test_a_pair_that_was_rolled_back_starts_again_only_after_its_release(bench: Bench) -> None:
    bench.start()
    bench.post("/api/v1/tasks/email/rollback")
    order = {"task": "email", "candidate": "new"}
    assert bench.post("/api/v1/rollouts", order).status_code == 409
    assert bench.post("/api/v1/tasks/email/release", {"candidate": "new", "reason": "prompt corrected"}).status_code == 200
    assert bench.post("/api/v1/rollouts", order).json()["rollout"]["id"] == "email-2"


def test_pause_and_resume_take_an_id_or_a_task(bench: Bench) -> None:
    bench.start()
    assert bench.post("/api/v1/rollouts/email/pause", {"reason": "freeze"}).json()["task"]["rollout"]["phase"] == "paused"
    assert bench.post("/api/v1/rollouts/email-1/resume").json()["task"]["rollout"]["phase"] == "running"


def test_pausing_a_rollout_that_is_over_leaves_the_present_one_alone(bench: Bench) -> None:
    bench.start()
    bench.post("/api/v1/tasks/email/rollback")
    bench.start("other")
    reply = bench.post("/api/v1/rollouts/email-1/pause")
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "conflict")
    assert bench.world.rollouts["email-2"].progress.phase is Phase.RUNNING


def test_compare_without_any_rollout_says_how_to_start_one(bench: Bench) -> None:
    reply = bench.get("/api/v1/tasks/email/compare")
    assert reply.status_code == 404
    assert "changeover rollout start email" in reply.json()["error"]["hint"]


def test_compare_shows_the_evidence_that_was_reported_and_scored(bench: Bench) -> None:
    bench.start()
    bench.acknowledge()
    bench.tick()
    served = bench.serve(400, sequence=1)
    assert bench.post("/api/v1/scores", scores_for(served, stable=0.5, candidate=0.6)).json() == {"taken": 400, "new": 400}
    bench.tick()
    answer = bench.ask("/api/v1/tasks/email/compare", CompareAnswer)
    assert answer.active
    assert (answer.stable_model, answer.candidate_model) == ("gpt-4o 2024-05-13", "gpt-4o 2024-11-20")
    quality, errors = answer.assessment.verdicts
    assert quality.estimate == pytest.approx(0.1)
    assert quality.stable.count + quality.candidate.count == 400
    assert errors.stable.events == errors.candidate.events == 0


def test_a_failing_candidate_is_rolled_back_and_compare_still_shows_why(bench: Bench) -> None:
    bench.start()
    bench.acknowledge()
    bench.tick()
    for sequence in range(1, 6):
        bench.serve(400, sequence=sequence, worse=True)
        bench.tick()
        if bench.world.tasks["email"].rollout is None:
            break
    answer = bench.ask("/api/v1/tasks/email/compare", CompareAnswer)
    assert not answer.active
    assert answer.rollout.progress.phase is Phase.ROLLING_BACK
    assert [verdict.criterion for verdict in answer.assessment.verdicts if verdict.tripped] == ["errors"]


def test_a_rollout_shows_its_steps_and_what_holds_it(bench: Bench) -> None:
    bench.start()
    bench.acknowledge()
    bench.tick()
    answer = bench.ask("/api/v1/rollouts/email-1", RolloutAnswer)
    assert [step.state for step in answer.steps] == ["done", "current", "to_come", "to_come", "to_come"]
    assert [step.what for step in answer.steps][:2] == ["weight 10 %", "analysis: no_harm"]
    assert any("0 closed blocks at this weight, needs >= 2" in reason for reason in answer.unmet)


def test_rollouts_are_listed_newest_first(bench: Bench) -> None:
    bench.start()
    bench.post("/api/v1/tasks/email/rollback")
    bench.clock.advance(1)
    bench.start("other")
    assert [rollout.id for rollout in bench.ask("/api/v1/rollouts", RolloutsAnswer).rollouts] == ["email-2", "email-1"]


def test_an_unknown_rollout_is_not_found(bench: Bench) -> None:
    assert bench.get("/api/v1/rollouts/nonsense").status_code == 404
    assert bench.get("/api/v1/rollouts/chat").status_code == 404


def test_events_come_in_pages_and_by_task(bench: Bench) -> None:
    for percent in (10, 20, 30):
        bench.post("/api/v1/tasks/email/split", {"weights": {"old": 100 - percent, "new": percent}})
        bench.post("/api/v1/tasks/chat/split", {"weights": {"old": 100 - percent, "new": percent}})
    first = bench.ask("/api/v1/events?limit=3", EventsAnswer)
    assert ([event.revision for event in first.events], first.next) == ([1, 2, 3], 3)
    rest = bench.ask(f"/api/v1/events?after={first.next}", EventsAnswer)
    assert [event.revision for event in rest.events] == [4, 5, 6, 7]
    email = bench.ask("/api/v1/events?task=email", EventsAnswer)
    assert [event.task for event in email.events] == [None, "email", "email", "email"]
