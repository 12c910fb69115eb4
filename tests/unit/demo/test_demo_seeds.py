"""The soak's bar: nine in ten as expected, and not one wrong promotion."""

import pytest

from changeover.demo.story import NEWEST, SHORTER
from tests.soak.demo_seeds import Outcome, meets_the_bar

GOOD = ((SHORTER, "completed"), (NEWEST, "rolled_back"))
WRONG = ((SHORTER, "completed"), (NEWEST, "completed"))


def an_outcome(endings: tuple[tuple[str, str], ...] = GOOD, *, exit_code: int = 0) -> Outcome:
    return Outcome(seed=1, exit_code=exit_code, endings=endings, numbers="")


@pytest.mark.parametrize(
    ("odd_ones", "met"),
    [
        ([], True),
        ([an_outcome(GOOD[:1], exit_code=5)], True),
        ([an_outcome(GOOD[:1], exit_code=5), an_outcome((), exit_code=1)], False),
        ([an_outcome(WRONG, exit_code=1)], False),
        ([an_outcome(GOOD, exit_code=1), an_outcome((), exit_code=1)], False),
    ],
)
def test_the_bar_is_met_only_by_nine_in_ten_without_a_wrong_promotion(odd_ones: list[Outcome], met: bool) -> None:
    outcomes = [*odd_ones, *[an_outcome()] * (10 - len(odd_ones))]
    assert meets_the_bar(outcomes) is met


def test_an_outcome_says_what_it_was() -> None:
    assert "as expected" in str(an_outcome())
    assert "WRONG PROMOTION" in str(an_outcome(WRONG, exit_code=1))
    assert "no rollout ended" in str(an_outcome((), exit_code=1))
