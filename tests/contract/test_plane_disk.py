"""What a data plane keeps survives its restarts; damage is set aside, and never stops it."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from changeover.adapters.memory import SeededDice
from changeover.adapters.memory_link import MemoryCrashLedger, MemorySpool, MemoryTableCache
from changeover.adapters.plane_disk import PlaneDiskError, open_plane_disk
from changeover.adapters.plane_disk.ledger import DiskCrashLedger
from changeover.adapters.plane_disk.spool import DiskSpool
from changeover.adapters.plane_disk.table_cache import DiskTableCache
from changeover.ports.plane_disk import CrashLedger, Spool
from changeover.ports.planes import ObservationBatch, TableCache
from changeover.traffic.table import Side
from tests.unit.gateway.planes import observation, table


def batch(sequence: int, *names: str) -> ObservationBatch:
    return ObservationBatch(
        plane="p", boot="b", sequence=sequence, watermark_at=1.0, observations=tuple(observation(name) for name in names)
    )


@pytest.fixture(params=["memory", "disk"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> TableCache:
    return MemoryTableCache() if request.param == "memory" else DiskTableCache(tmp_path / "table.json")


@pytest.fixture(params=["memory", "disk"])
def spool(request: pytest.FixtureRequest, tmp_path: Path) -> Spool:
    return MemorySpool() if request.param == "memory" else DiskSpool(tmp_path / "spool.jsonl")


# A first ledger, and what the next boot finds when the first one is not there any more.
Boots = tuple[CrashLedger, Callable[[], CrashLedger]]


@pytest.fixture(params=["memory", "disk"])
def boots(request: pytest.FixtureRequest, tmp_path: Path) -> Boots:
    if request.param == "memory":
        ledger = MemoryCrashLedger()
        return ledger, ledger.next_boot
    return DiskCrashLedger(tmp_path / "ledger.bin"), lambda: DiskCrashLedger(tmp_path / "ledger.bin")


def test_a_cache_gives_back_the_last_table_it_was_given(cache: TableCache) -> None:
    assert cache.load() is None
    cache.save(table(4))
    cache.save(table(5))
    assert cache.load() == table(5)


def test_a_spool_gives_back_its_batches_in_order_until_emptied(spool: Spool) -> None:
    assert list(spool.load()) == []
    assert spool.save([batch(1, "r1"), batch(2, "r2", "r3")])
    assert list(spool.load()) == [batch(1, "r1"), batch(2, "r2", "r3")]
    assert spool.save([batch(2)])
    assert list(spool.load()) == [batch(2)]
    assert spool.save([])
    assert spool.save([])
    assert list(spool.load()) == []


def test_a_ledger_tells_the_next_boot_what_was_begun_and_not_reported(boots: Boots) -> None:
    ledger, next_boot = boots
    assert ledger.lost == 0
    for _ in range(5):
        ledger.begin(None)
    for side in (Side.STABLE, Side.CANDIDATE, Side.CANDIDATE):
        ledger.assign(side)
    ledger.report(Side.CANDIDATE, 1)
    ledger.report(None, 1)
    assert next_boot().lost == 3


def test_a_ledger_in_balance_owes_nothing(boots: Boots) -> None:
    ledger, next_boot = boots
    ledger.begin(Side.STABLE)
    ledger.report(Side.STABLE, 1)
    assert next_boot().lost == 0


def test_a_loss_stays_until_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.bin"
    DiskCrashLedger(path).begin(Side.STABLE)
    second = DiskCrashLedger(path)
    second.begin(Side.CANDIDATE)
    third = DiskCrashLedger(path)
    assert (second.lost_by_side[Side.STABLE], third.lost_by_side[Side.CANDIDATE], third.lost) == (1, 1, 2)
    third.forget_lost()
    assert DiskCrashLedger(path).lost == 0


@pytest.mark.parametrize("damage", [b"", b"short", b"\xff" * 64, b"x" * 4096])
def test_a_damaged_ledger_begins_at_zero(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "ledger.bin").write_bytes(damage)
    ledger = DiskCrashLedger(tmp_path / "ledger.bin")
    assert ledger.lost == 0
    ledger.begin(None)
    assert DiskCrashLedger(tmp_path / "ledger.bin").lost == 1


@pytest.mark.parametrize("damage", [b"", b"{", b'{"revision": "five"}', b"\xff\xfe", b"null"])
def test_a_damaged_table_is_set_aside_and_replaced_by_the_next(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "table.json"
    path.write_bytes(damage)
    cache = DiskTableCache(path)
    assert cache.load() is None
    assert path.with_name("table.json.corrupt").read_bytes() == damage
    cache.save(table(5))
    assert cache.load() == table(5)


def test_of_a_damaged_spool_the_batches_before_the_damage_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "spool.jsonl"
    spool = DiskSpool(path)
    spool.save([batch(1, "r1"), batch(2, "r2"), batch(3, "r3")])
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b'"r3"')])
    assert list(spool.load()) == [batch(1, "r1"), batch(2, "r2")]
    assert list(spool.load()) == [batch(1, "r1"), batch(2, "r2")]
    assert path.with_name("spool.jsonl.corrupt").exists()


def test_a_disk_that_refuses_is_said_and_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    nowhere = tmp_path / "gone"
    DiskTableCache(nowhere / "table.json").save(table(5))
    assert not DiskSpool(nowhere / "spool.jsonl").save([batch(1)])
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


def test_what_cannot_be_read_is_as_good_as_absent(tmp_path: Path) -> None:
    (tmp_path / "table.json").mkdir()
    assert DiskTableCache(tmp_path / "table.json").load() is None


def test_a_half_written_file_never_replaces_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = DiskTableCache(tmp_path / "table.json")
    cache.save(table(5))

    def crash(_: int) -> None:
        raise OSError("power cut")

    monkeypatch.setattr("os.fsync", crash)
    cache.save(table(6))
    assert cache.load() == table(5)


def test_a_plane_keeps_its_name_and_its_files_to_itself(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "plane"
    dice = SeededDice(1)
    with open_plane_disk(directory, dice) as disk:
        name = disk.plane
        disk.table_cache.save(table(5))
        disk.spool.save([batch(1)])
        disk.ledger.begin(None)
    with open_plane_disk(directory, dice) as again:
        assert (again.plane, again.table_cache.load(), list(again.spool.load()), again.ledger.lost) == (name, table(5), [batch(1)], 1)
    assert {path.stat().st_mode & 0o077 for path in [directory, *directory.iterdir()]} == {0}
    with open_plane_disk(tmp_path / "other", dice) as other:
        assert other.plane != name


def test_a_damaged_name_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "plane.id").write_bytes(b"\xff\x00")
    with open_plane_disk(tmp_path, SeededDice(1)) as disk:
        name = disk.plane
    with open_plane_disk(tmp_path, SeededDice(2)) as disk:
        assert disk.plane == name


def test_two_data_planes_cannot_share_a_directory(tmp_path: Path) -> None:
    with open_plane_disk(tmp_path, SeededDice(1)), pytest.raises(PlaneDiskError, match="in use by another"):
        open_plane_disk(tmp_path, SeededDice(2))
    open_plane_disk(tmp_path, SeededDice(2)).close()


def test_a_directory_that_cannot_be_made_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PlaneDiskError, match="Give a directory"):
        open_plane_disk(tmp_path / "file" / "plane", SeededDice(1))


KILLED = """
import sys
from pathlib import Path
from changeover.adapters.memory import SeededDice
from changeover.adapters.plane_disk import open_plane_disk
from changeover.traffic.table import Side
disk = open_plane_disk(Path(sys.argv[1]), SeededDice(1))
for _ in range(10): disk.ledger.begin(Side.CANDIDATE)
disk.ledger.report(Side.CANDIDATE, 4)
print("counted", flush=True)
sys.stdin.read()
"""


def test_counts_survive_a_killed_process_and_its_lock_does_not(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"counted\n"
        victim.kill()
        assert victim.wait() == -signal.SIGKILL
    with open_plane_disk(tmp_path, SeededDice(2)) as disk:
        assert disk.ledger.lost == 6
