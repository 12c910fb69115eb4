"""Whatever is done to a stored log is found and named."""

import msgspec
import pytest

from changeover.adapters.memory import MemoryStore
from changeover.rollout.audit_chain import Head, Link, chain_faults, link_hash
from changeover.rollout.audit_entry import AuditEntry, Moved, entries
from changeover.rollout.state import Phase
from tests.contract.store_samples import CANDIDATE, TASK, moved, proposing, seeded, split, started


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.commit(proposing(seeded()), at=1.0)
    for permille in (100, 200, 300):
        store.commit(proposing(split(permille)), at=2.0)
    return store


def rewritten(link: Link, **fields: object) -> Link:
    """The link with fields of its change replaced, its row and its hash as they were."""
    change = msgspec.json.decode(link.change) | fields
    return msgspec.structs.replace(link, change=msgspec.Raw(msgspec.json.encode(change)))


def faults(links: list[Link], head: Head, *anchors: Head) -> list[str]:
    return list(chain_faults(links, head=head, anchors=anchors))


def test_a_log_as_it_was_written_has_no_fault(store: MemoryStore) -> None:
    assert faults(list(store.links()), store.head(), Head(), Head(revision=2, hash=store.links()[1].hash)) == []


def test_a_rewritten_change_is_named_once(store: MemoryStore) -> None:
    links = list(store.links())
    links[1] = rewritten(links[1], reason="nothing happened")
    (fault,) = faults(links, store.head())
    assert fault.startswith("revision 2 was rewritten, or what comes before it: its hash is ")


def test_a_rewritten_change_with_a_hash_of_its_own_breaks_the_next(store: MemoryStore) -> None:
    links = list(store.links())
    forged = rewritten(links[1], reason="nothing happened")
    links[1] = msgspec.structs.replace(forged, hash=link_hash(links[0].hash, bytes(forged.change)))
    (fault,) = faults(links, store.head())
    assert fault.startswith("revision 3 was rewritten, or what comes before it")


def test_a_row_that_contradicts_its_change_is_named(store: MemoryStore) -> None:
    links = list(store.links())
    links[2] = msgspec.structs.replace(links[2], actor="nobody")
    assert faults(links, store.head()) == [
        "revision 3 was rewritten: its row says actor 'nobody' at 2.0, the change itself 'somebody' at 2.0, revision 3"
    ]


def test_a_change_that_is_gone_is_named(store: MemoryStore) -> None:
    links = list(store.links())
    missing, broken = faults([links[0], *links[2:]], store.head())
    assert missing == "revision 2 is missing"
    assert broken.startswith("revision 3 was rewritten, or what comes before it")
    assert faults(links[3:], store.head())[0] == "revisions 1 to 3 are missing"


def test_a_tail_that_is_gone_is_found_by_the_head(store: MemoryStore) -> None:
    links = list(store.links())
    (fault,) = faults(links[:3], store.head())
    assert fault == f"the log ends at revision 3 with hash {links[2].hash}, the state says 4 with hash {links[3].hash}"


def test_changes_in_another_order_are_found(store: MemoryStore) -> None:
    one, two, three, four = store.links()
    assert "revision 2 comes after revision 3: the log is out of order" in faults([one, three, two, four], store.head())


def test_a_log_that_was_written_anew_is_found_by_an_anchor_that_was_kept(store: MemoryStore) -> None:
    kept = Head(revision=2, hash=store.links()[1].hash)
    anew = MemoryStore()
    anew.commit(proposing(seeded()), at=1.0)
    for permille in (150, 200, 300):
        anew.commit(proposing(split(permille)), at=2.0)
    assert faults(list(anew.links()), anew.head()) == []
    (fault,) = faults(list(anew.links()), anew.head(), kept)
    assert f"the anchor says {kept.hash}: the log up to there was written anew" in fault
    assert faults([], Head(), kept) == ["revision 2, of which an anchor was kept, is not in the log"]


def test_a_change_that_is_no_json_is_named(store: MemoryStore) -> None:
    links = list(store.links())
    links[1] = msgspec.structs.replace(links[1], change=msgspec.Raw(b"{"))
    assert faults(links, store.head())[0].startswith("revision 2 cannot be read")


def test_spaces_key_order_and_how_a_number_is_written_play_no_part() -> None:
    assert link_hash("", b'{"a": 1.0, "b": [2, {"c": 0.5}]}') == link_hash("", b'{"b":[2.0,{"c":5e-1}],"a":1}')
    assert link_hash("", b'{"a":1}') != link_hash("", b'{"a":2}')


def test_the_hash_is_the_one_that_is_documented() -> None:
    """Anybody can compute it: sha256 of the hash before and the sorted, compact text."""
    import hashlib

    assert link_hash("00", b'{"b":1,"a":2}') == hashlib.sha256(b'00{"a":2,"b":1}').hexdigest()


def test_an_entry_says_what_moved(store: MemoryStore) -> None:
    store.commit(proposing(started()), at=5.0)
    body = msgspec.structs.replace(moved("r-1", Phase.ROLLED_BACK, permille=0), evidence_hash="abc")
    store.commit(proposing(body), at=6.0)
    found = list(entries(store.links()))
    assert [entry.what for entry in found] == ["seeded", "split_set", "split_set", "split_set", "rollout_started", "rollout_moved"]
    assert [entry.task for entry in found] == [None, *[TASK] * 5]
    assert found[2].moved == (Moved(path=f"tasks.{TASK}.split.permille", before=100, after=200),)
    last: AuditEntry = found[-1]
    assert (last.evidence_hash, last.hash) == ("abc", store.head().hash)
    places = {each.path: (each.before, each.after) for each in last.moved}
    assert places["rollouts.r-1.progress.permille"] == (100, 0)
    assert places[f"tasks.{TASK}.rollout"] == ("r-1", None)
    assert places[f"tasks.{TASK}.blocked"][1] == (("gpt4o-prod-v1120", CANDIDATE),)
