"""What answers other than it was pinned is told once, and rolled back every time it is on trial."""

import msgspec
import pytest

from changeover.exchange.observation import Observation, Outcome
from changeover.rollout.commands import NothingToDo, Order, RolloutRequest, release, set_split, start_rollout
from changeover.rollout.drift import (
    DRIFTS_PER_DEPLOYMENT_MAX,
    FINGERPRINT_EVERY_S,
    answer_drift,
    drifts_in,
    fingerprints_in,
    record_fingerprint,
    standing_drifts,
)
from changeover.rollout.state import Command, Phase
from changeover.rollout.world import DriftSeen, FingerprintSeen, Proposal, RolloutMoved, TaskState, World, routing_table
from changeover.traffic.table import Side
from changeover.versions import Deployment, ModelVersion
from tests.unit.rollout.builders import T0, committed, plan, seeded

ORDER = Order(actor="ana", reason="because")
PINNED = "gpt-4o-2024-11-20"
OTHER = "gpt-4o-2024-08-06"


def world() -> World:
    """``email`` moves from ``old`` to ``new``; ``chat`` is on ``old``, and ``other`` stands in for it."""
    before = seeded()
    tasks = {**before.tasks, "chat": msgspec.structs.replace(before.tasks["chat"], failover=("other",))}
    return started(msgspec.structs.replace(before, tasks=tasks), identity="r1")


def started(before: World, *, identity: str, at: float = T0) -> World:
    request = RolloutRequest(task="email", candidate="new", plan=plan(), id=identity, salt=identity)
    return committed(before, start_rollout(before, request, order=ORDER, now=at), at=at)


def answer(served: str | None = "new", model: str | None = PINNED, *, at: float = T0 + 1, **fields: object) -> Observation:
    values: dict[str, object] = {
        "request_id": "r",
        "started_at": at,
        "outcome": Outcome.ANSWERED,
        "revision": 1,
        "latency_ms": 5.0,
        "task": "email",
        "side": Side.CANDIDATE,
        "assigned": "new",
        "served": served,
        "served_model": model,
        "attempts": 1,
    }
    return Observation(**{**values, **fields})  # pyright: ignore[reportArgumentType]


def gone(error: str = "retired", **fields: object) -> Observation:
    """A request of the candidate that the stable answered."""
    return answer(**{"served": "old", "error": error, "attempts": 2, **fields})  # pyright: ignore[reportArgumentType]


def settle(before: World, *rows: Observation) -> tuple[World, list[Proposal]]:
    """All that is called for, committed."""
    made: list[Proposal] = []
    for drift in drifts_in(before, rows):
        while True:
            try:
                made.append(answer_drift(before, drift, now=T0 + 5))
            except NothingToDo:
                break
            before = committed(before, made[-1])
    return before, made


def alerts(made: list[Proposal]) -> list[Command]:
    return [command for proposal in made for command in proposal.commands if command.kind == "alert"]


def test_answers_that_are_as_pinned_call_for_nothing() -> None:
    rows = [answer(), answer(model=None), answer(served="nobody", model=OTHER), answer(served=None), answer(served_deployment="NEW")]
    assert drifts_in(world(), rows) == []


def test_a_candidate_that_answers_as_another_version_is_rolled_back_and_told_once() -> None:
    after, made = settle(world(), answer(), answer(model=OTHER), answer(model=OTHER))
    assert [type(proposal.body) for proposal in made] == [RolloutMoved, DriftSeen]
    progress = after.rollouts["r1"].progress
    assert (progress.phase, progress.reason) == (Phase.ROLLING_BACK, f"new answered as {OTHER}, pinned is {PINNED}")
    assert routing_table(after).routes["email"].candidate is None
    assert [(alert.subject, alert.topic) for alert in alerts(made)] == [("email", "rolled_back")]
    assert settle(after, answer(model=OTHER))[1] == []


def test_a_stable_that_drifts_goes_on_serving_and_every_task_on_it_is_alerted() -> None:
    after, made = settle(world(), answer(served="old", model=OTHER, assigned="old", side=Side.STABLE))
    assert [type(proposal.body) for proposal in made] == [DriftSeen]
    assert [(alert.subject, alert.topic) for alert in alerts(made)] == [("email", "drift"), ("chat", "drift")]
    assert "goes on being served by it" in alerts(made)[0].text
    assert after.rollouts["r1"].progress.phase is Phase.RUNNING
    assert routing_table(after).routes == routing_table(world()).routes


def test_a_stand_in_that_drifts_is_told_to_the_task_it_stands_in_for() -> None:
    _, made = settle(world(), answer(served="other", model=OTHER))
    assert [(alert.subject, "stand in" in alert.text) for alert in alerts(made)] == [("chat", True)]


def test_a_spillover_names_the_deployment_that_answered() -> None:
    after, _ = settle(world(), answer(served_deployment="new-spill"))
    assert after.rollouts["r1"].progress.reason == "new was answered for by deployment new-spill"


def test_every_new_attempt_is_rolled_back_again_on_what_was_seen_since_it_began() -> None:
    after, _ = settle(world(), answer(model=OTHER))
    again = committed(after, release(after, task="email", candidate="new", order=ORDER))
    again = started(again, identity="r2", at=T0 + 100)
    assert drifts_in(again, [answer(model=OTHER, at=T0 + 50)]) == [], "what was seen before it began is of another attempt"
    final, made = settle(again, answer(model=OTHER, at=T0 + 50), answer(model=OTHER, at=T0 + 101))
    assert [type(proposal.body) for proposal in made] == [RolloutMoved], "it is told already"
    assert final.rollouts["r2"].progress.phase is Phase.ROLLING_BACK


@pytest.mark.parametrize("error", ["retired", "missing", "ModelDeprecated", "DeploymentNotFound", "model_not_found", "status_410"])
def test_a_candidate_that_is_gone_is_rolled_back_whoever_answered_for_it(error: str) -> None:
    after, made = settle(world(), gone(error))
    assert after.rollouts["r1"].progress.phase is Phase.ROLLING_BACK
    assert error in after.rollouts["r1"].progress.reason
    assert isinstance(made[-1].body, DriftSeen)


@pytest.mark.parametrize(
    "row",
    [
        gone(outcome=Outcome.REJECTED, served="new", attempts=1),
        gone(outcome=Outcome.REJECTED, served="new", attempts=2),
        gone(outcome=Outcome.FAILED, served=None, attempts=1),
    ],
)
def test_a_candidate_that_is_gone_with_nobody_to_answer_for_it_is_rolled_back(row: Observation) -> None:
    assert settle(world(), row)[0].rollouts["r1"].progress.phase is Phase.ROLLING_BACK


@pytest.mark.parametrize(
    "row",
    [
        gone("rate_limit_exceeded"),
        gone("retired", served="new"),
        gone("retired", outcome=Outcome.REJECTED, served="old"),
        gone("retired", outcome=Outcome.FAILED, served=None, attempts=2),
        gone("retired", assigned=None, served=None),
    ],
    ids=["another error", "it answered", "the stand-in refused", "perhaps the stand-in", "refused by us"],
)
def test_an_error_that_is_not_the_candidates_own_end_rolls_nothing_back(row: Observation) -> None:
    assert settle(world(), row)[1] == []


def test_a_stable_that_is_retired_is_an_alert_about_retirement() -> None:
    _, made = settle(world(), gone(assigned="old", side=Side.STABLE, served="other"))
    assert [alert.topic for alert in alerts(made)] == ["retirement", "retirement"]
    assert "is not served by it" in alerts(made)[0].text


def test_a_split_by_hand_is_told_with_the_way_back_and_left_alone() -> None:
    before = seeded()
    before = committed(before, set_split(before, task="email", weights={"old": 900, "new": 100}, salt="s", order=ORDER))
    after, made = settle(before, answer(model=OTHER))
    assert after.tasks["email"].split is not None
    assert "changeover rollback email" in alerts(made)[0].text


def test_a_server_that_makes_up_a_name_each_time_is_not_told_of_for_ever() -> None:
    after, made = settle(seeded(), *(answer(model=f"gpt-4o-2020-01-{day:02}") for day in range(1, 29)))
    assert len(made) == len(after.drifts) == DRIFTS_PER_DEPLOYMENT_MAX


def test_what_a_provider_says_is_shortened_and_made_printable() -> None:
    after, _ = settle(seeded(), answer(served_deployment="x\n\x1b[31m" + "y" * 1000))
    assert after.drifts[0].found.startswith("x[31myyy")
    assert len(after.drifts[0].found) <= 200


def test_a_drift_stands_until_the_pin_says_what_was_seen() -> None:
    after, _ = settle(seeded(), answer(model=OTHER))
    assert [drift.found for drift in standing_drifts(after)] == [OTHER]
    pinned = Deployment(name="new", account="acc", model=ModelVersion(name="gpt-4o", version="2024-08-06"))
    mended = msgspec.structs.replace(after, deployments={**after.deployments, "new": pinned})
    assert standing_drifts(mended) == ()
    assert drifts_in(mended, [answer(model=OTHER)]) == []


def test_a_new_fingerprint_is_recorded_without_an_alarm_and_not_too_often() -> None:
    before = seeded()
    rows = fingerprints_in(before, [answer(fingerprint=None), answer(fingerprint="fp_1"), answer(fingerprint="fp_2")])
    assert {name: row.fingerprint for name, row in rows.items()} == {"new": "fp_1"}
    first = record_fingerprint(before, rows["new"])
    assert (first.commands, first.reason) == ((), "first seen")
    after = committed(before, first)
    soon, later = answer(fingerprint="fp_2"), answer(fingerprint="fp_2", at=T0 + 1 + FINGERPRINT_EVERY_S)
    assert fingerprints_in(after, [soon, answer(fingerprint="fp_1", at=T0 + 1e6)]) == {}
    second = record_fingerprint(after, fingerprints_in(after, [soon, later])["new"])
    assert second.body == FingerprintSeen(deployment="new", fingerprint="fp_2", before="fp_1", at=later.started_at)
    final = committed(after, second)
    assert final.fingerprints["new"].known == ("fp_1", "fp_2")
    assert final.table_revision == before.table_revision, "no data plane is told"
    with pytest.raises(NothingToDo):
        record_fingerprint(final, later)


def test_the_fingerprints_of_machines_that_take_turns_are_known_up_to_a_number() -> None:
    state = seeded()
    for number in range(40):
        row = answer(fingerprint=f"fp_{number}", at=T0 + number * FINGERPRINT_EVERY_S)
        state = committed(state, record_fingerprint(state, row))
    assert state.fingerprints["new"].known == tuple(f"fp_{number}" for number in range(24, 40))


def test_a_task_without_a_rollout_is_none_of_the_drifts_business() -> None:
    before = msgspec.structs.replace(seeded(), tasks={"chat": TaskState(name="chat", stable="old")})
    assert alerts(settle(before, answer(model=OTHER))[1]) == []
