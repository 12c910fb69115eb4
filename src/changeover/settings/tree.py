"""What does the text say as plain values? YAML in; mappings, lists and scalars out, with lines; judges no meaning.

Stricter than YAML: keys are text and stand once, dates stay the text they are, empty values and merge keys are faults.
"""

from typing import Final, cast

import yaml

from changeover.settings.declared import Fault, SettingsError
from changeover.settings.paths import WHOLE_FILE, Path, written
from changeover.settings.secrecy import HIDDEN, looks_secret

Value = bool | int | float | str | list["Value"] | dict[str, "Value"]

TEXT_CHARS_MAX: Final = 1_000_000
NODES_MAX: Final = 50_000
DEPTH_MAX: Final = 30

_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = _TAG + "merge"
_UNREADABLE: Final = (ValueError, KeyError, IndexError)
"""What PyYAML raises for a scalar that is not what its tag says, such as ``!!int x``."""


class Tree:
    """The plain values of a file with where they stand. ``faults`` are those found on the way; what has one is left out."""

    def __init__(self) -> None:
        self.root: dict[str, Value] = {}
        self.faults: list[tuple[Path, Fault]] = []
        self.line: dict[Path, int] = {}
        self.text: dict[Path, str] = {}
        self._nodes = 0
        self._scalars = yaml.constructor.SafeConstructor()

    def add_fault(self, path: Path, found: str, expected: str) -> None:
        self.faults.append((path, Fault(path=written(path), found=found, expected=expected)))

    def take(self, node: yaml.Node, path: Path = ()) -> Value | None:
        """The value at ``node``; ``None`` when it is empty or has a fault."""
        self._nodes += 1
        self.line.setdefault(path, node.start_mark.line + 1)
        if self._nodes > NODES_MAX or len(path) > DEPTH_MAX:
            raise _whole_file(f"more than {NODES_MAX} values or {DEPTH_MAX} levels", "a settings file, with fewer values and levels")
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            items = cast("list[yaml.Node]", node.value)
            taken = [self.take(item, (*path, index)) for index, item in enumerate(items)]
            return [value for value in taken if value is not None]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self.add_fault(path, f"the tag {_safe(node.tag)}", "plain YAML without tags")
        return None

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Value]:
        taken: dict[str, Value] = {}
        seen: set[str] = set()
        for key_node, value_node in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            key = self._key(key_node, path)
            if key is None:
                continue
            if key in seen:
                self.add_fault(
                    (*path, key), f"the key a second time, in line {key_node.start_mark.line + 1}", "every key once; merge the two"
                )
                continue
            seen.add(key)
            value = self.take(value_node, (*path, key))
            if value is not None:
                taken[key] = value
        return taken

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        """Keys are text as written, so that ``on`` or ``2024-11-20`` stay themselves."""
        if not isinstance(node, yaml.ScalarNode) or node.tag == _MERGE:
            line = node.start_mark.line + 1
            self.add_fault(path, f"a merge key or a key that is not text in line {line}", "plain keys; write merged keys out")
            return None
        return cast("str", node.value)

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Value | None:
        text = cast("str", node.value)
        self.text[path] = text
        if looks_secret(text):
            expected = "secrets by reference only, {env: NAME} or {file: PATH}; take it out, and change the key if others saw the file"
            self.add_fault(path, f"something that looks like a secret {HIDDEN}", expected)
        match node.tag.removeprefix(_TAG):
            case "str" | "timestamp" | "value":
                return text
            case "null":
                self._empty(path)
                return None
            case "bool" | "int" | "float" as kind:
                return self._number(node, kind, path)
            case tag:
                self.add_fault(path, f"the tag {_safe(tag)}", "plain YAML without tags")
                return None

    def _number(self, node: yaml.ScalarNode, kind: str, path: Path) -> Value | None:
        try:
            match kind:
                case "bool":
                    return self._scalars.construct_yaml_bool(node)
                case "int":
                    return self._scalars.construct_yaml_int(node)
                case _:
                    return self._scalars.construct_yaml_float(node)
        except _UNREADABLE:
            self.add_fault(path, f"something that is no {kind}", "a number or a text in quotes")
            return None

    def _empty(self, path: Path) -> None:
        """A section whose entries are all commented out is as good as none; anywhere else an empty value is a slip."""
        if len(path) > 1:
            self.add_fault(path, "an empty value", "a value; or take the key out")


def read_tree(text: str) -> Tree:
    """The values of ``text``.

    Raises:
        SettingsError: it is not YAML, or not a mapping, or out of all proportion.
    """
    if len(text) > TEXT_CHARS_MAX:
        raise _whole_file(f"{len(text)} characters", f"at most {TEXT_CHARS_MAX}")
    node = _compose(text)
    if node is None:
        raise _whole_file("an empty file", "at least version, accounts, deployments and tasks; `changeover init` writes an example")
    tree = Tree()
    value = tree.take(node)
    if not isinstance(value, dict):
        if not tree.faults:
            tree.add_fault((), "no mapping at the top", "version:, accounts:, deployments: and tasks: at the top")
        raise SettingsError(tuple(fault for _, fault in tree.faults))
    tree.root = value
    return tree


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = _safe(error.problem or "no reason given")
        raise _whole_file(f"text that is not YAML{where} ({problem})", "one YAML document; correct that line") from None
    except yaml.reader.ReaderError as error:
        raise _whole_file(f"a sign that YAML does not allow, at position {error.position}", "printable text in UTF-8") from None
    except yaml.YAMLError:
        raise _whole_file("text that is not YAML", "one YAML document") from None
    except (RecursionError, *_UNREADABLE):
        raise _whole_file("text that YAML cannot read, such as very deep nesting", "a flat settings file") from None


def _whole_file(found: str, expected: str) -> SettingsError:
    return SettingsError((Fault(path=WHOLE_FILE, found=found, expected=expected),))


def _safe(text: str) -> str:
    """Words of the parser may quote the file."""
    return HIDDEN if looks_secret(text) else text[:120]
