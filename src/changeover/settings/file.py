"""What does ``changeover.yaml`` declare? Text in; what is declared out, or every fault at once."""

from typing import Final

from pydantic import ValidationError

from changeover.settings.declared import Declared, Fault, SettingsError
from changeover.settings.names import name_faults
from changeover.settings.paths import Path
from changeover.settings.requests import PromptFiles, no_files
from changeover.settings.resolve import Resolver
from changeover.settings.shape import FileShape
from changeover.settings.shape_faults import shape_faults
from changeover.settings.tree import Tree, Value, read_tree

_PRUNINGS_MAX: Final = 4
_NAMED_SECTIONS: Final = ("accounts", "deployments", "tasks", "rollouts")
REQUIRED_SECTIONS: Final = ("accounts", "deployments", "tasks")
_EMPTY_FILE: Final[dict[str, Value]] = {"version": 1, "accounts": {}, "deployments": {}, "tasks": {}}


def parse(text: str, *, files: PromptFiles = no_files) -> Declared:
    """Everything that ``text`` declares. ``files`` gives the text of the prompts that it names; without it none can be read.

    Raises:
        SettingsError: the file cannot be used; it names every fault at once, in the order of the file.
    """
    tree = read_tree(text)
    _take_versions_as_written(tree.root, tree.text)
    faults = name_faults(tree.root)
    file, broken, misshapen = _shaped(tree.root)
    faults = misshapen + faults
    declared = None
    if file is not None:
        resolver = Resolver(file, broken, files)
        declared = resolver.declared()
        faults += resolver.faults
    if tree.faults or faults or declared is None:
        raise SettingsError(_ordered(tree, faults))
    return declared


def _shaped(root: dict[str, Value]) -> tuple[FileShape | None, set[Path], list[tuple[Path, Fault]]]:
    """The well-shaped part of the file, the paths of what had to be left out for that, and why."""
    broken: set[Path] = set()
    faults = [_nothing_in(section) for section in REQUIRED_SECTIONS if root.get(section) == {}]
    for _ in range(_PRUNINGS_MAX):
        try:
            return FileShape.model_validate(root), broken, faults
        except ValidationError as error:
            found = shape_faults(error)
        faults += found
        broken |= {_entry(path) for path, _ in found}
        root = _pruned(root, broken)
    return None, broken, faults


def _entry(path: Path) -> Path:
    """What to leave out for a fault at ``path``: the named entry it is in, else the whole section."""
    return path[:2] if path[0] in _NAMED_SECTIONS else path[:1]


def _pruned(root: dict[str, Value], broken: set[Path]) -> dict[str, Value]:
    """``root`` without ``broken``, and with an empty value for what must be there."""
    kept: dict[str, Value] = {}
    for name, section in root.items():
        if (name,) in broken:
            continue
        kept[name] = section
        if isinstance(section, dict) and name in _NAMED_SECTIONS:
            kept[name] = {key: entry for key, entry in section.items() if (name, key) not in broken}
    return _EMPTY_FILE | kept


def _nothing_in(section: str) -> tuple[Path, Fault]:
    return (section,), Fault(path=section, found="nothing in it", expected=f"{section} by name, at least one")


def _take_versions_as_written(root: dict[str, Value], text: dict[Path, str]) -> None:
    """A version is text, also where YAML reads a number: ``0613`` is not 395."""
    deployments = root.get("deployments")
    for name, entry in deployments.items() if isinstance(deployments, dict) else ():
        if isinstance(entry, dict) and isinstance(entry.get("version"), int | float) and not isinstance(entry["version"], bool):
            entry["version"] = text[("deployments", name, "version")]


def _ordered(tree: Tree, faults: list[tuple[Path, Fault]]) -> tuple[Fault, ...]:
    """One fault a place, the first found, in the order of the file."""
    first: dict[str, tuple[int, Fault]] = {}
    for path, fault in [*tree.faults, *faults]:
        first.setdefault(fault.path, (_line(tree, path), fault))
    return tuple(fault for _, fault in sorted(first.values(), key=lambda found: (found[0], found[1].path)))


def _line(tree: Tree, path: Path) -> int:
    """The line of ``path``, or of the nearest thing around it when it is not in the file."""
    while path and path not in tree.line:
        path = path[:-1]
    return tree.line.get(path, 0)
