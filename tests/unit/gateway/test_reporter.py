"""Observations leave the request path at once, arrive in order and once, and what is lost is counted."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from changeover.adapters.memory_link import MemoryCrashLedger, MemorySpool
from changeover.gateway.reporter import BACKOFF_MAX_S, BATCH_MAX, FLUSH_S, HEARTBEAT_S, QUEUE_MAX, SPOOL_BATCHES_MAX
from changeover.ports.planes import BatchRefusedError, Dropped, LinkDownError, ObservationBatch
from changeover.traffic.table import Side
from tests.unit.gateway.planes import START, ReportingPlane, observation


class EnoughError(Exception):
    """Ends a loop that runs for ever."""


def run_until(plane: ReportingPlane, sleeps: int, between: Callable[[], None] = lambda: None) -> list[float]:
    """Run the reporter through so many sleeps, each of which moves the clock; returns how long they were."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == sleeps:
            raise EnoughError
        plane.clock.advance(seconds)
        between()

    with pytest.raises(EnoughError):
        asyncio.run(plane.reporter.run(sleep))
    return slept


def test_observations_arrive_in_order_in_batches_of_rising_sequence() -> None:
    plane = ReportingPlane()
    names = [f"r{number}" for number in range(BATCH_MAX * 2 + 1)]
    plane.serve(names)
    asyncio.run(plane.flush_all())
    assert plane.delivered == names
    assert [batch.sequence for batch in plane.batches] == [1, 2, 3]
    assert [len(batch.observations) for batch in plane.batches] == [BATCH_MAX, BATCH_MAX, 1]
    assert {(batch.plane, batch.boot) for batch in plane.batches} == {("p", "b1")}


def test_a_batch_that_failed_is_sent_again_unchanged_before_anything_newer() -> None:
    plane = ReportingPlane()
    tried: list[ObservationBatch] = []
    take = plane.link.deliver

    async def losing_the_answer(batch: ObservationBatch) -> None:
        tried.append(batch)
        await take(batch)
        if len(tried) == 1:
            raise LinkDownError("the answer was lost")

    plane.link.deliver = losing_the_answer
    plane.serve(["r1"])
    asyncio.run(plane.flush_all())
    plane.serve(["r2"])
    plane.clock.advance(5.0)
    asyncio.run(plane.flush_all())
    assert tried[0] == tried[1]
    assert [batch.sequence for batch in tried] == [1, 1, 2]
    assert plane.delivered == ["r1", "r2"]


def test_one_batch_is_on_its_way_at_a_time() -> None:
    plane = ReportingPlane()
    under_way = most = 0
    take = plane.link.deliver

    async def slow(batch: ObservationBatch) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(3):
            await asyncio.sleep(0)
        await take(batch)
        under_way -= 1

    plane.link.deliver = slow
    plane.serve(f"r{number}" for number in range(BATCH_MAX * 3))
    run_until(plane, 3, between=lambda: plane.serve([f"late{plane.clock.now()}"]))
    assert most == 1
    assert len(plane.delivered) == BATCH_MAX * 3 + 2


def test_a_full_queue_drops_the_newest_counts_them_by_side_and_says_so() -> None:
    plane = ReportingPlane()
    plane.reporter.queue_max = 2
    plane.serve(["r1", "r2"])
    plane.serve(["c1", "c2"], side=Side.CANDIDATE)
    plane.serve(["s1"])
    plane.serve(["u1"], side=None)
    asyncio.run(plane.flush_all())
    assert plane.delivered == ["r1", "r2"]
    assert plane.batches[-1].dropped == Dropped(stable=1, candidate=2, unassigned=1)
    assert sum(plane.ledger.open.values()) == 0


def test_the_queue_has_a_limit_by_default() -> None:
    plane = ReportingPlane()
    plane.serve(f"r{number}" for number in range(QUEUE_MAX + 3))
    assert plane.reporter.waiting == QUEUE_MAX
    assert plane.reporter.dropped == Dropped(stable=3)


def test_a_drop_is_told_even_when_no_observation_follows() -> None:
    plane = ReportingPlane()
    asyncio.run(plane.flush_all())
    plane.reporter.queue_max = 0
    plane.serve(["r1"])
    asyncio.run(plane.flush_all())
    assert plane.batches[-1].dropped == Dropped(stable=1)


def test_an_idle_plane_sends_a_heartbeat_each_second() -> None:
    plane = ReportingPlane()
    slept = run_until(plane, 9)
    assert set(slept) == {FLUSH_S}
    assert [batch.watermark_at - START for batch in plane.batches] == [0.0, HEARTBEAT_S, 2 * HEARTBEAT_S]
    assert [batch.sequence for batch in plane.batches] == [1, 2, 3]


def test_a_clock_set_back_neither_silences_the_heartbeat_nor_lowers_the_watermark() -> None:
    plane = ReportingPlane()
    asyncio.run(plane.flush_all())
    plane.clock.set(START - 3600)
    asyncio.run(plane.flush_all())
    assert [batch.watermark_at for batch in plane.batches] == [START, START]


def test_the_watermark_stays_at_the_earliest_request_still_in_flight() -> None:
    plane = ReportingPlane()
    plane.reporter.begin("slow", START)
    plane.clock.advance(10.0)
    plane.serve(["quick"])
    asyncio.run(plane.flush_all())
    assert plane.batches[-1].watermark_at == START
    plane.clock.advance(10.0)
    plane.reporter.record(observation("slow"))
    asyncio.run(plane.flush_all())
    assert plane.batches[-1].watermark_at == START + 20.0


def test_the_watermark_never_passes_a_request_that_still_waits_to_be_sent() -> None:
    plane = ReportingPlane()
    plane.serve(f"r{number}" for number in range(BATCH_MAX + 1))
    plane.clock.advance(10.0)
    asyncio.run(plane.flush_all())
    told: set[str] = set()
    for batch in plane.batches:
        told |= {seen.request_id for seen in batch.observations}
        assert batch.watermark_at <= START or len(told) == BATCH_MAX + 1
    assert plane.batches[-1].watermark_at == START + 10.0


def test_a_link_that_is_down_is_tried_again_with_growing_pauses_and_nothing_is_lost() -> None:
    plane = ReportingPlane()
    asyncio.run(plane.link.cut())
    plane.serve(["r1"])
    slept = run_until(plane, 7)
    assert slept == [FLUSH_S, 0.5, 1.0, BACKOFF_MAX_S, BACKOFF_MAX_S, BACKOFF_MAX_S, BACKOFF_MAX_S]
    asyncio.run(plane.link.restore())
    assert run_until(plane, 2) == [FLUSH_S, FLUSH_S]
    assert plane.delivered == ["r1"]


def test_a_batch_the_control_plane_will_never_take_is_counted_and_blocks_nothing() -> None:
    plane = ReportingPlane()
    take = plane.link.deliver

    async def picky(batch: ObservationBatch) -> None:
        if any(seen.request_id == "bad" for seen in batch.observations):
            raise BatchRefusedError("status 422")
        await take(batch)

    plane.link.deliver = picky
    plane.serve(["bad"], side=Side.CANDIDATE)
    asyncio.run(plane.flush_all())
    plane.serve(["good"])
    asyncio.run(plane.flush_all())
    assert plane.delivered == ["good"]
    assert (plane.batches[-1].sequence, plane.batches[-1].dropped) == (1, Dropped(candidate=1))
    assert sum(plane.ledger.open.values()) == 0


def test_closing_delivers_what_waits() -> None:
    plane = ReportingPlane()
    plane.serve(f"r{number}" for number in range(BATCH_MAX + 1))
    asyncio.run(plane.reporter.close())
    assert len(plane.delivered) == BATCH_MAX + 1
    assert plane.spool.batches == ()


def test_what_cannot_be_delivered_at_the_end_is_sent_first_by_the_next_boot_under_its_old_name() -> None:
    plane = ReportingPlane()
    plane.serve(["r0"])
    asyncio.run(plane.flush_all())
    asyncio.run(plane.link.cut())
    plane.serve(["r1"])
    asyncio.run(plane.flush_all())
    names = [f"r{number}" for number in range(2, BATCH_MAX + 5)]
    plane.serve(names)
    asyncio.run(plane.reporter.close())

    successor = plane.restart()
    successor.serve(["new"])
    asyncio.run(successor.flush_all())
    assert [(batch.boot, batch.sequence) for batch in successor.batches] == [("b1", 2), ("b1", 3), ("b1", 4), ("b2", 1)]
    assert successor.delivered == ["r1", *names, "new"]
    assert successor.batches[-1].lost == 0
    assert successor.spool.batches == ()


def test_a_hanging_control_plane_holds_closing_up_to_the_deadline_only() -> None:
    plane = ReportingPlane()

    async def hang(batch: ObservationBatch) -> None:
        await asyncio.Event().wait()

    plane.link.deliver = hang
    plane.serve(["r1"])
    asyncio.run(plane.reporter.close(deadline_s=0.0))
    assert [seen.request_id for batch in plane.spool.batches for seen in batch.observations] == ["r1"]


def test_drops_that_could_not_be_told_are_spooled_too() -> None:
    plane = ReportingPlane()
    asyncio.run(plane.flush_all())
    asyncio.run(plane.link.cut())
    plane.reporter.queue_max = 0
    plane.serve(["r1"])
    asyncio.run(plane.reporter.close())
    successor = plane.restart()
    asyncio.run(successor.flush_all())
    assert successor.batches[0].dropped == Dropped(stable=1)
    assert successor.batches[-1].lost == 0


def test_a_spool_that_cannot_be_written_leaves_the_loss_counted() -> None:
    plane = ReportingPlane()
    plane.spool.full = True
    asyncio.run(plane.link.cut())
    plane.serve(["r1", "r2"])
    asyncio.run(plane.reporter.close())
    successor = plane.restart()
    asyncio.run(successor.flush_all())
    assert successor.batches[0].lost == 2


def test_a_spool_that_is_full_keeps_the_oldest_and_the_rest_is_counted() -> None:
    spool = MemorySpool()
    spool.save([ObservationBatch(plane="p", boot="b0", sequence=number, watermark_at=1.0) for number in range(1, SPOOL_BATCHES_MAX)])
    plane = ReportingPlane(spool=spool)
    asyncio.run(plane.link.cut())
    plane.serve(f"r{number}" for number in range(BATCH_MAX + 7))
    asyncio.run(plane.reporter.close())
    assert len(spool.batches) == SPOOL_BATCHES_MAX
    assert len(spool.batches[-1].observations) == BATCH_MAX
    assert plane.restart().ledger.lost == 7


def test_after_a_crash_the_next_boot_counts_what_was_begun_and_never_reported() -> None:
    plane = ReportingPlane()
    plane.serve(["told"])
    asyncio.run(plane.flush_all())
    plane.serve(["unsent"], side=Side.CANDIDATE)
    plane.reporter.begin("in flight", START)
    plane.reporter.assigned("in flight", Side.CANDIDATE)
    plane.reporter.begin("unassigned", START)
    assert plane.ledger.open == {Side.STABLE: 0, Side.CANDIDATE: 2, None: 1}

    successor = plane.restart()
    asyncio.run(successor.flush_all())
    assert successor.batches[0].lost == 3
    assert successor.ledger.lost == 0


def test_a_loss_is_remembered_until_the_control_plane_knows_of_it() -> None:
    plane = ReportingPlane(ledger=MemoryCrashLedger(lost=4))
    asyncio.run(plane.link.cut())
    asyncio.run(plane.flush_all())
    assert plane.restart().ledger.lost == 4


def test_the_ledger_learns_a_side_from_the_observation_when_nobody_told_it_before() -> None:
    plane = ReportingPlane()
    plane.reporter.begin("r1", START)
    plane.reporter.record(observation("r1", side=Side.CANDIDATE))
    plane.reporter.record(observation("never begun", side=Side.STABLE))
    assert plane.ledger.open == {Side.STABLE: 1, Side.CANDIDATE: 1, None: 0}
    asyncio.run(plane.flush_all())
    assert plane.ledger.open == {Side.STABLE: 0, Side.CANDIDATE: 0, None: 0}


def test_a_refused_batch_of_an_earlier_boot_is_counted_and_forgotten() -> None:
    plane = ReportingPlane()
    asyncio.run(plane.link.cut())
    plane.serve(["old"])
    asyncio.run(plane.reporter.close())
    successor = plane.restart()
    take = successor.link.deliver

    async def picky(batch: ObservationBatch) -> None:
        if batch.boot == "b1":
            raise BatchRefusedError("status 400")
        await take(batch)

    successor.link.deliver = picky
    asyncio.run(successor.flush_all())
    asyncio.run(successor.flush_all())
    assert (successor.spool.batches, successor.batches[-1].dropped) == ((), Dropped(stable=1))
    assert sum(successor.ledger.open.values()) == 0


def test_a_batch_survives_its_journey_as_json() -> None:
    plane = ReportingPlane()
    plane.serve(["r1"], side=Side.CANDIDATE)
    asyncio.run(plane.flush_all())
    assert msgspec.json.decode(msgspec.json.encode(plane.batches[0]), type=ObservationBatch) == plane.batches[0]
