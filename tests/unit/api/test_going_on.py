"""What people say so that a rollout goes on: approve, override, promote, retry; and what a start would do."""

from collections.abc import Iterator

import msgspec
import pytest

from changeover.adapters.memory import MemoryStore
from changeover.api.answers import CommittedAnswer
from changeover.api.previewing import PreviewAnswer
from changeover.ports.store import StoreError
from changeover.rollout.confirmation import standing_words
from changeover.rollout.state import Phase, Rollout
from changeover.settings.file import parse
from tests.unit.api.bench import CONFIG, Bench

ROLLOUTS = """\
rollouts:
  up:
    task: email
    candidate: new
    steps: [{weight: 50}, {analysis: {require: pass}}, {approve: {roles: [owner]}}, {weight: 100}]
    bake: {duration: 1m, holdback: 5}
    retain_old: 1h
"""
FULL = "weight 100 % (95 % served, 5 % held back)"
EVERYTHING = ["errors", "quality", "dwell"]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        bench.config = CONFIG + ROLLOUTS
        yield bench


def latest(bench: Bench) -> Rollout:
    return max(bench.world.rollouts.values(), key=lambda rollout: rollout.attempt)


def look(bench: Bench) -> Rollout:
    """Acknowledged, and looked at twice."""
    for _ in range(2):
        bench.acknowledge()
        bench.tick()
    return latest(bench)


def say(bench: Bench, verb: str, **body: object) -> int:
    return bench.post(f"/api/v1/rollouts/email/{verb}", body).status_code


def waiting(bench: Bench) -> Rollout:
    """At the approval, by an override."""
    bench.start()
    look(bench)
    assert say(bench, "override", gates=EVERYTHING, reason="ticket 4711") == 200
    return look(bench)


def test_an_override_is_recorded_and_lets_the_analysis_go_on(bench: Bench) -> None:
    found = waiting(bench)
    assert (found.progress.step, found.progress.phase) == (2, Phase.RUNNING)
    (override,) = found.progress.overrides
    assert (override.step, override.gates, override.actor, override.reason) == (1, ("errors", "quality", "dwell"), "api", "ticket 4711")
    said = next(change for change in bench.store.changes() if getattr(change.body, "event", "") == "override")
    assert said.reason == "errors, quality, dwell overridden: ticket 4711"


def said(bench: Bench, verb: str, **body: object) -> str:
    reply = bench.post(f"/api/v1/rollouts/email/{verb}", body)
    assert reply.status_code == 200
    return msgspec.json.decode(reply.content, type=CommittedAnswer).said


def test_an_override_says_what_it_covered_and_what_still_holds(bench: Bench) -> None:
    bench.start()
    look(bench)
    assert said(bench, "override", gates=["errors", "dwell"], reason="x").startswith("overridden: errors, dwell; still held by: quality ")
    assert said(bench, "override", gates=EVERYTHING, reason="x") == "overridden: errors, quality, dwell; goes on with the next look"


def test_an_approval_says_by_whom_and_that_it_goes_on_with_the_next_look(bench: Bench) -> None:
    waiting(bench)
    bench.post("/api/v1/rollouts/email/override", {"gates": EVERYTHING, "reason": "x"})
    assert said(bench, "approve") == "approved by api (owner); goes on with the next look"


def test_a_promotion_says_that_it_is_ordered_and_what_it_waits_for(bench: Bench) -> None:
    bench.start()
    look(bench)
    assert said(bench, "promote", reason="seen").startswith("promotion ordered; waits for: ")


def test_a_rollout_shows_what_people_said_of_its_step(bench: Bench) -> None:
    bench.start()
    look(bench)
    said(bench, "override", gates=["errors"], reason="x")
    said(bench, "promote", reason="seen")
    assert standing_words(latest(bench)) == ("overridden at this step: errors by api (x)", "promotion ordered by api (seen)")


def test_resuming_says_what_it_waits_for(bench: Bench) -> None:
    bench.start()
    look(bench)
    assert say(bench, "pause", reason="freeze") == 200
    assert said(bench, "resume").startswith("resumed; waits for: ")


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"gates": ["errors"], "reason": ""}, 422, "needs a reason"),
        ({"gates": [], "reason": "x"}, 422, "no gate is named"),
        ({"gates": ["safety"], "reason": "x"}, 422, "nothing to override"),
        ({"gates": ["errors"], "reason": "x", "expected_revision": 1}, 409, "the present one is"),
    ],
)
def test_an_override_that_says_too_little_is_refused(bench: Bench, body: dict[str, object], status: int, word: str) -> None:
    bench.start()
    look(bench)
    reply = bench.post("/api/v1/rollouts/email/override", body)
    assert (reply.status_code, word in reply.json()["error"]["message"]) == (status, True)
    assert latest(bench).progress.overrides == ()


def test_an_approval_goes_on_to_the_bake_and_its_end_promotes(bench: Bench) -> None:
    waiting(bench)
    assert say(bench, "approve", reason="figures read") == 200
    found = look(bench)
    assert (found.progress.phase, found.progress.permille) == (Phase.BAKING, 950)
    for sequence in range(1, 9):
        bench.serve(40, sequence=sequence)
        bench.acknowledge()
        bench.tick()
        if latest(bench).progress.phase is not Phase.BAKING:
            break
    assert latest(bench).progress.phase is Phase.COMPLETED
    assert bench.world.tasks["email"].stable == "new"
    steps = bench.get("/api/v1/rollouts/email").json()["steps"]
    assert [step["what"] for step in steps][-2] == FULL
    assert [step["what"] for step in steps][-1] == "bake 1 min, 5 % stays on old"
    assert {step["state"] for step in steps} == {"done"}


def test_nobody_approves_what_waits_for_no_approval(bench: Bench) -> None:
    bench.start()
    reply = bench.post("/api/v1/rollouts/email/approve")
    assert (reply.status_code, "waits for no approval" in reply.json()["error"]["message"]) == (409, True)


def test_with_four_eyes_the_starter_does_not_approve(bench: Bench) -> None:
    waiting(bench)
    bench.config = CONFIG + ROLLOUTS + "policy: {four_eyes: true}\n"
    assert parse(bench.config).policy.four_eyes
    reply = bench.post("/api/v1/rollouts/email/approve", {"reason": "mine"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "not_allowed")
    assert bench.post("/api/v1/rollouts/email/approve", {"reason": "hers"}, **{"x-changeover-actor": "oda"}).status_code == 200
    assert latest(bench).progress.approvals[0].actor == "oda"


def test_finishing_now_is_asked_for_once_and_clears_no_rollback(bench: Bench) -> None:
    bench.start()
    look(bench)
    assert say(bench, "promote", reason="seen enough") == 200
    assert latest(bench).progress.finishing is not None
    assert bench.post("/api/v1/rollouts/email/promote", {"reason": "again"}).json()["error"]["code"] == "nothing_to_do"
    assert bench.post("/api/v1/tasks/email/rollback").status_code == 200
    reply = bench.post("/api/v1/rollouts/email/promote", {"reason": "please"})
    assert reply.status_code == 409
    assert "was rolled back" in reply.json()["error"]["message"]
    assert latest(bench).progress.permille == 0


def test_retrying_supersedes_what_is_paused_in_one_revision(bench: Bench) -> None:
    bench.start()
    assert say(bench, "retry") == 409
    say(bench, "pause", reason="wait")
    revision = bench.world.revision
    assert say(bench, "retry", reason="anew") == 200
    assert bench.world.revision == revision + 1
    assert [(one.id, one.progress.phase) for one in bench.world.rollouts.values()] == [
        ("up-1", Phase.SUPERSEDED),
        ("up-2", Phase.RUNNING),
    ]
    again = latest(bench)
    assert (again.retry_of, again.plan, again.progress.permille) == ("up-1", bench.world.rollouts["up-1"].plan, 500)
    file = bench.get("/api/v1/rollouts/up-1/evidence/verification").json()
    assert file["differences"] == []


def test_what_was_rolled_back_is_retried_after_its_release(bench: Bench) -> None:
    bench.start()
    bench.post("/api/v1/tasks/email/rollback")
    assert bench.post("/api/v1/rollouts/email/retry").json()["error"]["code"] == "conflict"
    bench.post("/api/v1/tasks/email/release", {"candidate": "new"})
    assert say(bench, "retry") == 200
    assert latest(bench).id == "up-2"


def test_a_rollback_is_done_when_every_data_plane_says_so(bench: Bench) -> None:
    bench.start()
    bench.post("/api/v1/tasks/email/rollback", {"reason": "enough"})
    bench.tick()
    assert latest(bench).progress.phase is Phase.ROLLING_BACK
    bench.acknowledge()
    bench.tick()
    assert (latest(bench).progress.phase, latest(bench).progress.reason) == (Phase.ROLLED_BACK, "enough")


def test_an_acknowledgement_of_an_older_table_is_none_of_the_present_weight(bench: Bench) -> None:
    bench.acknowledge()
    bench.start()
    bench.tick()
    assert latest(bench).progress.acknowledged_at is None


def test_a_dry_run_says_what_would_be_and_does_nothing(bench: Bench) -> None:
    revision = bench.world.revision
    reply = bench.post("/api/v1/rollouts", {"task": "email", "candidate": "new", "dry_run": True})
    assert reply.status_code == 200, reply.text
    found = msgspec.json.decode(reply.content, type=PreviewAnswer)
    assert found.steps == ("weight 50 %", "analysis: pass", "approval by owner", FULL, "bake 1 min, 5 % stays on old")
    assert found.way_back[0].startswith("old stays the way back for 60 minutes after promotion; 5 % of the traffic stays on it")
    assert found.capacity
    assert found.cost
    assert bench.world.revision == revision


def test_a_strategy_whose_engine_is_not_there_says_what_works_today(bench: Bench) -> None:
    reply = bench.post("/api/v1/rollouts", {"task": "email", "candidate": "new", "strategy": "blue-green"})
    assert reply.status_code == 422
    (fault,) = reply.json()["error"]["faults"]
    assert "verify, an evaluation on data sets, which is not in this version" in fault["expected"]
    assert "today: strategy: canary with steps" in fault["expected"]


class _NoEvidence(MemoryStore):
    """A store of which only the log and the state can be read."""

    def __getattribute__(self, name: str) -> object:
        if name in ("rows", "summaries", "enrolled", "save_summary", "first_seen", "planes"):
            raise StoreError(f"{name}: the database is malformed")
        return super().__getattribute__(name)


def test_a_rollback_needs_no_evidence() -> None:
    with Bench() as bench:
        bench.start()
        bench.store.__class__ = _NoEvidence
        assert bench.get("/api/v1/tasks/email/compare").status_code == 503
        reply = bench.post("/api/v1/tasks/email/rollback", {"reason": "callers complain"})
        assert reply.status_code == 200, reply.text
        assert (reply.json()["task"]["candidate"], reply.json()["task"]["rollout"]["phase"]) == (None, "rolling_back")
