"""How the parts find each other: a port that is shared with nobody else, an address that gives no token away."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from changeover.bootstrap.control_address import ControlAddressError, control_address
from changeover.bootstrap.shared_port import SharedPort, SharedPortError
from changeover.bootstrap.workers import worker_name
from changeover.console.listen_option import LISTEN, Listen
from changeover.console.main import changeover

TOKEN_HERE = {"NAME": "secret-token\n"}


def listening(port: int, *, shared: bool) -> socket.socket:
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    found.bind(("127.0.0.1", port))
    found.listen()
    return found


def test_workers_listen_on_the_port_that_the_server_holds_and_nobody_is_kept_waiting_by_it() -> None:
    held = SharedPort("127.0.0.1", 0)
    with (
        listening(held.port, shared=True) as one,
        listening(held.port, shared=True),
        socket.create_connection(("127.0.0.1", held.port), 1.0),
    ):
        assert one.getsockname()[1] == held.port
    held.close()


def test_the_port_stays_held_while_no_worker_listens() -> None:
    held = SharedPort("127.0.0.1", 0)
    with socket.socket() as foreign, pytest.raises(OSError, match="in use"):
        foreign.bind(("127.0.0.1", held.port))
    held.close()
    listening(held.port, shared=False).close()


@pytest.mark.parametrize("shared", [False, True])
def test_a_port_where_others_answer_is_refused_even_if_they_would_share_it(shared: bool) -> None:
    with listening(0, shared=shared) as foreign, pytest.raises(SharedPortError, match="choose another port"):
        SharedPort("127.0.0.1", foreign.getsockname()[1])


def test_a_port_that_is_bound_and_silent_is_refused_too() -> None:
    with socket.socket() as foreign:
        foreign.bind(("127.0.0.1", 0))
        with pytest.raises(SharedPortError, match="cannot listen on"):
            SharedPort("127.0.0.1", foreign.getsockname()[1])


def test_workers_have_the_same_names_at_every_start() -> None:
    assert [worker_name(number) for number in range(2)] == ["local-0", "local-1"]


def test_a_path_is_a_socket_and_needs_no_token() -> None:
    found = control_address("state/control.sock", token_env="NAME", environment={})
    assert found.socket == Path("state/control.sock").absolute()
    assert (found.url, found.token) == (None, None)


@pytest.mark.parametrize("url", ["https://control.internal:8401/", "http://127.0.0.1:8401", "http://localhost:8401", "http://[::1]:8401"])
def test_a_url_takes_its_token_from_the_environment_and_shows_it_nowhere(url: str) -> None:
    found = control_address(url, token_env="NAME", environment=TOKEN_HERE)
    assert (found.url, found.token) == (url.rstrip("/"), "secret-token")
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("url", "environment", "said"),
    [
        ("http://control.internal:8401", TOKEN_HERE, "in the clear"),
        ("ftp://127.0.0.1", TOKEN_HERE, "expected https://HOST:PORT"),
        ("http://:8401", TOKEN_HERE, "expected https://HOST:PORT"),
        ("http://[::1", TOKEN_HERE, "expected https://HOST:PORT"),
        ("http://127.0.0.1:8401", {}, "found nothing in NAME; .*plane-token"),
        ("http://127.0.0.1:8401", {"NAME": " "}, "found nothing in NAME"),
    ],
)
def test_an_address_that_cannot_be_joined_is_refused_in_words(url: str, environment: dict[str, str], said: str) -> None:
    with pytest.raises(ControlAddressError, match=said):
        control_address(url, token_env="NAME", environment=environment)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("127.0.0.1:8400", Listen("127.0.0.1", 8400)),
        ("[::1]:0", Listen("::1", 0)),
        (":8400", Listen("127.0.0.1", 8400)),
        ("8400", Listen("127.0.0.1", 8400)),
        ("gateway.internal:443", Listen("gateway.internal", 443)),
    ],
)
def test_an_address_to_listen_on_is_host_and_port(text: str, found: Listen) -> None:
    assert LISTEN.convert(text, None, None) == found


@pytest.mark.parametrize("text", ["", "host", "::1:8400", "host:port", "host:65536", "host:\u0663"])
def test_what_is_no_address_is_a_usage_error(text: str) -> None:
    result = CliRunner().invoke(changeover, ["gateway", "--control", "x", "--listen", text])
    assert result.exit_code == 2
    assert "expected HOST:PORT" in result.stderr


@pytest.mark.parametrize("command", [("control", "--listen", "0.0.0.0:0"), ("gateway", "--control", "x", "--listen", "0.0.0.0:0")])
def test_off_the_loopback_a_part_needs_a_certificate(command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(changeover, list(command))
    assert result.exit_code == 1
    assert "--tls-cert FILE --tls-key FILE" in result.stderr
    assert list(tmp_path.iterdir()) == []
