"""Everything behind a rollout's verdicts, over HTTP."""

from collections.abc import Iterator

import msgspec
import pytest

from changeover.api.answers import CompareAnswer
from changeover.api.views import side_differences
from changeover.rollout.evidence_file import EvidenceFile
from changeover.rollout.replay import Replay, replayed
from changeover.rollout.state import Phase
from changeover.rollout.world import RolloutStarted
from tests.unit.api.bench import Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


def rolled_back(bench: Bench) -> str:
    """A rollout whose candidate failed until it was rolled back."""
    identity = bench.start()["rollout"]["id"]
    for sequence in range(1, 20):
        bench.acknowledge()
        bench.serve(300, sequence=sequence, worse=True)
        bench.tick()
        if bench.world.rollouts[identity].progress.phase.is_over:
            break
    assert bench.world.rollouts[identity].progress.phase is Phase.ROLLING_BACK
    return identity


def test_the_export_holds_plan_summaries_and_moves_and_nothing_of_other_rollouts(bench: Bench) -> None:
    identity = rolled_back(bench)
    bench.post("/api/v1/tasks/email/release", {"candidate": "new"})
    bench.start("other")
    file = bench.ask(f"/api/v1/rollouts/{identity}/evidence", EvidenceFile)
    assert file.rollout == bench.world.rollouts[identity]
    assert set(file.summaries) == {"scores", "outcomes"}
    assert file.summaries["outcomes"]
    assert isinstance(file.moves[0].body, RolloutStarted)
    assert {getattr(change.body, "rollout", identity) for change in file.moves[1:]} == {identity}
    assert replayed(file).differences == ()


def test_a_tasks_name_stands_for_its_latest_rollout(bench: Bench) -> None:
    identity = rolled_back(bench)
    assert bench.ask("/api/v1/rollouts/email/evidence", EvidenceFile).rollout.id == identity


def test_the_verification_finds_no_difference_in_what_the_server_keeps(bench: Bench) -> None:
    identity = rolled_back(bench)
    found = bench.ask(f"/api/v1/rollouts/{identity}/evidence/verification", Replay)
    assert (found.rollout, found.differences) == (identity, ())
    assert found.moves >= 1
    assert found.blocks >= 1


def test_the_verification_names_a_summary_that_is_gone(bench: Bench) -> None:
    identity = rolled_back(bench)
    honest = bench.store.summaries
    bench.store.summaries = lambda **asked: list(honest(**asked))[:-1]
    found = bench.ask(f"/api/v1/rollouts/{identity}/evidence/verification", Replay)
    assert any("other numbers of blocks" in difference for difference in found.differences)


@pytest.mark.parametrize("path", ["evidence", "evidence/verification"])
def test_an_unknown_rollout_has_no_evidence(bench: Bench, path: str) -> None:
    assert bench.get(f"/api/v1/rollouts/nothing/{path}").status_code == 404


def test_compare_notes_in_what_the_sides_differ(bench: Bench) -> None:
    bench.start("other")
    answer = bench.ask("/api/v1/tasks/email/compare", CompareAnswer)
    assert answer.warnings == ("the sides differ in model: stable gpt-4o, candidate gpt-4o-mini",)


def test_versions_of_one_model_in_one_account_differ_in_nothing_else(bench: Bench) -> None:
    bench.start("new")
    assert bench.ask("/api/v1/tasks/email/compare", CompareAnswer).warnings == ()


def test_every_known_difference_is_noted(bench: Bench) -> None:
    bench.start("new")
    rollout = bench.world.rollouts["email-1"]
    changed = msgspec.structs.replace(bench.world.deployments["new"], account="other", environment="dev", sku="GlobalStandard")
    world = msgspec.structs.replace(bench.world, deployments={**bench.world.deployments, "new": changed})
    assert side_differences(world, rollout) == (
        "the sides differ in account: stable acc, candidate other: it may decide latency and errors in the version's place",
        "the sides differ in environment: stable prod, candidate dev: it may decide latency and errors in the version's place",
        "the sides differ in SKU: stable unknown, candidate GlobalStandard: it may decide latency, errors and cost in the version's place",
    )
