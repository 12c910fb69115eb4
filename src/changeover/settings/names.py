"""Does every name that the file mentions exist in it? Asked of the plain values, so that it is answered even for
entries that have other faults.
"""

from changeover.settings.declared import Fault
from changeover.settings.paths import Path, written
from changeover.settings.shape_faults import did_you_mean, shown
from changeover.settings.tree import Value


def name_faults(root: dict[str, Value]) -> list[tuple[Path, Fault]]:
    """Every mention of an account, deployment or task that is not declared, and candidates that are their own stable."""
    accounts, deployments, tasks = _section(root, "accounts"), _section(root, "deployments"), _section(root, "tasks")
    found: list[tuple[Path, Fault]] = []
    for name, entry in _entries(deployments):
        found += _mention(("deployments", name, "account"), entry, list(accounts), "account")
        if "account" not in entry and len(accounts) > 1:
            expected = f"account: one of {', '.join(sorted(accounts))}; only a single account is the default"
            found.append(_fault(("deployments", name, "account"), f"nothing, with {len(accounts)} accounts", expected))
    for name, entry in _entries(tasks):
        found += _mention(("tasks", name, "stable"), entry, list(deployments), "deployment")
        found += _mention(("tasks", name, "failover"), entry, list(deployments), "deployment")
        found += _useless_spares(("tasks", name, "failover"), entry)
    for name, entry in _entries(_section(root, "rollouts")):
        found += _mention(("rollouts", name, "task"), entry, list(tasks), "task")
        found += _mention(("rollouts", name, "candidate"), entry, list(deployments), "deployment")
        found += _own_stable(("rollouts", name, "candidate"), entry, tasks)
    for name, entry in _entries(_section(root, "gateway")):
        found += _mention(("gateway", name, "account"), entry, list(accounts), "account")
    return found


def _mention(path: Path, entry: dict[str, Value], known: list[str], noun: str) -> list[tuple[Path, Fault]]:
    """A name, or a list of names, none of which is unknown."""
    return [
        _fault(at, shown(name), f"a declared {noun}: {did_you_mean(name, known)}") for at, name in _named(path, entry) if name not in known
    ]


def _named(path: Path, entry: dict[str, Value]) -> list[tuple[Path, str]]:
    """The names at ``path``, each with where it stands."""
    value = entry.get(str(path[-1]))
    if isinstance(value, list):
        return [((*path, index), name) for index, name in enumerate(value) if isinstance(name, str)]
    return [(path, value)] if isinstance(value, str) else []


def _own_stable(path: Path, entry: dict[str, Value], tasks: dict[str, Value]) -> list[tuple[Path, Fault]]:
    task = entry.get("task")
    state = tasks.get(task) if isinstance(task, str) else None
    trusted = {name for _, name in _named(("stable",), state)} if isinstance(state, dict) else set[str]()
    return [
        _fault(at, f"{shown(name)}, which is the task's stable", "another deployment; or take the finished rollout out")
        for at, name in _named(path, entry)
        if name in trusted
    ]


def _useless_spares(path: Path, entry: dict[str, Value]) -> list[tuple[Path, Fault]]:
    seen = {name: "the task's stable already" for _, name in _named(("stable",), entry)}
    found: list[tuple[Path, Fault]] = []
    for at, name in _named(path, entry):
        if name in seen:
            found.append(_fault(at, f"{shown(name)}, which is {seen[name]}", "deployments that stand in for the stable, each once"))
        seen.setdefault(name, "in the list already")
    return found


def _section(root: dict[str, Value], name: str) -> dict[str, Value]:
    section = root.get(name)
    return section if isinstance(section, dict) else {}


def _entries(section: dict[str, Value]) -> list[tuple[str, dict[str, Value]]]:
    return [(name, entry) for name, entry in section.items() if isinstance(entry, dict)]


def _fault(path: Path, found: str, expected: str) -> tuple[Path, Fault]:
    return path, Fault(path=written(path), found=found, expected=expected)
