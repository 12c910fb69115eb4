"""``changeover key``, against a real server over its socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.traffic.keys import is_secret
from tests.unit.console.live import Live, live_server

WIDE = {"COLUMNS": "220"}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_server(tmp_path) as live:
        yield live


def test_the_secret_alone_goes_to_standard_output(live: Live) -> None:
    made = live.call("key", "create", "mail-service", "--task", "email", "--expires", "90d", "--reason", "first")
    assert made.exit_code == 0, made.output
    assert is_secret(made.stdout.strip())
    assert made.stdout.strip() not in made.stderr
    (key,) = live.bench.world.keys.values()
    assert f"key {key.id} (mail-service) for email, until 2024-02-12 22:13:20 UTC" in made.stderr
    assert live.bench.store.changes()[-1].reason == "first"


def test_keys_are_listed_rotated_and_revoked(live: Live) -> None:
    assert "Make one: changeover key create NAME" in live.call("key", "ls", env=WIDE).stdout
    made = json.loads(live.call("key", "create", "app", "-o", "json").stdout)
    identity = made["key"]["id"]
    rotated = live.call("key", "rotate", identity, "--overlap", "7d")
    assert is_secret(rotated.stdout.strip())
    assert rotated.stdout.strip() != made["secret"]
    assert f"in place of {identity}" in rotated.stderr
    listed = live.call("key", "ls", env=WIDE).stdout
    assert listed.count("app") == 2
    assert "2023-11-21 22:13:20" in listed
    revoked = live.call("key", "revoke", identity, "--reason", "left in a log")
    assert "revoked" in revoked.stdout
    assert revoked.stderr.startswith("done: revision 4")
    assert made["secret"] not in live.call("key", "ls", "-o", "json").stdout + live.call("events").stdout


def test_callers_are_asked_for_keys_on_demand(live: Live) -> None:
    assert "callers must have a key" in live.call("key", "require", "on").stdout
    assert "callers need no key" in live.call("key", "require", "off").stdout


@pytest.mark.parametrize("words", [("--expires", "soon"), ("--expires", "90"), ("--not-before", "-1d")])
def test_a_duration_without_a_unit_is_a_usage_error(live: Live, words: tuple[str, ...]) -> None:
    result = live.call("key", "create", "app", *words)
    assert result.exit_code == 2
    assert "expected a duration with its unit" in result.stderr
    assert live.bench.world.keys == {}


def test_a_key_that_is_not_there_is_said_so(live: Live) -> None:
    result = live.call("key", "revoke", "k-0")
    assert result.exit_code == 1
    assert "changeover key ls" in result.stderr


def test_events_and_status_tell_of_keys_and_drift(live: Live) -> None:
    from changeover.rollout.drift import answer_drift, drifts_in
    from tests.unit.api.bench import T0
    from tests.unit.rollout.test_drift import answer

    row = answer(served="old", model="gpt-4o-2024-11-20", assigned="old")
    (drift,) = drifts_in(live.bench.world, [row])
    live.bench.store.commit(lambda world: answer_drift(world, drift, now=T0), at=T0)
    live.call("key", "create", "app")
    live.call("key", "require", "on")
    status = live.call("status", env=WIDE).stdout
    assert "drift since 2023-11-14 22:13:21 UTC: old answered as gpt-4o-2024-11-20, pinned is gpt-4o-2024-05-13" in status
    events = live.call("events", env=WIDE).stdout
    assert "drift: old answered as" in events
    assert "(app) made" in events
    assert "callers must have a key" in events
