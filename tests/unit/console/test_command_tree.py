"""Which commands there are, what they teach, and what their help costs."""

import json
import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from changeover.console import main
from changeover.console.main import changeover
from changeover.console.taught import Taught
from tests.unit.console.live import call

HELP_CPU_S = 0.3
HEAVY = {"rich", "httpx2", "starlette", "uvicorn", "pydantic", "yaml", "msgspec", "sqlalchemy", "structlog", "asyncio"}


def leaves(group: click.Group, prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, (*prefix, name))
        else:
            yield (*prefix, name), command


COMMANDS = dict(leaves(changeover))


@pytest.mark.parametrize(("typed", "said"), [("rollot", "Did you mean rollout?"), ("demmo", "Did you mean demo?")])
def test_a_command_that_was_misspelt_is_guessed(typed: str, said: str) -> None:
    result = call(typed)
    assert result.exit_code == 2
    assert f"No such command '{typed}'. {said}" in result.stderr


def test_a_command_that_is_like_none_is_refused_without_a_guess() -> None:
    assert "No such command 'xyzzy'.\n" in call("xyzzy").stderr


def test_help_shows_the_first_commands_first_and_the_rest_under_more() -> None:
    text = call("--help").stdout
    first, _, more = text.partition("More:")
    assert [line.split()[0] for line in first.partition("Commands:")[2].split("\n") if line.strip()] == [
        "init",
        "check",
        "serve",
        "status",
        "rollout",
        "compare",
        "rollback",
    ]
    assert "events" in more
    listed = {line.split()[0] for line in more.splitlines() if line.strip()}
    assert {"gateway", "control", "doctor", "schema", "completion", "deployment"} <= listed


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_teaches_with_an_example_that_names_it(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert isinstance(command, Taught)
    assert any(f"changeover {' '.join(path)}" in example for example in command.examples)
    assert command.help


@pytest.mark.parametrize("path", [path for path in COMMANDS if path != ("azure-sim",)], ids=" ".join)
def test_every_help_prints_its_examples_as_they_are_typed(path: tuple[str, ...]) -> None:
    result = call(*path, "--help")
    assert result.exit_code == 0
    command = COMMANDS[path]
    assert isinstance(command, Taught)
    for example in command.examples:
        assert f"  {example}\n" in result.stdout


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_example_can_be_parsed(path: tuple[str, ...]) -> None:
    """Options and arguments of an example exist; nothing is run."""
    command = COMMANDS[path]
    assert isinstance(command, Taught)
    for example in command.examples:
        ours = shlex.split(example.partition("changeover ")[2].partition(" | ")[0])
        command.make_context(" ".join(path), [word for word in ours[len(path) :] if word != "--help"])


def test_every_line_of_help_of_a_group_is_the_first_of_its_command() -> None:
    for name, entry in main.ENTRIES.items():
        command = changeover.get_command(click.Context(changeover), name)
        assert command is not None
        assert command.help, name
        assert entry.help.endswith(".")


def test_help_imports_nothing_heavy() -> None:
    script = "import sys, json; from changeover.console.main import changeover; changeover(['--help'], standalone_mode=False); "
    script += "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not HEAVY & set(json.loads(ran.stderr))


def test_help_costs_less_than_a_third_of_a_second_of_cpu() -> None:
    def cpu_s() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before = cpu_s()
    subprocess.run([sys.executable, "-m", "changeover", "--help"], capture_output=True, check=True)
    assert cpu_s() - before < HELP_CPU_S


def test_an_unknown_command_is_a_usage_error() -> None:
    assert call("rolback", "email").exit_code == 2


def test_a_fault_of_ours_is_one_line_and_how_to_see_more(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "argv", ["changeover", "--version"])
    monkeypatch.delenv(main.TRACE_VARIABLE, raising=False)
    with pytest.raises(SystemExit):
        main.main()
    sys.excepthook(KeyError, KeyError("x"), None)
    said = capsys.readouterr()
    assert said.out.startswith("changeover ")
    assert said.err.startswith("error: changeover failed inside (KeyError: 'x')")
    assert main.TRACE_VARIABLE in said.err
    assert "Traceback" not in said.err
