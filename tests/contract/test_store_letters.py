"""Alerts that are owed: what is known of them, and of how far they have come."""

from changeover.ports.alerts import Delivery
from changeover.ports.store import Store
from changeover.rollout.state import Command
from tests.contract.store_samples import PUBLISH, TASK, Shelf, proposing, seeded, split

ALERT = Command(kind="alert", subject=TASK, text="rolled back", topic="rolled_back")
TRIED = Delivery(tries=2, next_at=30.5, problem="it answered 500")
ARRIVED = Delivery(tries=1, settled=True)


def test_a_letter_says_what_the_log_says_of_its_change(store: Store) -> None:
    store.commit(proposing(seeded()), at=1.0)
    store.commit(proposing(split(100), PUBLISH, ALERT), at=2.25)
    (letter,) = store.letters(10)
    assert (letter.revision, letter.at, letter.actor, letter.reason, letter.command) == (2, 2.25, "somebody", "because", ALERT)
    assert letter.deliveries == {}
    assert letter.identity in dict(store.owed(10))


def test_how_far_a_letter_has_come_is_kept_by_destination(shelf: Shelf) -> None:
    store = shelf.open()
    store.commit(proposing(seeded(), ALERT), at=1.0)
    (letter,) = store.letters(10)
    store.note_deliveries(letter.identity, {"a": Delivery(), "b": Delivery()})
    store.note_deliveries(letter.identity, {"b": TRIED})
    store.note_deliveries(letter.identity, {"a": ARRIVED})
    (again,) = shelf.open().letters(10)
    assert again.deliveries == {"a": ARRIVED, "b": TRIED}
    assert [command for _, command in store.owed(10)] == [ALERT], "who asks for the command alone sees that alone"


def test_a_letter_that_is_done_is_gone_and_stays_so(store: Store) -> None:
    store.commit(proposing(seeded(), ALERT), at=1.0)
    (letter,) = store.letters(10)
    store.done(letter.identity)
    store.note_deliveries(letter.identity, {"a": TRIED})
    assert list(store.letters(10)) == []
    assert list(store.owed(10)) == []


def test_letters_come_oldest_first_and_what_is_no_alert_is_none(store: Store) -> None:
    store.commit(proposing(seeded(), PUBLISH, *(Command(kind="alert", subject=TASK, text=str(number)) for number in range(3))), at=1.0)
    assert [letter.command.text for letter in store.letters(10)] == ["0", "1", "2"]
    assert [letter.command.text for letter in store.letters(2)] == ["0"]
