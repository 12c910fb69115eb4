"""A server that was killed is started again as it was."""

import shlex
from pathlib import Path

import pytest

from changeover.bootstrap.start_command import start_command
from changeover.console.main import changeover
from changeover.ports.serving import ControlDoor, ServeOptions

HERE = Path("/srv/a place")
PLAIN = ServeOptions(config=HERE / "changeover.yaml", state=HERE / ".changeover", host="127.0.0.1", port=0, control_port=0)
ALONE = ServeOptions(
    config=HERE / "changeover.yaml",
    state=Path("/var/lib/changeover"),
    host="127.0.0.1",
    port=0,
    control_port=0,
    workers=0,
    read_only=True,
    database="postgresql://ada:s3cret@db/ledger",
    control=ControlDoor(host="::", tls_cert=Path("/c.pem"), tls_key=Path("/k.pem")),
)


def test_the_ports_that_were_taken_are_kept() -> None:
    told = start_command(PLAIN, gateway="http://127.0.0.1:18400", control="http://127.0.0.1:18401")
    assert told == "changeover serve -c '/srv/a place/changeover.yaml' --port 18400 --control-port 18401"


def test_a_control_plane_alone_keeps_its_door_and_tells_no_password() -> None:
    told = start_command(ALONE, gateway=None, control="https://[::]:18401")
    assert told == (
        "CHANGEOVER_DATABASE=... changeover control -c '/srv/a place/changeover.yaml' --state /var/lib/changeover "
        "--listen '[::]:18401' --tls-cert /c.pem --tls-key /k.pem --read-only"
    )


@pytest.mark.parametrize(("options", "gateway"), [(PLAIN, "http://127.0.0.1:18400"), (ALONE, None)])
def test_what_is_told_can_be_said(options: ServeOptions, gateway: str | None) -> None:
    words = shlex.split(start_command(options, gateway=gateway, control="http://127.0.0.1:18401"))
    name, *rest = words[words.index("changeover") + 1 :]
    command = changeover.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    assert command.make_context(name, rest).params["config"] == options.config
