"""Scores are measured against the author's own words and reach the server in batches."""

import asyncio
from collections.abc import Sequence

from changeover.demo.control import GivenScore
from changeover.demo.marking import BATCH_MAX, Marker
from changeover.evaluation.stdlib_texts import Text

TEXT = Text(name="a.py:read", document="It reads. It returns. It closes.", reference="Return the value.")


class Desk:
    """Takes scores."""

    def __init__(self) -> None:
        self.batches: list[list[GivenScore]] = []

    async def give(self, scores: Sequence[GivenScore]) -> None:
        self.batches.append(list(scores))


def test_an_answer_is_scored_against_the_reference_not_the_document() -> None:
    marker = Marker(Desk().give)
    assert marker.mark("r1", TEXT, "Return the value.") == 1.0
    assert marker.mark("r2", TEXT, "It closes.") == 0.0


def test_every_answer_gets_its_own_score_under_its_request_id_even_when_the_pair_is_known() -> None:
    desk = Desk()
    marker = Marker(desk.give)
    for number in range(3):
        marker.mark(f"r{number}", TEXT, "return it")
    asyncio.run(marker.flush())
    assert [score.request_id for score in desk.batches[0]] == ["r0", "r1", "r2"]
    assert {(score.name, score.scorer, score.value) for score in desk.batches[0]} == {("rouge-l", "demo", 0.4)}


def test_batches_stay_within_their_bound_and_nothing_is_posted_twice() -> None:
    desk = Desk()
    marker = Marker(desk.give)
    for number in range(BATCH_MAX + 1):
        marker.mark(f"r{number}", TEXT, "return")
    asyncio.run(marker.flush())
    asyncio.run(marker.flush())
    assert [len(batch) for batch in desk.batches] == [BATCH_MAX, 1]
    assert marker.given == BATCH_MAX + 1
