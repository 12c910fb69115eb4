"""Killed in the middle of writing: every change it had committed is there afterwards, and none by half."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from changeover.adapters.sql import open_store
from changeover.ports.store import Store
from tests.contract.store_samples import TASK, ids

PER_BATCH = 20

WRITER = f"""
import sys
from pathlib import Path
from changeover.adapters.sql import open_store
from changeover.evidence.score import Score
from tests.contract.store_samples import PUBLISH, batch, observation, proposing, seeded, split

store = open_store(Path(sys.argv[1]))
if not store.world().revision:
    store.commit(proposing(seeded(), PUBLISH), at=1.0)
while True:
    revision = store.world().revision
    numbers = range(revision * {PER_BATCH}, (revision + 1) * {PER_BATCH})
    store.take(batch(revision, *map(observation, numbers)), at=float(revision))
    store.add_scores([Score(request_id=f"req-{{number:04}}", name="n", value=1.0) for number in numbers])
    store.save_summary(rollout="r", stream="s", block=revision, body=b"x", units=[str(number) for number in numbers])
    store.commit(proposing(split(revision % 1000), PUBLISH), at=float(revision))
    print(revision + 1, flush=True)
"""


def write_and_be_killed(path: Path, *, after: int) -> int:
    """The last revision that the writer said was committed, read after it is dead."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])
    assert process.stdout is not None
    for _ in range(after):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    said = process.stdout.read().split()
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    return int(said[-1]) if said else -1


def observations_by_batch(store: Store) -> Counter[int]:
    return Counter(int(request.removeprefix("req-")) // PER_BATCH for request in ids(store))


def test_a_writer_killed_at_any_moment_loses_no_change_and_leaves_none_by_half(tmp_path: Path) -> None:
    path = tmp_path / "changeover.db"
    reached = 0
    for after in (5, 17, 40):
        said = write_and_be_killed(path, after=after)
        store = open_store(path)
        revision = store.world().revision
        assert revision >= max(said, reached + after)
        assert list(store.verify()) == []
        assert [change.revision for change in store.changes()] == list(range(1, revision + 1))
        assert len(store.owed(1000)) == revision
        assert set(observations_by_batch(store).values()) == {PER_BATCH}
        _assert_evidence_is_whole(store, revision)
        store.close()
        reached = revision
    assert reached > 60


def _assert_evidence_is_whole(store: Store, revision: int) -> None:
    """What a change rests on was written before it; what was begun after the last change is there wholly or not at all."""
    blocks = [block for block, _ in store.summaries(rollout="r", stream="s")]
    assert blocks in (list(range(1, revision)), list(range(1, revision + 1)))
    units = [str(number) for number in range((revision + 1) * PER_BATCH)]
    assert len(store.enrolled(rollout="r", stream="s", units=units)) == len(blocks) * PER_BATCH
    scored = [row.score for row in store.rows(task=TASK, attempt=1, since=0.0, until=1e9, score="n")]
    assert scored.count(1.0) in (len(scored), len(scored) - PER_BATCH)


def test_the_dead_do_not_hold_the_store(tmp_path: Path) -> None:
    path = tmp_path / "changeover.db"
    write_and_be_killed(path, after=1)
    assert path.with_name("changeover.db.lock").read_text() != str(os.getpid())
    store = open_store(path)
    assert path.with_name("changeover.db.lock").read_text() == str(os.getpid())
    store.close()
