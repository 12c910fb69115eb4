"""``changeover evidence``: a file that anybody can check, and what a change to it is worth."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.console.live import Live, call, live_server


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_server(tmp_path_factory.mktemp("evidence")) as live:
        live.call("rollout", "start", "email", "--to", "new")
        live.acknowledge()
        live.serve(400, sequence=1)
        live.call("rollout", "show", "email")
        yield live


def test_export_to_a_file_and_verify_it_without_any_server(live: Live, tmp_path: Path) -> None:
    file = tmp_path / "evidence.json"
    exported = live.call("evidence", "export", "email-1", "-o", str(file))
    assert exported.exit_code == 0, exported.output
    assert f"changeover evidence verify {file}" in exported.stderr
    verified = call("evidence", "verify", str(file), "-c", str(tmp_path / "none.yaml"))
    assert verified.exit_code == 0, verified.output
    assert verified.stdout.startswith("✔ email-1: all verdicts of ")


def test_export_to_stdout_is_json_and_nothing_else(live: Live) -> None:
    result = live.call("evidence", "export", "email")
    assert json.loads(result.stdout)["rollout"]["id"] == "email-1"
    assert result.stderr == ""
    piped = call("evidence", "verify", "-", stdin=result.stdout)
    assert piped.exit_code == 0, piped.output


def test_a_rollout_is_verified_where_it_is(live: Live) -> None:
    result = live.call("evidence", "verify", "email", "-o", "json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["differences"] == []


def test_a_difference_is_named_and_exits_3(live: Live, tmp_path: Path) -> None:
    file = json.loads(live.call("evidence", "export", "email").stdout)
    file["rollout"]["plan"]["criteria"]["errors"]["margin_points"] = 50
    path = tmp_path / "forged.json"
    path.write_text(json.dumps(file))
    result = call("evidence", "verify", str(path))
    assert result.exit_code == 3
    assert "✖ " in result.stdout
    assert "started otherwise than the file says" in result.stdout
    assert result.stderr.startswith("error: ")
    as_json = call("evidence", "verify", str(path), "-o", "json")
    assert as_json.exit_code == 3
    assert json.loads(as_json.stdout)["differences"]


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"format":"something-else"}'])
def test_what_is_no_evidence_file_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    result = call("evidence", "verify", str(path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "is no evidence file of this version" in result.stderr


def test_a_place_that_cannot_be_written_is_an_error(live: Live, tmp_path: Path) -> None:
    result = live.call("evidence", "export", "email", "-o", str(tmp_path / "missing" / "file.json"))
    assert result.exit_code == 1
    assert "cannot write" in result.stderr


@pytest.mark.parametrize("form", ["markdown", "html", "yaml"])
def test_a_comparison_comes_in_every_form(live: Live, form: str) -> None:
    result = live.call("compare", "email", "-o", form)
    assert result.exit_code == 0, result.output
    assert "undecided" in result.stdout
    assert {"markdown": "| criterion |", "html": "<!doctype html>", "yaml": "assessment:"}[form] in result.stdout
