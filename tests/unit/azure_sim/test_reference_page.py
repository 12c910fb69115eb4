"""The reference page says all that can be declared and told."""

from pathlib import Path

import pytest

from changeover.azure_sim.stage import Condition, StagedDeployment, summariser_stage
from changeover.azure_sim.standing import Standing

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "azure-sim.md").read_text()


@pytest.mark.parametrize(
    "word",
    [
        *(condition.value for condition in Condition),
        *Standing.__struct_fields__,
        *StagedDeployment.__struct_fields__,
        *(deployment.name for deployment in summariser_stage().deployments),
        *(deployment.served_model for deployment in summariser_stage().deployments),
        *(deployment.method for deployment in summariser_stage().deployments),
    ],
)
def test_the_page_names_it(word: str) -> None:
    assert f"`{word}`" in PAGE
