"""The last weight, the bake behind it, promotion, and what becomes of the old version afterwards."""

import msgspec
import pytest

from changeover.gates.verdict import Decision
from changeover.rollout.machine import advance
from changeover.rollout.overriding import DATA_PLANES
from changeover.rollout.plan import Bake
from changeover.rollout.plan_rules import plan_faults
from changeover.rollout.standing import plan_words
from changeover.rollout.state import (
    Acknowledged,
    Assessed,
    Event,
    Overridden,
    Pause,
    Phase,
    Promote,
    Resume,
    RetentionPassed,
    RollBack,
    Rollout,
)
from tests.unit.rollout.builders import BAKED, alarming, assessment, baking, passing, plan, tripping, verdict, walked

LATER = 1_800_000_000.0


def _moved(present: Rollout, event: Event, now: float = LATER) -> Rollout:
    return advance(present, event, now)[0]


def _promoted() -> Rollout:
    present = baking()
    return _moved(present, passing(present), LATER)


def _served(present: Rollout, served_s: float, *verdicts: object) -> Assessed:
    since = present.progress.acknowledged_at or 0.0
    found = assessment(closed_until=since + served_s, served_s=served_s)
    return Assessed(assessment=found if not verdicts else msgspec.structs.replace(found, verdicts=verdicts))


def test_the_last_weight_leaves_the_holdback_on_the_old_version() -> None:
    present = walked(4, BAKED)
    assert (present.progress.permille, present.progress.phase) == (950, Phase.RUNNING)


def test_the_bake_begins_when_the_last_weight_is_served_everywhere() -> None:
    after, commands = advance(walked(4, BAKED), Acknowledged(), LATER)
    assert (after.progress.phase, after.progress.permille, after.progress.step_entered_at) == (Phase.BAKING, 950, LATER)
    assert "bakes for 10 min, 5 % stays on old" in after.progress.reason
    assert [command.topic for command in commands] == ["baking"]


@pytest.mark.parametrize(("served_s", "phase"), [(0.0, Phase.BAKING), (599.0, Phase.BAKING), (600.0, Phase.COMPLETED)])
def test_only_seconds_that_were_served_and_reported_count(served_s: float, phase: Phase) -> None:
    present = baking()
    assert _moved(present, _served(present, served_s), LATER * 2).progress.phase is phase


def test_the_end_of_the_bake_is_the_promotion() -> None:
    present = baking()
    after, commands = advance(present, passing(present), LATER)
    assert (after.progress.phase, after.progress.finished_at) == (Phase.COMPLETED, LATER)
    assert after.progress.reason == "baked for 600 s without harm; new is the stable"
    assert [command.topic for command in commands] == ["", "completed"]


def test_what_is_undecided_by_now_does_not_hold_up_a_bake_whose_weight_had_its_proof() -> None:
    present = baking()
    undecided = [verdict(name, Decision.UNDECIDED, able_to_trip=False) for name in ("quality", "errors")]
    assert _moved(present, _served(present, 600.0, *undecided)).progress.phase is Phase.COMPLETED


@pytest.mark.parametrize("bad", [verdict("quality", Decision.FAIL), verdict("quality", Decision.UNDECIDED, problems=("outage",))])
def test_a_proven_loss_and_unfit_evidence_hold_it_up(bad: object) -> None:
    present = baking()
    assert _moved(present, _served(present, 600.0, bad, verdict("errors"))).progress.phase is Phase.BAKING


def test_evidence_of_the_weight_before_ends_no_bake() -> None:
    present = baking()
    since = present.progress.acknowledged_at or 0.0
    old = Assessed(assessment=assessment(closed_until=since + 10.0, served_s=600.0))
    assert _moved(present, old).progress.phase is Phase.BAKING


def test_guardrails_act_while_it_bakes() -> None:
    present = baking()
    assert _moved(present, tripping(present)).progress.phase is Phase.ROLLING_BACK
    paused = _moved(present, alarming(present))
    assert (paused.progress.phase, paused.progress.permille) == (Phase.PAUSED, 950)
    assert _moved(paused, tripping(present)).progress.phase is Phase.ROLLING_BACK


def test_a_bake_that_was_paused_goes_on_baking() -> None:
    paused = _moved(baking(), Pause(reason="lunch"))
    assert _moved(paused, passing(baking())) == _moved(paused, _served(baking(), 0.0))
    resumed = _moved(paused, Resume())
    assert (resumed.progress.phase, resumed.progress.permille) == (Phase.BAKING, 950)
    assert _moved(resumed, passing(resumed)).progress.phase is Phase.COMPLETED


def test_finishing_now_ends_a_bake_with_every_gates_pass() -> None:
    asked = _moved(baking(), Promote(actor="ana", reason="seen enough"))
    assert asked.progress.phase is Phase.BAKING
    undecided = _served(asked, 60.0, verdict("quality", Decision.UNDECIDED), verdict("errors"))
    assert _moved(asked, undecided).progress.phase is Phase.BAKING
    after = _moved(asked, _served(asked, 60.0))
    assert (after.progress.phase, after.progress.reason) == (Phase.COMPLETED, "finished by ana: seen enough; new is the stable")


def test_finishing_needs_a_block_of_this_weight_unless_the_dwell_is_named() -> None:
    for gates, phase in (((), Phase.BAKING), (("dwell",), Phase.COMPLETED)):
        asked = _moved(baking(), Promote(actor="ana", reason="seen enough", gates=gates))
        unseen = msgspec.structs.replace(_served(asked, 0.0).assessment, blocks=0)
        assert _moved(asked, Assessed(assessment=unseen)).progress.phase is phase


def test_finishing_without_a_gate_takes_its_word_for_that_gate_alone() -> None:
    asked = _moved(baking(), Promote(actor="ana", reason="agreed", gates=("quality",)))
    undecided = verdict("quality", Decision.UNDECIDED)
    assert _moved(asked, _served(asked, 60.0, undecided, verdict("errors", Decision.UNDECIDED))).progress.phase is Phase.BAKING
    assert _moved(asked, _served(asked, 60.0, undecided, verdict("errors"))).progress.phase is Phase.COMPLETED


def test_a_pause_ends_the_wish_to_finish() -> None:
    asked = _moved(baking(), Promote(actor="ana", reason="seen enough"))
    resumed = _moved(_moved(asked, Pause(reason="wait")), Resume())
    assert resumed.progress.finishing is None
    assert _moved(resumed, _served(resumed, 60.0)).progress.phase is Phase.BAKING


def test_without_a_bake_promotion_comes_with_the_last_weight() -> None:
    after = _moved(walked(4), Acknowledged())
    assert (after.progress.phase, after.progress.permille) == (Phase.COMPLETED, 1000)


@pytest.mark.parametrize(
    ("bake", "fault"),
    [
        (Bake(duration_s=0.0, holdback_permille=50), "found a holdback of 5 % for no time"),
        (Bake(duration_s=60.0, holdback_permille=501), "found a holdback of 50.1 %; expected at most 50 %"),
        (Bake(duration_s=60.0, holdback_permille=500), "step 5: found weight 100 %, of which the holdback leaves 50 %, after 50 %"),
    ],
)
def test_a_holdback_that_cannot_be_kept_is_a_fault(bake: Bake, fault: str) -> None:
    assert any(found.startswith(fault) for found in plan_faults(plan(bake=bake))), plan_faults(plan(bake=bake))


def test_the_old_version_is_kept_for_its_time() -> None:
    promoted = _promoted()
    assert _moved(promoted, RetentionPassed(), LATER + 3599.0) == promoted
    retiring = _moved(promoted, RetentionPassed(), LATER + 3600.0)
    assert retiring.progress.phase is Phase.RETIRING
    assert retiring.progress.reason == "old was kept 1 h, needs >= 1 h; waits for every data plane"


def test_without_a_time_it_is_kept_for_good() -> None:
    promoted = walked(99)
    assert _moved(promoted, RetentionPassed(), LATER * 2) == promoted


def test_retiring_waits_for_every_data_plane_or_an_override() -> None:
    retiring = _moved(_promoted(), RetentionPassed(), LATER + 3600.0)
    assert _moved(retiring, Acknowledged(silent=("p9",))) == retiring
    after, commands = advance(retiring, Acknowledged(), LATER)
    assert (after.progress.phase, [command.topic for command in commands]) == (Phase.RETIRED, ["retired"])
    overridden = _moved(retiring, Overridden(gates=(DATA_PLANES,), actor="ana", reason="p9 is scrapped"))
    gone = _moved(overridden, Acknowledged(silent=("p9",)))
    assert gone.progress.phase is Phase.RETIRED
    assert "but p9, which was overridden" in gone.progress.reason


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.RETIRING])
def test_a_promotion_is_taken_back_while_the_old_version_is_kept(phase: Phase) -> None:
    promoted = _promoted()
    present = promoted if phase is Phase.COMPLETED else _moved(promoted, RetentionPassed(), LATER + 3600.0)
    after, commands = advance(present, RollBack(reason="callers complain"), LATER + 9000.0)
    assert (after.progress.phase, after.progress.permille, after.progress.was_promoted) == (Phase.ROLLING_BACK, 0, True)
    assert after.progress.finished_at == LATER
    assert [command.topic for command in commands] == ["", "undone"]
    assert _moved(after, Acknowledged()).progress.phase is Phase.ROLLED_BACK


def test_the_plan_in_words_ends_with_the_bake_and_says_what_is_held_back() -> None:
    words = plan_words(plan(bake=Bake(duration_s=60.0, holdback_permille=50)), stable="old")
    assert words[-2:] == ("weight 100 % (95 % served, 5 % held back)", "bake 1 min, 5 % stays on old")
    assert plan_words(plan(), stable="old")[-1] == "weight 100 %"


def test_a_bake_that_was_cut_short_on_somebodys_word_says_whose() -> None:
    present = _moved(baking(), Overridden(gates=("dwell",), actor="ana", reason="ticket 4711"))
    after = _moved(present, passing(present))
    assert after.progress.phase is Phase.COMPLETED
    assert "; overridden: dwell by ana (ticket 4711); " in after.progress.reason
