"""A CA for one run: clients that trust it are served, its keys stand nowhere."""

import ssl
from pathlib import Path

import pytest

from changeover.azure_sim.local_tls import TlsError, new_local_tls


def handshake(server: ssl.SSLContext, ca: Path, *, name: str) -> str:
    """A handshake in memory; the protocol that was agreed on."""
    client_context = ssl.create_default_context(cafile=str(ca))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(10):
        waiting = 0
        for side in (client, answering):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                waiting += 1
        if not waiting:
            return client.version() or ""
    raise AssertionError("no handshake")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_whoever_trusts_the_ca_is_served_on_this_machine(tmp_path: Path, name: str) -> None:
    tls = new_local_tls(tmp_path / "deep" / "ca.pem", host="127.0.0.1")
    assert handshake(tls.context, tls.ca_file, name=name).startswith("TLSv1")


def test_the_ca_is_for_no_other_host_and_of_this_run_alone(tmp_path: Path) -> None:
    one, other = (new_local_tls(tmp_path / name, host="127.0.0.1") for name in ("one.pem", "other.pem"))
    for ca, name in ((one.ca_file, "example.org"), (other.ca_file, "localhost")):
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(one.context, ca, name=name)


def test_no_private_key_is_written(tmp_path: Path) -> None:
    tls = new_local_tls(tmp_path / "ca.pem", host="127.0.0.1")
    assert [path.name for path in tmp_path.iterdir()] == ["ca.pem"]
    assert "PRIVATE" not in tls.ca_file.read_text()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TlsError, match="expected a folder"):
        new_local_tls(tmp_path / "file" / "ca.pem", host="127.0.0.1")
