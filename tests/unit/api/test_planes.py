"""The data planes' three calls."""

import asyncio
from collections.abc import Iterator

import msgspec
import pytest

from changeover.api.closing import closing_of
from changeover.ports.planes import Acknowledgement, ObservationBatch
from changeover.traffic.table import RoutingTable
from tests.unit.api.bench import T0, Bench, requests


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


def test_a_newer_table_comes_at_once(bench: Bench) -> None:
    table = msgspec.json.decode(bench.get("/dp/table?after=0&wait=30").content, type=RoutingTable)
    assert (table.revision, sorted(table.routes)) == (1, ["chat", "email"])


def test_no_newer_table_is_an_empty_answer(bench: Bench) -> None:
    reply = bench.get("/dp/table?after=1")
    assert (reply.status_code, reply.content) == (204, b"")


def test_a_long_poll_ends_with_the_table_that_a_commit_makes(bench: Bench) -> None:
    async def poll_and_split() -> int:
        poll = asyncio.create_task(bench._client.get("/dp/table?after=1&wait=30"))
        await asyncio.sleep(0)
        await bench._client.post("/api/v1/tasks/email/split", json={"weights": {"old": 90, "new": 10}})
        return msgspec.json.decode((await poll).content, type=RoutingTable).routes["email"].candidate_permille

    assert bench.run(poll_and_split()) == 100


def test_a_stopping_server_ends_every_long_poll(bench: Bench) -> None:
    async def poll_and_close() -> int:
        poll = asyncio.create_task(bench._client.get("/dp/table?after=1&wait=30"))
        await asyncio.sleep(0)
        closing_of(bench.app).set()
        return (await asyncio.wait_for(poll, 5)).status_code

    assert bench.run(poll_and_close()) == 204


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=1&wait=-1", "after=1&wait=nan", "after=1&wait=soon", "after=²"])
def test_a_query_that_makes_no_sense_is_refused(bench: Bench, query: str) -> None:
    assert bench.get(f"/dp/table?{query}").status_code == 400


def test_a_batch_is_taken_once(bench: Bench) -> None:
    sent = tuple(requests(3, attempt=1, permille=100, at=T0, worse=False))
    batch = ObservationBatch(plane="p0", boot="b1", sequence=1, watermark_at=T0, observations=sent)
    assert bench.post("/dp/observations", batch).json() == {"taken": True}
    assert bench.post("/dp/observations", batch).json() == {"taken": False}
    assert len(bench.store.rows(task="email", attempt=1, since=T0, until=T0 + 1, score=None)) == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"plane": "p0"}',
        b'{"plane": "p0", "boot": "b1", "sequence": 0, "watermark_at": 1}',
        b'{"plane": "", "boot": "b1", "sequence": 1, "watermark_at": 1}',
        b'{"plane": "p0", "boot": "b1", "sequence": 1, "watermark_at": 1, "observations": [{"request_id": 1}]}',
        b'{"plane": "\xff", "boot": "b1", "sequence": 1, "watermark_at": 1}',
        b'{"x": ' + b"[" * 100_000,
    ],
)
def test_a_malformed_batch_is_refused_and_nothing_is_stored(bench: Bench, body: bytes) -> None:
    reply = bench.post_bytes("/dp/observations", body, "application/json")
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "bad_request"
    assert bench.store.planes() == []


def test_an_acknowledgement_of_nobody_is_refused(bench: Bench) -> None:
    assert bench.post("/dp/ack", {"plane": "", "boot": "b", "revision": 1}).status_code == 400


def test_an_app_without_data_planes_has_none_of_their_calls() -> None:
    with Bench(planes=False) as bench:
        assert bench.get("/dp/table?after=0").status_code == 404
        assert bench.get("/api/v1/status").status_code == 200


def test_a_table_that_this_store_never_made_is_neither_waited_for_nor_acknowledged(bench: Bench) -> None:
    """After a restore from a backup: such a data plane would take no table of ours, and must not count as if it had."""
    newest = bench.world.table_revision
    polled = bench.get(f"/dp/table?after={newest + 7}")
    told = bench.post("/dp/ack", Acknowledgement(plane="p0", boot="b1", revision=newest + 7))
    for refused in (polled, told):
        assert refused.status_code == 409
        assert f"serves table {newest + 7}, the newest of this store is {newest}: the store was restored" in refused.text
        assert "remove table.json" in refused.text
    assert list(bench.store.planes()) == []
    assert bench.get(f"/dp/table?after={newest}").status_code == 204
