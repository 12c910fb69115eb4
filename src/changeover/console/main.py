"""The ``changeover`` command: which commands there are. Each is imported when it is called."""

import os
import sys
from types import TracebackType
from typing import Final

import click

from changeover.console.lazy import Entry, LazyGroup

FIRST: Final = "Commands"
MORE: Final = "More"
TRACE_VARIABLE: Final = "CHANGEOVER_TRACEBACK"

_ROOM: Final = "changeover.console"

ENTRIES: Final = {
    "init": Entry(f"{_ROOM}.setup:init", "Write a changeover.yaml to begin with.", FIRST),
    "check": Entry(f"{_ROOM}.check:check", "Name every fault of changeover.yaml, and what is unwise.", FIRST),
    "serve": Entry(f"{_ROOM}.running:serve", "Run gateway and control plane on this machine.", FIRST),
    "status": Entry(f"{_ROOM}.looking:status", "Show tasks, weights, rollouts and data planes.", FIRST),
    "rollout": Entry(f"{_ROOM}.rollout:rollout", "Move a task to a candidate by steps.", FIRST),
    "compare": Entry(f"{_ROOM}.looking:compare", "Compare stable and candidate, with proof.", FIRST),
    "rollback": Entry(f"{_ROOM}.rollout:rollback", "Send all traffic of a task to its stable, now.", FIRST),
    "plan": Entry(f"{_ROOM}.plan:plan", "Show what an edited file would change.", MORE),
    "apply": Entry(f"{_ROOM}.apply:apply", "Move the store to the file.", MORE),
    "import": Entry(f"{_ROOM}.import_azure:import_azure", "Add what is in Azure to the file.", MORE),
    "drift": Entry(f"{_ROOM}.drift:drift", "Say where Azure is not as declared.", MORE),
    "export": Entry(f"{_ROOM}.export:export", "Write what is in force as a file.", MORE),
    "task": Entry(f"{_ROOM}.task:task", "List tasks, show one and split one by hand.", MORE),
    "deployment": Entry(f"{_ROOM}.deployment:deployment", "List, plan, make and remove deployments.", MORE),
    "key": Entry(f"{_ROOM}.key:key", "Make, list, rotate and revoke callers' keys.", MORE),
    "token": Entry(f"{_ROOM}.token:token", "Make, list and revoke tokens with a role.", MORE),
    "alerts": Entry(f"{_ROOM}.alerts:alerts", "List who is told of what, and try it.", MORE),
    "events": Entry(f"{_ROOM}.looking:events", "Read the log: what changed, by whom, why.", MORE),
    "evidence": Entry(f"{_ROOM}.evidence:evidence", "Export what verdicts rest on, and verify it.", MORE),
    "audit": Entry(f"{_ROOM}.audit:audit", "Who did what and why, and the proof that nothing was changed.", MORE),
    "db": Entry(f"{_ROOM}.db:db", "Upgrade, back up, restore and verify the store.", MORE),
    "score": Entry(f"{_ROOM}.score:score", "Send quality scores for requests.", MORE),
    "demo": Entry(f"{_ROOM}.stage:demo", "See the whole story on this machine.", MORE),
    "azure-sim": Entry(f"{_ROOM}.stage:azure_sim", "Run a local Azure to rehearse against.", MORE),
    "gateway": Entry(f"{_ROOM}.running:gateway", "Run one data plane that joins a control plane.", MORE),
    "control": Entry(f"{_ROOM}.running:control", "Run the control plane alone, for gateways elsewhere.", MORE),
    "doctor": Entry(f"{_ROOM}.doctor:doctor", "Check the environment, the accounts and the server.", MORE),
    "schema": Entry(f"{_ROOM}.schema:schema", "Print the JSON Schema of changeover.yaml.", MORE),
    "completion": Entry(f"{_ROOM}.completion:completion", "Print the completion script of a shell.", MORE),
}


@click.group(
    cls=LazyGroup,
    entries=ENTRIES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with: changeover init, then changeover serve",
)
@click.version_option(package_name="changeover", message="changeover %(version)s")
def changeover() -> None:
    """Move production traffic from one foundation-model version to the next, with proof, and back at once."""


def main() -> None:
    """The program. A fault of our own ends it in one line; `TRACE_VARIABLE` shows where it is."""
    if not os.environ.get(TRACE_VARIABLE):
        sys.excepthook = _say_shortly
    changeover(prog_name="changeover")


def _say_shortly(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    sys.stderr.write(f"error: changeover failed inside ({kind.__name__}: {error})\n")
    sys.stderr.write(f"  this is a fault of changeover; set {TRACE_VARIABLE}=1 and repeat to see where\n")
