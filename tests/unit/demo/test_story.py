"""The story ends well only when both expected outcomes were seen in the rollouts, the log, the table and the answers."""

import asyncio

import pytest

from changeover.demo.failure import StoppedShortError, UndecidedError
from changeover.demo.story import NEWEST, SHORTER, Story, Told
from changeover.rollout.state import Phase
from tests.unit.demo.fakes import PROMOTED, REQUESTS_PER_PAUSE, ROLLED_BACK, FakeWorld, Script

STUCK: Script = [(Phase.RUNNING, 100)] * 200


def tell(world: FakeWorld, *, requests_max: int = 6000) -> Told:
    return asyncio.run(Story(world.scene(requests_max=requests_max)).tell())


def test_one_version_is_promoted_and_the_worse_one_rolled_back() -> None:
    world = FakeWorld(PROMOTED, ROLLED_BACK)
    told = tell(world)
    assert (told.promotion.ending.candidate, told.promotion.ending.phase) == (SHORTER, Phase.COMPLETED)
    assert (told.rollback.ending.candidate, told.rollback.ending.phase) == (NEWEST, Phase.ROLLED_BACK)
    assert told.rollback.ending.tripped == ("quality",)
    assert told.events == tuple(world.events)


def test_rollouts_and_comparisons_go_through_the_real_command_line() -> None:
    world = FakeWorld(PROMOTED, ROLLED_BACK)
    told = tell(world)
    assert [" ".join(command[1:3]) for command in world.commands] == [
        "rollout start",
        "compare docstring-summaries",
        "rollout start",
        "compare docstring-summaries",
        "events",
    ]
    assert told.promotion.table == "output of changeover compare docstring-summaries\n"


def test_requests_are_counted_by_weight() -> None:
    told = tell(FakeWorld(PROMOTED, ROLLED_BACK))
    assert told.promotion.ending.requests == {"10": 2 * REQUESTS_PER_PAUSE, "50": REQUESTS_PER_PAUSE, "100": 0}


def test_weights_reasons_and_evidence_are_told_as_they_happen() -> None:
    world = FakeWorld([(Phase.RUNNING, 100)] * 20 + PROMOTED, ROLLED_BACK)
    tell(world)
    said = world.written.getvalue()
    assert "rollout r1 started: summariser-prod-v0115 → summariser-prod-v0601, salt salt1" in said
    assert "running, candidate at 50 % (controller: to 500)" in said
    assert "evidence to pass 0.5/3.0, to roll back 5.0/4.8" in said


def test_a_wrong_promotion_is_no_good_ending() -> None:
    with pytest.raises(StoppedShortError, match=f"{NEWEST} ended completed .* expected {NEWEST} rolled back"):
        tell(FakeWorld(PROMOTED, PROMOTED))


def test_a_good_version_rolled_back_is_no_good_ending() -> None:
    with pytest.raises(StoppedShortError, match=f"{SHORTER} ended rolled back"):
        tell(FakeWorld(ROLLED_BACK))


def test_a_rollback_for_another_reason_than_quality_does_not_count() -> None:
    with pytest.raises(StoppedShortError, match="not for its quality"):
        tell(FakeWorld(PROMOTED, ROLLED_BACK, tripped="errors"))


def test_running_out_of_requests_is_undecided_and_says_the_numbers() -> None:
    with pytest.raises(UndecidedError, match=r"no verdict after 6,100 requests at 10 %: too little yet; quality .* 100"):
        tell(FakeWorld(STUCK))


def test_the_count_of_requests_begins_anew_with_every_weight() -> None:
    slow = [(Phase.RUNNING, 100)] * 8 + [(Phase.RUNNING, 500)] * 8 + [(Phase.COMPLETED, 1000)]
    told = tell(FakeWorld(slow, ROLLED_BACK), requests_max=10 * REQUESTS_PER_PAUSE)
    assert told.promotion.ending.phase is Phase.COMPLETED


def test_a_pause_is_undecided_with_its_reason() -> None:
    with pytest.raises(UndecidedError, match="paused: as the script says"):
        tell(FakeWorld([(Phase.RUNNING, 100), (Phase.PAUSED, 100), (Phase.PAUSED, 100)]))


@pytest.mark.parametrize("after", [0, 300, 600, 1500])
def test_one_failed_request_stops_the_story_wherever_it_is(after: int) -> None:
    world = FakeWorld(PROMOTED, ROLLED_BACK)

    def fail() -> None:
        if world.sent > after:
            world.failed, world.failures = 1, ["the connection was reset"]

    world.on_pause = fail
    with pytest.raises(StoppedShortError, match="1 client requests failed: the connection was reset"):
        tell(world)


def test_a_process_that_ends_stops_the_story_with_its_last_words() -> None:
    world = FakeWorld(PROMOTED, ROLLED_BACK)
    world.gone = "server"
    with pytest.raises(StoppedShortError, match="the last words of server"):
        tell(world)


def test_answers_from_another_version_than_the_stable_stop_the_story() -> None:
    world = FakeWorld(PROMOTED, ROLLED_BACK)

    def leak() -> None:
        world.served["summariser-2026-09-01"] += 1

    world.on_pause = leak
    with pytest.raises(StoppedShortError, match="expected answers of summariser-2026-01-15 alone"):
        tell(world)


def test_answers_of_the_old_version_after_a_promotion_stop_the_story() -> None:
    world = FakeWorld(PROMOTED, ROLLED_BACK)

    def leak() -> None:
        if world.stable == SHORTER:
            world.served["summariser-2026-01-15"] += 1

    world.on_pause = leak
    with pytest.raises(StoppedShortError, match="expected answers of summariser-2026-06-01 alone"):
        tell(world)


def test_an_ending_that_the_log_does_not_tell_of_is_not_believed() -> None:
    world = FakeWorld(PROMOTED, ROLLED_BACK)
    world.on_pause = lambda: world.events.clear() if world.active is not None and world.active.candidate == NEWEST else None
    with pytest.raises(StoppedShortError, match="found no such event"):
        tell(world)
