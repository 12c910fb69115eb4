"""Processes are started, heard and taken down with all they started."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from changeover.demo.children import ChildError, Children, child_environment

KEY_ENV = "CHANGEOVER_TEST_KEY"
STAGE = ("changeover.azure_sim", "--key-env", KEY_ENV)


def children(folder: Path) -> Children:
    return Children(folder, child_environment(os.environ, {KEY_ENV: "a-key"}))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_process_is_heard_when_ready_and_gone_when_stopped(tmp_path: Path) -> None:
    async def play() -> tuple[bytes, str | None, int, bool]:
        held = children(tmp_path)
        await held.start("stage", *STAGE)
        line = await held.first_line("stage")
        pid = held._running["stage"].pid
        ended, alive = held.ended(), is_alive(pid)
        await held.stop_all()
        return line, ended, pid, alive

    line, ended, pid, alive = asyncio.run(play())
    assert json.loads(line)["url"].startswith("http://127.0.0.1:")
    assert ended is None
    assert alive
    assert not is_alive(pid)


def test_a_process_that_does_not_start_is_refused_with_its_last_words(tmp_path: Path) -> None:
    async def play() -> None:
        held = children(tmp_path)
        try:
            await held.start("stage", "changeover.azure_sim", "--key-env", "NOT_SET_ANYWHERE")
            await held.first_line("stage")
        finally:
            await held.stop_all()

    with pytest.raises(ChildError, match="NOT_SET_ANYWHERE"):
        asyncio.run(play())


def test_a_process_that_ends_is_named(tmp_path: Path) -> None:
    async def play() -> str | None:
        held = children(tmp_path)
        await held.start("stage", "changeover.azure_sim", "--help")
        await held._running["stage"].wait()
        return held.ended()

    assert asyncio.run(play()) == "stage"


def test_a_command_is_run_to_its_end_with_what_it_said(tmp_path: Path) -> None:
    result = asyncio.run(children(tmp_path).run("changeover.azure_sim", "--port", "nonsense"))
    assert result.code == 2
    assert "nonsense" in result.errors
    assert result.output == ""


def test_children_see_no_colours_no_proxies_and_no_other_servers_state() -> None:
    seen = child_environment(
        {"PATH": "/bin", "HTTP_PROXY": "x", "https_proxy": "y", "CHANGEOVER_STATE": "z", "FORCE_COLOR": "1"}, {"A": "b"}
    )
    assert seen == {"PATH": "/bin", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "A": "b"}
