"""The doctor looks at everything at once, says what to do, and changes nothing."""

import asyncio
import json
import os
import socket
import sqlite3
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
import trustme

from changeover import __version__
from changeover.adapters.memory import HandClock
from changeover.adapters.sql import open_database, open_store
from changeover.adapters.sql.peek import newest_schema, schema_of
from changeover.bootstrap.account_check import check_egress, check_endpoints, check_secret
from changeover.bootstrap.examination import Examined, examine
from changeover.bootstrap.machine_check import CLOCK_MIN_AT, check_clock, check_database, check_python, check_state, check_store
from changeover.gateway.egress import Egress
from changeover.ports.examination import Finding, Health
from changeover.ports.serving import SERVER_FILE_NAME, ServerRecord
from changeover.versions import Account, SecretReference
from tests.postgres import Cluster
from tests.unit.console.live import call

FILE = """
version: 1
accounts: {local: {kind: openai-compatible, endpoint: "http://127.0.0.1:9/v1", auth: {env: DOCTORS_KEY}}}
deployments: {a: {model: m, version: "1"}}
tasks: {mail: {stable: a, criteria: {preset: none}}}
"""
NOW = CLOCK_MIN_AT + 1_000_000
SECRET = "a-secret-that-nobody-reads"


def account(endpoint: str, *, source: str = "none", name: str = "") -> Account:
    auth = SecretReference(source=source, name=name)  # pyright: ignore[reportArgumentType]
    return Account(name="aoai", kind="openai-compatible", endpoint=endpoint, auth=auth)


def looked_at(folder: Path, *, port: int = 0) -> dict[str, Finding]:
    what = Examined(config=folder / "changeover.yaml", state=folder / "state", host="127.0.0.1", port=port, control_port=0, offline=True)
    return {finding.about: finding for finding in examine(what, environment={}, clock=HandClock(NOW))}


@contextmanager
def answering(date: str = "", *, tls: ssl.SSLContext | None = None) -> Generator[int]:
    """A server that answers one connection, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    served = connection if tls is None else tls.wrap_socket(connection, server_side=True)
                except (OSError, ssl.SSLError):
                    return
                with served:
                    served.recv(4096)
                    served.sendall(f"HTTP/1.1 404 Not Found\r\n{date}content-length: 0\r\n\r\n".encode())

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10.0)


def endpoint_finding(url: str, egress: Egress | None = None, *, now: float = NOW) -> Finding:
    (found,) = asyncio.run(check_endpoints([account(url)], egress or Egress(), HandClock(now)))
    return found


def test_a_fit_machine_is_well_in_everything_that_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCTORS_KEY", SECRET)
    (tmp_path / "changeover.yaml").write_text(FILE)
    found = looked_at(tmp_path)
    assert {about for about, finding in found.items() if finding.health is Health.FAIL} == set()
    assert found["secret of local"].found == "env DOCTORS_KEY is set"
    assert not (tmp_path / "state").exists()
    assert SECRET not in str(found)


def test_every_trouble_is_named_at_once_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "changeover.yaml").write_text(FILE.replace("stable: a", "stable: b"))
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "changeover.db").write_text("no database at all, but long enough to be taken for one" * 40)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = looked_at(tmp_path, port=taken.getsockname()[1])
    failed = {about: finding.remedy for about, finding in found.items() if finding.health is Health.FAIL}
    assert set(failed) == {"settings", "store", "gateway port"}
    assert all(failed.values())
    assert "changeover check" in failed["settings"]


@pytest.mark.parametrize(("version", "health"), [((3, 10), Health.FAIL), ((3, 11), Health.OK), ((4, 0), Health.OK)])
def test_python_must_be_new_enough(version: tuple[int, int], health: Health) -> None:
    assert check_python(version).health is health


def test_a_clock_that_was_never_set_is_found() -> None:
    assert check_clock(0.0).health is Health.FAIL
    assert check_clock(NOW).health is Health.OK


def test_a_state_directory_is_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert check_state(tmp_path / "file").health is Health.FAIL
    assert check_state(tmp_path / "new" / "deep").health is Health.OK


def test_a_stores_schema_is_read_while_a_server_has_it_open(tmp_path: Path) -> None:
    path = tmp_path / "changeover.db"
    assert check_store(path).health is Health.OK
    store = open_store(path)
    try:
        assert schema_of(path) == newest_schema()
        assert check_store(path).health is Health.OK
    finally:
        store.close()


@pytest.mark.parametrize(("revision", "health"), [("0001", Health.WARN), ("9999", Health.FAIL)])
def test_an_old_schema_is_brought_up_and_a_newer_one_is_refused(tmp_path: Path, revision: str, health: Health) -> None:
    path = tmp_path / "changeover.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
    connection.commit()
    connection.close()
    assert check_store(path).health is health


@pytest.mark.parametrize(
    ("source", "name", "health", "remedy"),
    [
        ("none", "", Health.OK, ""),
        ("env", "NO_SUCH_VARIABLE_HERE", Health.FAIL, "export NO_SUCH_VARIABLE_HERE=..."),
        ("file", "/no/such/file", Health.FAIL, "write the key into /no/such/file"),
    ],
)
def test_a_secret_that_is_not_there_is_named_by_its_place(source: str, name: str, health: Health, remedy: str) -> None:
    found = check_secret(account("https://x", source=source, name=name))
    assert (found.health, found.remedy.startswith(remedy)) == (health, True)


def test_a_proxy_is_shown_without_its_password() -> None:
    found, egress = check_egress({"HTTPS_PROXY": f"http://user:{SECRET}@proxy.internal:3128"})
    assert (found.health, egress is not None) == (Health.OK, True)
    assert "proxy.internal:3128" in found.found
    assert SECRET not in str(found)
    assert check_egress({"HTTPS_PROXY": "ftp://x"})[0].health is Health.FAIL


def test_an_endpoint_that_answers_by_tls_is_well_and_its_certificate_is_verified(tmp_path: Path) -> None:
    authority, ours = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(ours)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with answering(tls=ours) as port:
        found = endpoint_finding(f"https://127.0.0.1:{port}", Egress(ca_file=str(tmp_path / "ca.pem")))
    assert (found.health, found.found) == (Health.OK, f"127.0.0.1:{port} answers by TLS")
    with answering(tls=ours) as port:
        untrusted = endpoint_finding(f"https://127.0.0.1:{port}")
    assert untrusted.health is Health.FAIL
    assert "CHANGEOVER_CA_BUNDLE" in untrusted.remedy


def test_an_endpoint_that_does_not_answer_fails_and_one_of_another_time_warns() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert endpoint_finding(f"http://127.0.0.1:{bound.getsockname()[1]}").health is Health.FAIL
    with answering("date: Tue, 06 Jan 2026 00:00:00 GMT\r\n") as port:
        found = endpoint_finding(f"http://127.0.0.1:{port}/v1", now=NOW)
    assert (found.health, "clock differs by" in found.found) == (Health.WARN, True)


@pytest.mark.parametrize(("version", "health"), [(__version__, Health.OK), ("0.0.1", Health.WARN), ("", Health.WARN)])
def test_a_server_that_runs_is_named_and_its_version_compared(tmp_path: Path, version: str, health: Health) -> None:
    (tmp_path / "changeover.yaml").write_text(FILE)
    (tmp_path / "state").mkdir()
    record = ServerRecord(pid=os.getpid(), gateway=None, control="http://127.0.0.1:1", socket="s", started_at=0.0, version=version)
    (tmp_path / "state" / SERVER_FILE_NAME).write_bytes(msgspec.json.encode(record))
    found = looked_at(tmp_path)
    assert found["server"].health is health
    assert "gateway port" not in found


def test_the_command_prints_a_line_a_thing_and_fails_when_something_did(tmp_path: Path) -> None:
    (tmp_path / "changeover.yaml").write_text(FILE)
    arguments = ("doctor", "-c", str(tmp_path / "changeover.yaml"), "--port", "0", "--control-port", "0", "--offline")
    shown = call(*arguments)
    assert shown.exit_code == 1
    assert "-> export DOCTORS_KEY=..." in shown.stdout
    answer = json.loads(call(*arguments, "-o", "json").stdout)
    assert (answer["ok"], {finding["health"] for finding in answer["findings"]} <= {"ok", "warn", "fail"}) == (False, True)
    assert call(*arguments, env={"DOCTORS_KEY": SECRET}).exit_code == 0


def test_the_doctor_says_which_alerts_could_not_be_sent_and_shows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alerts = "alerts: [{webhook: {env: HOOK_SET}, secret: {env: HOOK_SIGNING}}, {webhook: {env: HOOK_UNSET}}]\n"
    (tmp_path / "changeover.yaml").write_text(FILE + alerts)
    monkeypatch.setenv("HOOK_SET", f"http://127.0.0.1:1/{SECRET}")
    monkeypatch.setenv("HOOK_SIGNING", "whsec_too-short")
    findings = looked_at(tmp_path)
    assert findings["alerts to webhook env:HOOK_UNSET"].health is Health.FAIL
    assert "signing secret in env:HOOK_SIGNING cannot be used" in findings["alerts to webhook env:HOOK_SET"].found
    monkeypatch.setenv("HOOK_SIGNING", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    findings = looked_at(tmp_path)
    assert findings["alerts to webhook env:HOOK_SET"].health is Health.OK
    assert SECRET not in "".join(map(str, findings.values()))


def test_a_database_in_place_of_the_file_is_looked_at_without_its_password(tmp_path: Path, cluster: Cluster) -> None:
    url = cluster.fresh()
    assert check_database(tmp_path, url).found == "an empty PostgreSQL database; the first start makes the schema"
    open_database(url).close()
    assert check_database(tmp_path, url).health is Health.OK
    away = check_database(tmp_path, f"postgresql://ada:s3cret@/ledger?host={tmp_path}")
    assert away.health is Health.FAIL
    assert "s3cret" not in f"{away}"
    assert "it cannot be reached" in away.found
