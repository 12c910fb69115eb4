"""Where the gateway may listen: loopback as it is, elsewhere only with keys and TLS, or a word about what stands in front."""

import ssl
from collections.abc import Coroutine
from pathlib import Path

import pytest
import trustme

from changeover.adapters.sql import open_store
from changeover.bootstrap import server, store_access
from changeover.bootstrap.child import Ready
from changeover.bootstrap.front_door import FrontDoor, FrontDoorError
from changeover.bootstrap.server import ServeError, serve
from changeover.ports.serving import ServeOptions
from changeover.ports.store import Store
from changeover.rollout.commands import Order
from changeover.rollout.key_commands import KeyRequest, create_key
from changeover.rollout.world import World
from changeover.traffic.keys import hash_of
from tests.unit.bootstrap.test_server import FILE


class StartedError(Exception):
    """Every check was passed: the program would run."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a file. A server that gets as far as running says so instead, and gives its store back."""
    (tmp_path / "changeover.yaml").write_text(FILE)
    opened: list[Store] = []

    def opening(path: Path) -> Store:
        opened.append(open_store(path))
        return opened[-1]

    def stop(program: Coroutine[object, object, None]) -> None:
        program.close()
        opened[-1].close()
        raise StartedError

    monkeypatch.setattr(store_access, "open_store", opening)
    monkeypatch.setattr(server, "run_program", stop)
    return tmp_path


def options(folder: Path, **fields: object) -> ServeOptions:
    values: dict[str, object] = {"config": folder / "changeover.yaml", "state": folder / "state", "host": "127.0.0.1", "port": 0}
    return ServeOptions(**{**values, "control_port": 0, **fields})  # pyright: ignore[reportArgumentType]


def start(folder: Path, **fields: object) -> None:
    serve(options(folder, **fields), ready=lambda _: None)


def world(folder: Path) -> World:
    store = open_store(folder / "state" / "changeover.db", lock=False)
    try:
        return store.world()
    finally:
        store.close()


def make_key(folder: Path, *, life_s: float | None = None, now: float = 2_000_000_000.0) -> None:
    store = open_store(folder / "state" / "changeover.db")
    request = KeyRequest(id="k-1", hash=hash_of(b"s"), name="app", life_s=life_s)
    store.commit(lambda world: create_key(world, request, order=Order(actor="a", reason=""), now=now), at=now)
    store.close()


def certificate(folder: Path) -> tuple[Path, Path]:
    issued = trustme.CA().issue_cert("gateway.example")
    issued.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    return folder / "cert.pem", folder / "key.pem"


def seed(folder: Path) -> None:
    """A first start, on the loopback."""
    with pytest.raises(StartedError):
        start(folder)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_on_loopback_nothing_is_asked_for(host: str) -> None:
    door = FrontDoor(host=host)
    assert (door.is_local, door.wants_keys, door.tls_context()) == (True, False, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "gateway.example", ""])
def test_elsewhere_keys_are_wanted_and_plain_http_is_refused(host: str) -> None:
    door = FrontDoor(host=host)
    assert (door.is_local, door.wants_keys) == (False, True)
    with pytest.raises(FrontDoorError, match="--behind-proxy"):
        door.tls_context()
    assert FrontDoor(host=host, behind_proxy=True).tls_context() is None


def test_a_certificate_with_its_key_makes_a_context_of_tls_1_2_at_least(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    context = FrontDoor(host="0.0.0.0", tls_cert=cert, tls_key=key).tls_context()
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_half_a_certificate_a_missing_one_and_none_at_all_are_named(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    text = tmp_path / "text"
    text.write_text("no certificate")
    for chain, private, words in (
        (cert, None, "expected both"),
        (None, key, "expected both"),
        (tmp_path / "none", key, "cannot be read"),
        (text, key, "cannot be used"),
        (cert, text, "cannot be used"),
    ):
        with pytest.raises(FrontDoorError, match=words):
            FrontDoor(host="127.0.0.1", tls_cert=chain, tls_key=private).tls_context()


def test_a_gateway_with_a_certificate_is_called_by_https() -> None:
    assert Ready(host="0.0.0.0", port=1, tls=True).url == "https://0.0.0.0:1"
    assert Ready(host="::1", port=1).url == "http://[::1]:1"


def test_a_public_address_is_refused_without_a_key_that_somebody_could_have(folder: Path) -> None:
    seed(folder)
    with pytest.raises(ServeError, match="changeover key create"):
        start(folder, host="0.0.0.0", behind_proxy=True)
    make_key(folder, life_s=1.0, now=1_000.0)
    with pytest.raises(ServeError, match="no key"):
        start(folder, host="0.0.0.0", behind_proxy=True)


def test_with_a_key_a_public_address_asks_everybody_for_one_and_goes_on_asking(folder: Path) -> None:
    seed(folder)
    assert not world(folder).keys_required
    make_key(folder)
    cert, key = certificate(folder)
    with pytest.raises(StartedError):
        start(folder, host="0.0.0.0", tls_cert=cert, tls_key=key)
    assert world(folder).keys_required
    revision = world(folder).revision
    with pytest.raises(StartedError):
        start(folder)
    assert world(folder).keys_required, "a start without the flag opens no door that a proxy may lead to"
    assert world(folder).revision == revision


def test_behind_a_proxy_on_this_machine_keys_are_asked_for_from_the_first_start(folder: Path) -> None:
    with pytest.raises(StartedError):
        start(folder, behind_proxy=True)
    assert world(folder).keys_required
