"""The house rules that no linter knows."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "src" / "changeover"
FILES = sorted(SOURCE.rglob("*.py"))
FILE_LINES_MAX = 500
NAMELESS_ROOMS = {"utils", "util", "common", "core", "helpers", "misc", "manager", "shared", "base"}


def test_the_sources_are_found() -> None:
    assert len(FILES) > 40


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_is_one_noun_with_a_first_sentence(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= FILE_LINES_MAX, "split the file: one noun a file"
    assert ast.get_docstring(ast.parse(text)), "open the module with the question it answers"


def test_no_room_or_file_has_a_name_that_says_nothing() -> None:
    names = {part for path in FILES for part in (*path.relative_to(SOURCE).parent.parts, path.stem)}
    assert not names & NAMELESS_ROOMS


def test_no_source_speaks_of_unfinished_work() -> None:
    words = ("TODO", "FIXME", "XXX", "NotImplementedError")
    assert [f"{path.name}: {word}" for path in FILES for word in words if word in path.read_text()] == []
