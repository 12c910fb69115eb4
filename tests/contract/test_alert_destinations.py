"""What every destination of alerts keeps to, in memory and on the wire."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from changeover.adapters.alerts import MemoryDestination, destination_for
from changeover.adapters.alerts.cloud_event import MEDIA_TYPE
from changeover.adapters.alerts.webhook import WebhookDestination
from changeover.ports.alerts import AlertFailedError, Destination, Message
from changeover.settings.declared_alert import DeclaredAlert
from changeover.versions import SecretReference
from tests.alert_receiver import Receiver, is_authentic, receiving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = 1_700_000_000.0
MESSAGE = Message(
    id="msg_0123",
    topic="rolled_back",
    at=NOW - 5,
    task="email",
    what="rolled back: email",
    why="errors tripped",
    text="rollout email-1 rolled back: errors tripped",
    actor="controller",
    revision=7,
    link="http://127.0.0.1:8401/api/v1/tasks/email",
    rollback="changeover rollback email",
)


class End(Protocol):
    """A destination, and what has arrived at its other end."""

    destination: Destination

    def fail_next(self) -> None: ...

    def texts(self) -> list[str]: ...


class MemoryEnd:
    def __init__(self) -> None:
        self._memory = MemoryDestination()
        self.destination: Destination = self._memory

    def fail_next(self) -> None:
        self._memory.failures.append(AlertFailedError("it answered 500"))

    def texts(self) -> list[str]:
        return [message.text for message in self._memory.sent]


class WireEnd:
    def __init__(self, kind: str, receiver: Receiver) -> None:
        self.receiver = receiver
        address = receiver.url if kind == "webhook" else receiver.url.replace("http://", "json://")
        found = {"HOOK": address, "SECRET": SECRET}
        declared = DeclaredAlert(
            kind="webhook" if kind == "webhook" else "apprise",
            target=SecretReference(source="env", name="HOOK"),
            secret=SecretReference(source="env", name="SECRET") if kind == "webhook" else None,
        )
        self.destination: Destination = destination_for(declared, resolve=lambda reference: found.get(reference.name))

    def fail_next(self) -> None:
        self.receiver.answers.append(500)

    def texts(self) -> list[str]:
        events = [each.event for each in self.receiver.taken]
        return [event["data"]["text"] if "data" in event else event["message"] for event in events]


@asynccontextmanager
async def an_end(kind: str) -> AsyncGenerator[End]:
    if kind == "memory":
        yield MemoryEnd()
        return
    async with receiving() as receiver:
        yield WireEnd(kind, receiver)


@pytest.mark.parametrize("kind", ["memory", "webhook", "apprise"])
def test_a_message_arrives_once_with_all_its_words(kind: str) -> None:
    async def check() -> None:
        async with an_end(kind) as end:
            await end.destination.send(MESSAGE, now=NOW)
            (text,) = end.texts()
            assert MESSAGE.text in text

    asyncio.run(check())


@pytest.mark.parametrize("kind", ["memory", "webhook", "apprise"])
def test_a_failure_says_so_and_the_next_try_may_succeed(kind: str) -> None:
    async def check() -> None:
        async with an_end(kind) as end:
            end.fail_next()
            with pytest.raises(AlertFailedError):
                await end.destination.send(MESSAGE, now=NOW)
            assert end.texts() == []
            await end.destination.send(MESSAGE, now=NOW)
            assert len(end.texts()) == 1

    asyncio.run(check())


def test_a_webhook_gets_a_signed_cloud_event_that_says_how_to_roll_back() -> None:
    async def check() -> None:
        async with an_end("webhook") as end:
            assert isinstance(end, WireEnd)
            await end.destination.send(MESSAGE, now=NOW + 0.9)
            (request,) = end.receiver.requests
            assert is_authentic(request, SECRET)
            assert not is_authentic(request, "whsec_" + "B" * 32)
            assert request.headers["content-type"] == MEDIA_TYPE
            assert request.headers["webhook-timestamp"] == str(int(NOW))
            assert request.headers["webhook-id"] == request.event["id"] == MESSAGE.id
            assert request.event == {
                "specversion": "1.0",
                "id": "msg_0123",
                "source": "http://127.0.0.1:8401",
                "type": "dev.changeover.rollout.rolled_back",
                "time": "2023-11-14T22:13:15.000Z",
                "subject": "email",
                "datacontenttype": "application/json",
                "data": {
                    "task": "email",
                    "topic": "rolled_back",
                    "revision": 7,
                    "actor": "controller",
                    "what": MESSAGE.what,
                    "why": MESSAGE.why,
                    "text": MESSAGE.text,
                    "link": MESSAGE.link,
                    "rollback": "changeover rollback email",
                },
            }

    asyncio.run(check())


def test_the_lines_that_the_documentation_gives_to_receivers_tell_our_messages_from_forgeries() -> None:
    page = (Path(__file__).parents[2] / "docs" / "howto" / "alerts.md").read_text()
    given: dict[str, Any] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], given)

    async def check() -> None:
        async with an_end("webhook") as end:
            assert isinstance(end, WireEnd)
            await end.destination.send(MESSAGE, now=NOW)
            (request,) = end.receiver.requests
            assert given["is_ours"](request.headers, request.body, SECRET)
            assert not given["is_ours"](request.headers, request.body + b" ", SECRET)

    asyncio.run(check())


def test_through_apprise_the_command_and_the_link_stand_under_the_text() -> None:
    async def check() -> None:
        async with an_end("apprise") as end:
            await end.destination.send(MESSAGE, now=NOW)
            assert end.texts() == [f"{MESSAGE.text}\nTo roll back: changeover rollback email\n{MESSAGE.link}"]

    asyncio.run(check())


@pytest.mark.parametrize(("status", "final"), [(302, False), (410, True), (429, False), (500, False)])
def test_what_a_webhook_answers_decides_whether_it_is_tried_again(status: int, *, final: bool) -> None:
    async def check() -> None:
        async with an_end("webhook") as end:
            assert isinstance(end, WireEnd)
            end.receiver.answers.append(status)
            end.receiver.extra = f"location: {end.receiver.url}/elsewhere\r\nretry-after: 120\r\n"
            with pytest.raises(AlertFailedError) as failed:
                await end.destination.send(MESSAGE, now=NOW)
            assert (failed.value.final, str(status) in failed.value.problem) == (final, True)
            assert failed.value.retry_after_s == (None if status == 302 else 120.0)
            assert len(end.receiver.requests) == 1, "no redirect is followed"

    asyncio.run(check())


ADDRESS = "http://user-sEcReT@127.0.0.1:1/sEcReT?token=sEcReT"


@pytest.mark.parametrize(
    ("kind", "address", "secret"),
    [
        ("webhook", ADDRESS, SECRET),
        ("webhook", "ftp://host/sEcReT", SECRET),
        ("webhook", "sEcReT", SECRET),
        ("webhook", "http://[sEcReT", SECRET),
        ("webhook", "http://127.0.0.1:99999/sEcReT", SECRET),
        ("webhook", "", SECRET),
        ("webhook", "http://127.0.0.1:1/", "whsec_sEcReT"),
        ("webhook", "http://127.0.0.1:1/", ""),
        ("apprise", "nonsense://sEcReT", ""),
        ("apprise", "json://user:sEcReT@127.0.0.1:1/sEcReT", ""),
        ("apprise", "", ""),
    ],
)
def test_a_failure_never_shows_an_address_or_a_secret(
    kind: str, address: str, secret: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    found = {"HOOK": address, "SECRET": secret}
    declared = DeclaredAlert(
        kind="webhook" if kind == "webhook" else "apprise",
        target=SecretReference(source="env", name="HOOK"),
        secret=SecretReference(source="env", name="SECRET") if kind == "webhook" else None,
    )
    destination = destination_for(declared, resolve=lambda reference: found.get(reference.name))
    with pytest.raises(AlertFailedError) as failed:
        asyncio.run(destination.send(MESSAGE, now=NOW))
    told = f"{failed.value!r} {failed.value.__cause__!r} {failed.value.problem} {destination.name} {caplog.text} {capfd.readouterr()}"
    assert "sEcReT" not in told


def test_a_certificate_that_nobody_vouches_for_is_not_trusted() -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(served)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    declared = DeclaredAlert(kind="webhook", target=SecretReference(source="env", name="HOOK"))

    async def check() -> None:
        receiver = Receiver()
        server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=served)
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with server:
            with pytest.raises(AlertFailedError):
                await WebhookDestination(declared, resolve=lambda _: url).send(MESSAGE, now=NOW)
            assert receiver.requests == []
            await WebhookDestination(declared, resolve=lambda _: url, tls=trusting).send(MESSAGE, now=NOW)
            assert len(receiver.taken) == 1

    asyncio.run(check())
