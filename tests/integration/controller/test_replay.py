"""Every recorded verdict follows from the stored evidence; whatever is changed afterwards is found and named."""

import asyncio
import functools
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from changeover.gates.streams import streams_for
from changeover.rollout.commands import roll_back
from changeover.rollout.evidence_file import EvidenceFile, evidence_file
from changeover.rollout.replay import replayed
from tests.integration.controller.stage import Stage
from tests.integration.controller.test_evidence import ALL_STREAMS, measured, plan
from tests.integration.controller.test_rollouts import in_loop

Json = dict[str, Any]


def exported(stage: Stage) -> EvidenceFile:
    rollout = stage.rollout
    summaries = {
        stream.name: [body for _, body in stage.store.summaries(rollout=rollout.id, stream=stream.name)]
        for stream in streams_for(rollout.plan.criteria)
    }
    return evidence_file(rollout, summaries=summaries, changes=stage.store.changes())


@functools.cache
def story() -> bytes:
    """A rollout that passed criterion after criterion and was rolled back at last, exported."""

    async def played() -> bytes:
        stage = measured()
        await stage.serve(requests=600)
        stage.begin(plan())
        for _ in range(9):
            await stage.serve(requests=400)
        for _ in range(12):
            await stage.serve(requests=400, quality=(0.6, 0.4), errors=(0.0, 0.2))
        assert stage.rollout.progress.phase.is_over
        return msgspec.json.encode(exported(stage))

    return asyncio.run(played())


def differences(body: bytes) -> tuple[str, ...]:
    return replayed(msgspec.json.decode(body, type=EvidenceFile)).differences


def changed(change: Callable[[Json], None]) -> tuple[str, ...]:
    file = json.loads(story())
    change(file)
    return differences(json.dumps(file).encode())


def test_all_verdicts_of_a_whole_rollout_follow_from_its_evidence() -> None:
    found = replayed(msgspec.json.decode(story(), type=EvidenceFile))
    assert found.differences == ()
    assert found.moves >= 3
    assert set(msgspec.json.decode(story(), type=EvidenceFile).summaries) == ALL_STREAMS


def test_a_file_laid_out_for_reading_is_the_same_evidence() -> None:
    assert differences(msgspec.json.format(story(), indent=4)) == ()
    assert differences(json.dumps(json.loads(story())).encode()) == ()


@in_loop
async def test_a_rollout_in_progress_can_be_verified_at_any_time() -> None:
    stage = measured()
    stage.begin(plan())
    assert replayed(exported(stage)).differences == ()
    for _ in range(5):
        await stage.serve(requests=100)
        assert replayed(exported(stage)).differences == ()
    await stage.office.commit(lambda world: roll_back(world, task="mail", actor="jo", reason="no", now=stage.clock.now()))
    assert replayed(exported(stage)).differences == ()


def _last_move(file: Json) -> Json:
    return [change for change in file["moves"] if change["body"].get("event") == "assessed"][-1]


def _verdict(file: Json, name: str) -> Json:
    return next(verdict for verdict in _last_move(file)["body"]["verdicts"] if verdict["criterion"] == name)


def _nudge_log_e(file: Json) -> None:
    _verdict(file, "quality")["to_trip"]["log_e"] += 1e-6


def _turn_a_verdict(file: Json) -> None:
    verdict = _verdict(file, "errors")
    verdict["decision"] = "undecided" if verdict["decision"] == "pass" else "pass"


def _drop_a_verdict(file: Json) -> None:
    _last_move(file)["body"]["verdicts"].pop()


def _invent_an_error(file: Json) -> None:
    summary = next(one for one in file["summaries"]["outcomes"] if one["content"]["strata"])
    summary["content"]["strata"][0]["candidate"]["errors"] += 1


def _drop_the_first_block(file: Json) -> None:
    file["summaries"]["cost"].pop(0)


def _drop_the_last_blocks(file: Json) -> None:
    del file["summaries"]["latency"][3:]


def _repeat_a_block(file: Json) -> None:
    file["summaries"]["filters"].insert(1, file["summaries"]["filters"][0])


def _leave_a_stream_out(file: Json) -> None:
    del file["summaries"]["scores"]


def _widen_the_margin(file: Json) -> None:
    file["rollout"]["plan"]["criteria"]["errors"]["margin_points"] = 50
    file["moves"][0]["body"]["rollout"]["plan"]["criteria"]["errors"]["margin_points"] = 50


def _widen_the_margin_in_the_plan_alone(file: Json) -> None:
    file["rollout"]["plan"]["criteria"]["errors"]["margin_points"] = 50


def _forge_the_hash(file: Json) -> None:
    _last_move(file)["body"]["evidence_hash"] = "0" * 32


def _hide_the_alarm(file: Json) -> None:
    _last_move(file)["body"]["sample_ratio"]["candidate"] += 1


def _forget_the_blocks(file: Json) -> None:
    del _last_move(file)["body"]["closed"]


def _drop_the_start(file: Json) -> None:
    file["moves"].pop(0)


def _drop_the_end(file: Json) -> None:
    file["moves"].pop()


def _swap_two_events(file: Json) -> None:
    file["moves"][1], file["moves"][2] = file["moves"][2], file["moves"][1]


def _lie_about_the_end(file: Json) -> None:
    file["rollout"]["progress"]["phase"] = "completed"


def _add_a_foreign_stream(file: Json) -> None:
    file["summaries"]["gossip"] = []


def _spoil_a_summary(file: Json) -> None:
    file["summaries"]["scores"][0] = {"nothing": 1}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_nudge_log_e, "quality.to_trip.log_e: recorded"),
        (_turn_a_verdict, "errors.decision: recorded"),
        (_drop_a_verdict, "criteria with a verdict"),
        (_invent_an_error, "evidence hash"),
        (_drop_the_first_block, "cost block 1 came where block 0 was due"),
        (_drop_the_last_blocks, "other numbers of blocks than there are of latency"),
        (_repeat_a_block, "filters block 0 came where block 1 was due"),
        (_leave_a_stream_out, "other numbers of blocks than there are of scores"),
        (_widen_the_margin, "configuration: recorded"),
        (_widen_the_margin_in_the_plan_alone, "was started otherwise than the file says"),
        (_forge_the_hash, "evidence hash: recorded '00000000000000000000000000000000'"),
        (_hide_the_alarm, "sample ratio.candidate"),
        (_forget_the_blocks, "does not say which blocks it rested on"),
        (_drop_the_start, "does not begin with the start"),
        (_drop_the_end, "leaves the rollout otherwise"),
        (_swap_two_events, "not in the order"),
        (_lie_about_the_end, "leaves the rollout otherwise"),
        (_add_a_foreign_stream, "summaries of gossip"),
        (_spoil_a_summary, "cannot be folded"),
    ],
)
def test_whatever_is_changed_afterwards_is_found_and_named(change: Callable[[Json], None], named: str) -> None:
    found = changed(change)
    assert any(named in difference for difference in found), found
