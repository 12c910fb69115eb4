"""Every alert is heard by a word that somebody can write into the file."""

import re
from pathlib import Path

import msgspec
import pytest

from changeover.rollout import announcement
from changeover.rollout.record import Hold, HoldKind
from changeover.rollout.state import Phase
from changeover.rollout.topics import DEFAULT_TOPICS, TOPICS, is_wanted
from tests.contract.store_samples import progress, rollout

PAGE = Path(__file__).parents[3] / "docs" / "howto" / "alerts.md"
SOURCE = Path(announcement.__file__).read_text()
TOLD = sorted({*re.findall(r'_alert\(rollout, "([a-z_]+)"', SOURCE), *re.findall(r'topic="([a-z_]+)"', SOURCE), "drift", "retirement"})


@pytest.mark.parametrize("topic", [*TOLD, "summary"])
def test_whatever_is_told_can_be_asked_for_and_left_out(topic: str) -> None:
    heard = [word for word in TOPICS if is_wanted(topic, [word])]
    assert 1 <= len(heard) <= 2, "not everybody hears of it"


@pytest.mark.parametrize("topic", [*TOLD, "summary"])
def test_the_page_about_alerts_lists_it_beside_each_word_that_asks_for_it(topic: str) -> None:
    asked, listed = "", set[str]()
    for line in PAGE.read_text().splitlines():
        if line.startswith("|"):
            _, word, told, *_ = (cell.strip().strip("`") for cell in line.split("|"))
            asked = word or asked
            listed |= {asked} if told == topic else set()
    assert listed == {word for word in TOPICS if is_wanted(topic, [word])}


def test_the_search_for_topics_finds_them() -> None:
    assert {"started", "step", "approval", "paused", "undecided", "rolled_back", "completed", "undone"} <= {*TOLD}


def test_who_asks_for_pauses_hears_of_those_at_a_deadline_and_of_what_waits_for_a_person() -> None:
    assert is_wanted("undecided", ["paused"])
    assert is_wanted("approval", ["paused"])
    assert not is_wanted("paused", ["undecided"])


def test_a_promotion_that_is_taken_back_is_heard_as_a_rollback() -> None:
    assert is_wanted("undone", ["rolled_back"])
    assert not is_wanted("undone", ["completed"])


def test_what_nobody_can_ask_for_goes_to_everybody() -> None:
    assert all(is_wanted("something_new", [word]) for word in TOPICS)
    assert is_wanted("something_new", DEFAULT_TOPICS)


@pytest.mark.parametrize(("kind", "topic"), [("undecided", "undecided"), ("manual", "paused"), ("sample_ratio", "paused")])
def test_a_pause_at_the_deadline_is_an_alert_of_its_own(kind: HoldKind, topic: str) -> None:
    hold = Hold(kind=kind, value="5 days", comparator="above", limit="4 days")
    paused = msgspec.structs.replace(rollout(), progress=msgspec.structs.replace(progress(Phase.PAUSED, permille=100), hold=hold))
    told = announcement.paused(paused)
    assert (told.topic, "changeover rollback" in told.text) == (topic, True)
