"""A stage is declared once, checked whole, and names no model that somebody sells."""

from pathlib import Path

import msgspec
import pytest

from changeover.azure_sim.resource import SUMMARISERS
from changeover.azure_sim.stage import EMBEDDING_METHOD, Stage, StagedDeployment, StageError, read_stage, summariser_stage


def test_the_built_in_stage_can_be_served() -> None:
    stage = summariser_stage()
    assert {deployment.method for deployment in stage.deployments} == {*SUMMARISERS, EMBEDDING_METHOD}
    assert {deployment.model for deployment in stage.deployments} == {"summariser", "reasoner", "embedder"}


def test_a_stage_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "stage.json"
    path.write_bytes(msgspec.json.encode(summariser_stage()))
    assert read_stage(path) == summariser_stage()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"account": "a", "deployments": [{"name": "x", "version": "1", "method": "guess"}]}', "method"),
        ('{"account": "a", "deployments": [], "colour": "red"}', "colour"),
        ("{", "expected a stage"),
    ],
)
def test_a_faulty_stage_is_refused_with_what_was_found(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "stage.json"
    path.write_text(text)
    with pytest.raises(StageError, match=said):
        read_stage(path)


def test_a_stage_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="no readable file"):
        read_stage(tmp_path / "stage.json")


def test_a_name_may_stand_once(tmp_path: Path) -> None:
    deployment = StagedDeployment(name="x", version="2026-01-15", method="textrank")
    path = tmp_path / "stage.json"
    path.write_bytes(msgspec.json.encode(Stage(account="a", deployments=(deployment, deployment))))
    with pytest.raises(StageError, match="twice"):
        read_stage(path)
