"""In which line does it stand? Paths of the file, and where their keys are written. Reads positions only, judges nothing."""

from typing import Final, NamedTuple, cast

import yaml

from changeover.settings.paths import Path, written
from changeover.settings.tree import DEPTH_MAX, NODES_MAX, TEXT_CHARS_MAX


class Place(NamedTuple):
    """Counted from 1."""

    line: int
    column: int


FIRST: Final = Place(1, 1)
_BORDERS: Final = (".", "[")
_UNREADABLE: Final = (yaml.YAMLError, RecursionError, ValueError, KeyError, IndexError)


class Places:
    """Where the keys of a text stand. A text that cannot be read has one place: where reading stopped."""

    def __init__(self, text: str) -> None:
        self._by_path: dict[str, Place] = {}
        self._whole = FIRST
        self._nodes = 0
        if len(text) > TEXT_CHARS_MAX:
            return
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._whole = FIRST if mark is None else Place(mark.line + 1, mark.column + 1)
        except _UNREADABLE:
            pass
        else:
            if node is not None:
                self._take(node, ())

    def of(self, path: str) -> Place:
        """The place of ``path``, or of the nearest thing around it that is written."""
        while path not in self._by_path:
            cut = max(path.rfind(border) for border in _BORDERS)
            if cut <= 0:
                return self._whole
            path = path[:cut]
        return self._by_path[path]

    def _take(self, node: yaml.Node, path: Path) -> None:
        self._nodes += 1
        if self._nodes > NODES_MAX or len(path) > DEPTH_MAX:
            return
        if isinstance(node, yaml.MappingNode):
            for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
                if isinstance(key, yaml.ScalarNode):
                    self._note(key, (*path, cast("str", key.value)))
                    self._take(value, (*path, cast("str", key.value)))
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(cast("list[yaml.Node]", node.value)):
                self._note(item, (*path, index))
                self._take(item, (*path, index))

    def _note(self, node: yaml.Node, path: Path) -> None:
        mark = node.start_mark
        self._by_path.setdefault(written(path), Place(mark.line + 1, mark.column + 1))
