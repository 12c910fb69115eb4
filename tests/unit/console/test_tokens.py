"""``changeover token`` and ``changeover alerts``, as people type them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.rollout.token_ring import is_token
from tests.unit.console.live import Live, call, live_server


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_server(tmp_path_factory.mktemp("tokens")) as live:
        yield live


def over_tcp(live: Live, token: str, *arguments: str):
    return call(*arguments, env={"CHANGEOVER_URL": live.url, "CHANGEOVER_TOKEN": token})


def test_only_the_secret_goes_to_standard_output(live: Live) -> None:
    made = live.call("token", "create", "anna", "--role", "operator", "--expires", "90d", "--tasks", "email, chat")
    assert made.exit_code == 0
    assert is_token(made.stdout.strip())
    assert "anna is operator for email, chat, until" in made.stderr
    listed = live.call("token", "ls")
    assert "anna" in listed.stdout
    assert made.stdout.strip() not in listed.output


def test_a_viewers_rollback_ends_with_code_4_and_an_operators_is_done(live: Live) -> None:
    viewer = live.call("token", "create", "vera", "--role", "viewer").stdout.strip()
    operator = live.call("token", "create", "otto", "--role", "operator").stdout.strip()
    split = over_tcp(live, operator, "task", "split", "email", "old=90", "new=10")
    assert split.exit_code == 0, split.output
    refused = over_tcp(live, viewer, "rollback", "email")
    assert refused.exit_code == 4
    assert "vera (viewer) has the role viewer, this needs operator" in refused.stderr
    assert over_tcp(live, operator, "rollback", "email").exit_code == 0
    assert "otto (operator)" in live.call("events").stdout


def test_a_token_counts_on_the_socket_too(live: Live) -> None:
    viewer = live.call("token", "create", "vic", "--role", "viewer").stdout.strip()
    assert live.call("rollback", "email", env={"CHANGEOVER_TOKEN": viewer}).exit_code == 4


def test_a_revoked_token_opens_nothing(live: Live) -> None:
    secret = live.call("token", "create", "brief", "--role", "owner").stdout.strip()
    assert live.call("token", "revoke", "brief", "--reason", "left").exit_code == 0
    refused = over_tcp(live, secret, "status")
    assert (refused.exit_code, "is revoked" in refused.stderr) == (4, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "a b", "--role", "owner"), "found a name"),
        (("create", "bo", "--role", "king"), "king"),
        (("create", "bo", "--role", "viewer", "--tasks", "nobody"), "no task nobody"),
        (("create", "bo", "--role", "viewer", "--expires", "soon"), "expected a duration"),
        (("revoke", "nobody"), "no token 'nobody'"),
    ],
)
def test_what_cannot_be_made_or_revoked_is_refused_with_the_reason(live: Live, arguments: tuple[str, ...], words: str) -> None:
    refused = live.call("token", *arguments)
    assert refused.exit_code != 0
    assert words in refused.output


def test_without_destinations_alerts_say_where_to_name_some(live: Live) -> None:
    assert "no destinations" in live.call("alerts", "ls").stdout
    tried = live.call("alerts", "test")
    assert (tried.exit_code, "no destinations" in tried.stdout) == (0, True)


def test_the_folder_of_the_test_holds_no_secret(live: Live) -> None:
    assert not [path for path in Path(live.config).parent.rglob("*") if path.is_file() and b"ct-" in path.read_bytes()]
