"""ROUGE-L F1 against worked examples and against its definition."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.evaluation.rouge import longest_common_subsequence, rouge_l_f1

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=7)


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("the cat sat on the mat", "the cat is on the mat", 5 / 6),
        ("The CAT, sat!", "the cat sat", 1.0),
        ("hello there", "general kenobi", 0.0),
        ("return the value", "return", 0.5),
        ("", "return the value", 0.0),
        ("...", "return the value", 0.0),
        ("value the return", "return the value", 1 / 3),
    ],
)
def test_worked_examples_come_out_as_by_hand(answer: str, reference: str, expected: float) -> None:
    assert rouge_l_f1(answer, reference) == pytest.approx(expected)


@given(WORDS, WORDS)
def test_the_common_subsequence_is_the_longest_there_is(left: list[str], right: list[str]) -> None:
    inside = {part for size in range(len(right) + 1) for part in combinations(right, size)}
    longest = max(size for size in range(len(left) + 1) for part in combinations(left, size) if part in inside)
    assert longest_common_subsequence(left, right) == longest


@given(WORDS, WORDS)
def test_it_stays_between_0_and_1_and_does_not_care_who_is_the_reference(left: list[str], right: list[str]) -> None:
    score = rouge_l_f1(" ".join(left), " ".join(right))
    assert 0.0 <= score <= 1.0
    assert score == pytest.approx(rouge_l_f1(" ".join(right), " ".join(left)))


@given(WORDS.filter(bool))
def test_saying_exactly_the_reference_is_perfect(said: list[str]) -> None:
    assert rouge_l_f1(" ".join(said), " ".join(said)) == 1.0
