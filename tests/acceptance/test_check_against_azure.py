"""A grown resource is checked before and after it is pinned, against a stage that is asked over HTTP."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.rig import KEY
from tests.acceptance.test_adopting_azure import GrownRig

PIN_RULES = {"CO101", "CO102"}
ASKING = ("check", "--azure", "--identity", "managed", "--today", "2026-11-20", "-o", "json")


def test_check_names_what_azure_has_not_pinned_until_it_is_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(_checked(tmp_path, monkeypatch))


async def _checked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = GrownRig(folder)
    try:
        url = await rig.stage_up()
        for name, value in (("CHANGEOVER_ARM_ENDPOINT", url), ("IDENTITY_ENDPOINT", f"{url}/msi/token"), ("IDENTITY_HEADER", KEY)):
            monkeypatch.setenv(name, value)
        await rig.run("init", "--azure", "--identity", "managed")
        code, before = await _rules(folder)
        assert code == 1
        assert before["gpt-4o"] >= {"CO101", "CO103"}
        assert before["chat"] >= {"CO102", "CO103"}
        await rig.run("deployment", "apply", "--yes", "--identity", "managed")
        code, after = await _rules(folder)
        assert code == 0
        assert after["gpt-4o"] == before["gpt-4o"] - PIN_RULES
        assert after["chat"] == before["chat"] - PIN_RULES
    finally:
        await rig.close()


async def _rules(folder: Path) -> tuple[int | None, dict[str, set[str]]]:
    """The exit code, and the rules that found something of each deployment."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "changeover", *ASKING, cwd=folder, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    output, errors = await process.communicate()
    assert KEY not in (output + errors).decode()
    answer: dict[str, Any] = json.loads(output)
    found: dict[str, set[str]] = {}
    for each in answer["findings"]:
        section, name, *_ = each["path"].split(".")
        if section == "deployments":
            found.setdefault(name, set()).add(each["rule"])
    return process.returncode, found
