"""Alerts arrive signed, whatever happens to the server meanwhile; and a token does what its role may, and no more."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import pytest

from tests.acceptance.rig import CANDIDATE, STABLE, TASK, Rig, running_rig, until
from tests.alert_receiver import Received, Receiver, is_authentic, receiving

SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PATH_SECRET = "hook-sEcReT-0123456789"
ALERTS = "alerts: [{webhook: {env: ACCEPTANCE_HOOK}, secret: {env: ACCEPTANCE_SIGNING}, on: [rolled_back]}]\n"


def test_a_rollback_is_told_by_one_signed_webhook_though_the_server_is_killed_before_it_is_delivered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(_told(tmp_path, monkeypatch))


async def _told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as receiver:
        monkeypatch.setenv("ACCEPTANCE_HOOK", receiver.url.replace("/hook", f"/{PATH_SECRET}"))
        monkeypatch.setenv("ACCEPTANCE_SIGNING", SIGNING_SECRET)
        async with running_rig(folder) as rig:
            _declare(rig, ALERTS)
            await rig.run("rollout", "start", TASK, "--to", CANDIDATE)
            receiver.holds_back = True
            await rig.run("rollback", TASK, "--reason", "it looked wrong")
            await until(lambda: receiver.held == 1, what="the delivery that is under way")
            await rig.kill(group=True)
            receiver.holds_back = False
            receiver.answers.append(500)
            await rig.serve()
            await until(lambda: len(receiver.taken) == 1, what="the alert, after a kill and a failure")
            told = await rig.run("alerts", "ls", "-o", "json")
            await rig.stop()
    _check_told(receiver)
    kept = _files(folder) + told.encode()
    assert b"ACCEPTANCE_HOOK" in kept, "the search would have found it"
    for secret in (PATH_SECRET, SIGNING_SECRET, SIGNING_SECRET.removeprefix("whsec_")):
        assert secret.encode() not in kept


def _files(folder: Path) -> bytes:
    """Everything that is written down there: state, logs, settings."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def _check_told(receiver: Receiver) -> None:
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert all(is_authentic(request, SIGNING_SECRET) for request in receiver.requests)
    (event,) = [request.event for request in receiver.taken]
    assert (event["type"], event["subject"]) == ("dev.changeover.rollout.rolled_back", TASK)
    assert event["data"]["why"] == "it looked wrong"
    assert event["data"]["rollback"] == f"changeover rollback {TASK}"
    assert event["data"]["link"].startswith("http://127.0.0.1:")


def _declare(rig: Rig, section: str) -> None:
    file = rig.folder / "changeover.yaml"
    file.write_text(file.read_text() + section)


def test_a_viewer_cannot_roll_back_an_operator_can_and_the_log_names_the_token(tmp_path: Path) -> None:
    asyncio.run(_roles(tmp_path))


async def _roles(folder: Path) -> None:
    async with running_rig(folder) as rig:
        viewer = (await rig.control("POST", "/api/v1/tokens", {"name": "vera", "role": "viewer"}))["secret"]
        operator = (await rig.run("token", "create", "otto", "--role", "operator", "--expires", "1d")).strip()
        await rig.control("POST", f"/api/v1/tasks/{TASK}/split", {"weights": {STABLE: 90, CANDIDATE: 10}})
        code, errors = await _as(rig, viewer, "rollback", TASK)
        assert (code, "has the role viewer, this needs operator" in errors) == (4, True)
        assert (await _as(rig, operator, "token", "create", "eve", "--role", "owner"))[0] == 4
        assert (await _as(rig, operator, "rollback", TASK))[0] == 0
        last = (await rig.control("GET", "/api/v1/events"))["events"]
        assert "otto (operator)" in {event["actor"] for event in last}
        await rig.control("DELETE", "/api/v1/tokens/otto")
        code, errors = await _as(rig, operator, "status")
        assert (code, "is revoked" in errors) == (4, True)
        await rig.stop()
        kept = _files(folder)
        assert b"vera" in kept, "the search would have found it"
        for secret in (viewer, operator):
            assert secret.encode() not in kept


async def _as(rig: Rig, token: str, *arguments: str) -> tuple[int, str]:
    """A command of ours, by somebody on another machine who has ``token``; its exit code and what it says."""
    environment = {**os.environ, "CHANGEOVER_URL": rig.control_url, "CHANGEOVER_TOKEN": token}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "changeover", *arguments, cwd=rig.folder, env=environment, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode()


def test_a_read_only_server_looks_and_changes_nothing_but_its_own_machine_can_still_roll_back(tmp_path: Path) -> None:
    asyncio.run(_read_only(tmp_path))


async def _read_only(folder: Path) -> None:
    async with running_rig(folder, "--read-only") as rig:
        token = (folder / ".changeover" / "token").read_text().strip()
        assert (await _as(rig, token, "status"))[0] == 0
        await rig.control("POST", f"/api/v1/tasks/{TASK}/split", {"weights": {STABLE: 90, CANDIDATE: 10}})
        code, errors = await _as(rig, token, "rollback", TASK)
        assert (code, "read-only" in errors, "without --url" in errors) == (4, True, True)
        await rig.run("rollback", TASK)


def test_the_receiver_of_these_tests_knows_a_forgery() -> None:
    request = Received(
        path="/", headers={"webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}, body=b"{}", status=200
    )
    assert not is_authentic(request, SIGNING_SECRET)
