"""Every link between a data plane and the control plane keeps the same promises."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from changeover.adapters.memory_link import MemoryPlaneLink
from changeover.adapters.plane_link import HttpPlaneLink, plane_link_at
from changeover.exchange.issuer import hash_response
from changeover.ports.planes import (
    Acknowledgement,
    BatchRefusedError,
    Dropped,
    Issuer,
    LinkDownError,
    ObservationBatch,
    PlaneLink,
    ShapeReport,
    TaskShape,
)
from changeover.traffic.table import RoutingTable, Side
from changeover.wire.sent_shape import SentShape, SentValue, ValueKind
from changeover.wire.surface import Surface
from tests.contract.control_end import ControlEnd, listening
from tests.unit.gateway.planes import observation, table

# A link, and the control plane's end of it.
Linked = tuple[PlaneLink, MemoryPlaneLink]
Story = Callable[[PlaneLink, MemoryPlaneLink], Awaitable[None]]
ACKNOWLEDGEMENT = Acknowledgement(plane="p", boot="b", revision=5)


def batch(sequence: int, *names: str, boot: str = "b") -> ObservationBatch:
    seen = tuple(observation(name, side=Side.CANDIDATE) for name in names)
    return ObservationBatch(
        plane="p", boot=boot, sequence=sequence, watermark_at=12.5, dropped=Dropped(stable=2), lost=1, observations=seen
    )


@contextlib.asynccontextmanager
async def in_memory() -> AsyncGenerator[Linked]:
    link = MemoryPlaneLink()
    yield link, link


@contextlib.asynccontextmanager
async def over_a_socket() -> AsyncGenerator[Linked]:
    async with socket_link() as (link, end):
        yield link, end.memory


@contextlib.asynccontextmanager
async def socket_link() -> AsyncGenerator[tuple[HttpPlaneLink, ControlEnd]]:
    end = ControlEnd()
    # A path in the system's own temporary directory: the name of a Unix socket has about a hundred characters.
    with tempfile.TemporaryDirectory() as directory:
        socket = Path(directory) / "s"
        async with listening(end, socket), plane_link_at(socket=socket, token="open sesame") as link:
            yield link, end


@pytest.fixture(params=[in_memory, over_a_socket], ids=["memory", "http"])
def tell(request: pytest.FixtureRequest) -> Callable[[Story], None]:
    def run(story: Story) -> None:
        async def whole() -> None:
            async with request.param() as (link, control):
                await story(link, control)

        asyncio.run(whole())

    return run


def test_a_newer_table_comes_at_once_and_whole(tell: Callable[[Story], None]) -> None:
    async def story(link: PlaneLink, control: MemoryPlaneLink) -> None:
        await control.publish(table(5))
        assert await link.table_after(0, wait_s=60.0) == table(5)
        assert await link.table_after(4, wait_s=60.0) == table(5)

    tell(story)


def test_no_newer_table_is_none_when_the_wait_is_over(tell: Callable[[Story], None]) -> None:
    async def story(link: PlaneLink, control: MemoryPlaneLink) -> None:
        assert await link.table_after(0, wait_s=0.0) is None
        await control.publish(table(5))
        assert await link.table_after(5, wait_s=0.0) is None
        assert await link.table_after(6, wait_s=0.01) is None

    tell(story)


def test_a_waiting_call_gets_the_table_that_comes(tell: Callable[[Story], None]) -> None:
    async def story(link: PlaneLink, control: MemoryPlaneLink) -> None:
        polling = asyncio.Event()
        poll = control.table_after

        async def noticed(revision: int, *, wait_s: float) -> RoutingTable | None:
            polling.set()
            return await poll(revision, wait_s=wait_s)

        control.table_after = noticed
        waiting = asyncio.create_task(link.table_after(5, wait_s=60.0))
        await polling.wait()
        await control.publish(table(6))
        assert await waiting == table(6)

    tell(story)


def test_acknowledgements_arrive_as_they_were_given(tell: Callable[[Story], None]) -> None:
    async def story(link: PlaneLink, control: MemoryPlaneLink) -> None:
        await link.acknowledge(ACKNOWLEDGEMENT)
        assert control.acknowledgements == [ACKNOWLEDGEMENT]

    tell(story)


def test_batches_arrive_whole_and_a_repeated_one_once(tell: Callable[[Story], None]) -> None:
    async def story(link: PlaneLink, control: MemoryPlaneLink) -> None:
        sent = [batch(1, "r1", "r2"), batch(2), batch(1, "r1", boot="other")]
        for each in (sent[0], sent[0], *sent[1:]):
            await link.deliver(each)
        assert control.batches == sent

    tell(story)


def test_who_made_a_response_is_known_once_it_was_reported(tell: Callable[[Story], None]) -> None:
    made, unknown = hash_response("resp_1"), hash_response("resp_2")

    async def story(link: PlaneLink, control: MemoryPlaneLink) -> None:
        seen = msgspec.structs.replace(observation("r1", side=Side.CANDIDATE), task="mail", served="green", response=made)
        await link.deliver(msgspec.structs.replace(batch(1), observations=(seen,)))
        assert await link.issuer(made) == Issuer(task="mail", deployment="green")
        assert await link.issuer(unknown) is None
        await control.cut()
        with pytest.raises(LinkDownError):
            await link.issuer(made)

    tell(story)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"\xff"])
def test_an_answer_that_names_no_issuer_is_a_link_that_is_down(body: bytes) -> None:
    async def story(link: HttpPlaneLink, end: ControlEnd) -> None:
        end.status, end.body = 200, body
        with pytest.raises(LinkDownError, match="names no issuer"):
            await link.issuer(hash_response("resp_1"))

    http_story(story)


def test_every_call_says_when_the_control_plane_is_away_and_works_when_it_is_back(tell: Callable[[Story], None]) -> None:
    async def story(link: PlaneLink, control: MemoryPlaneLink) -> None:
        await control.cut()
        for call in (link.table_after(0, wait_s=0.0), link.acknowledge(ACKNOWLEDGEMENT), link.deliver(batch(1))):
            with pytest.raises(LinkDownError):
                await call
        await control.restore()
        await link.deliver(batch(1, "r1"))
        assert control.batches == [batch(1, "r1")]

    tell(story)


def http_story(story: Callable[[HttpPlaneLink, ControlEnd], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with socket_link() as (link, end):
            await story(link, end)

    asyncio.run(whole())


@pytest.mark.parametrize("status", [302, 401, 403, 404, 429, 500, 503])
def test_any_status_that_may_pass_is_a_link_that_is_down(status: int) -> None:
    async def story(link: HttpPlaneLink, end: ControlEnd) -> None:
        end.status = status
        for call in (link.table_after(0, wait_s=0.0), link.acknowledge(ACKNOWLEDGEMENT), link.deliver(batch(1))):
            with pytest.raises(LinkDownError, match=f"found status {status}"):
                await call

    http_story(story)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_batch_that_is_refused_for_good_says_so(status: int) -> None:
    async def story(link: HttpPlaneLink, end: ControlEnd) -> None:
        end.status = status
        with pytest.raises(BatchRefusedError, match=f"found status {status}"):
            await link.deliver(batch(1))

    http_story(story)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"\xff", b'{"revision":"x"}'])
def test_an_answer_that_is_no_table_is_a_link_that_is_down(body: bytes) -> None:
    async def story(link: HttpPlaneLink, end: ControlEnd) -> None:
        end.status, end.body = 200, body
        with pytest.raises(LinkDownError, match="no routing table"):
            await link.table_after(0, wait_s=0.0)

    http_story(story)


def test_the_token_goes_with_every_call_and_into_no_message() -> None:
    async def story(link: HttpPlaneLink, end: ControlEnd) -> None:
        await link.acknowledge(ACKNOWLEDGEMENT)
        await link.deliver(batch(1))
        assert await link.table_after(0, wait_s=0.0) is None
        assert end.authorizations == {"Bearer open sesame"}
        end.status = 500
        with pytest.raises(LinkDownError) as caught:
            await link.deliver(batch(2))
        assert "sesame" not in str(caught.value)

    http_story(story)


def test_a_socket_that_nobody_listens_on_is_a_link_that_is_down(tmp_path: Path) -> None:
    async def story() -> None:
        async with plane_link_at(socket=tmp_path / "nobody") as link:
            with pytest.raises(LinkDownError, match="GET /dp/table"):
                await link.table_after(0, wait_s=0.0)

    asyncio.run(story())


def test_a_control_plane_that_dies_and_comes_back_is_reached_again() -> None:
    async def story() -> None:
        end = ControlEnd()
        with tempfile.TemporaryDirectory() as directory:
            socket = Path(directory) / "s"
            async with plane_link_at(socket=socket) as link:
                async with listening(end, socket):
                    await link.deliver(batch(1))
                with pytest.raises(LinkDownError):
                    await link.deliver(batch(2))
                socket.unlink(missing_ok=True)
                async with listening(end, socket):
                    await link.deliver(batch(2))
        assert [each.sequence for each in end.memory.batches] == [1, 2]

    asyncio.run(story())


def test_a_link_to_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="neither a socket nor a URL"):
        plane_link_at()


def test_shapes_of_requests_arrive_as_they_were_told(tell: Callable[[Story], None]) -> None:
    seen = SentShape(surface=Surface.CHAT, api_version="2024-10-21", values={"n": (SentValue(kind=ValueKind.NUMBER, value=2),)})
    report = ShapeReport(plane="p", boot="b", shapes=(TaskShape(task="mail", shape=seen),))

    async def story(link: PlaneLink, control: MemoryPlaneLink) -> None:
        await link.tell_shapes(report)
        assert control.shape_reports == [report]

    tell(story)


def test_shapes_that_cannot_be_told_are_a_link_that_is_down() -> None:
    async def story(link: HttpPlaneLink, end: ControlEnd) -> None:
        end.status = 500
        with pytest.raises(LinkDownError, match="POST /dp/shapes"):
            await link.tell_shapes(ShapeReport(plane="p", boot="b", shapes=()))

    http_story(story)
