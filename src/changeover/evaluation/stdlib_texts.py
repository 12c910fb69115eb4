"""Which real texts with a human summary stand on every machine? The documentation strings of Python's own standard library.

A text is the docstring of a module, class or function whose author wrote a summary line and then, after a blank line, three sentences
or more: the summary line is the reference, the rest is the document. Sources are parsed, never imported or run.
"""

import ast
import gc
import os
import re
import sysconfig
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from changeover.evaluation.sentences import split_sentences, words

SENTENCES_MIN: Final = 3
SUMMARY_WORDS_MIN: Final = 3
_PASSED_OVER: Final = frozenset(
    {
        "__pycache__",
        "_vendor",
        "ensurepip",
        "idlelib",
        "lib2to3",
        "pydoc_data",
        "site-packages",
        "dist-packages",
        "test",
        "tests",
        "turtledemo",
    }
)
_DOCSTRING: Final = re.compile(r"""(\"{3}|'{3})(.+?)\1""", re.DOTALL)
_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """One document with its author's own summary. ``name`` is where it stands: ``module/path.py:Class.method``."""

    name: str
    document: str
    reference: str


class NoTextsError(Exception):
    """The Python that runs has no readable sources of its standard library."""


def standard_library() -> Path:
    """The folder with this interpreter's standard library."""
    return Path(sysconfig.get_paths()["stdlib"])


def load_texts(folder: Path | None = None) -> tuple[Text, ...]:
    """All texts of ``folder`` (default: this interpreter's standard library), by path and place in the file, each document once.

    About 880 texts in about one and a half seconds of CPU; nothing is cached outside the process.
    Raises ``NoTextsError`` when there are none.
    """
    root = folder or standard_library()
    seen: dict[str, Text] = {}
    with _no_garbage_collection():
        for path in _source_files(root):
            for text in texts_of(path.read_text(encoding="utf-8", errors="replace"), name=path.relative_to(root).as_posix()):
                seen.setdefault(text.document, text)
    if not seen:
        raise NoTextsError(
            f"found no documented sources under {root}; expected the .py files of Python's standard library; "
            "install the full python3 package or use a Python that keeps its sources"
        )
    return tuple(seen.values())


def texts_of(source: str, *, name: str) -> Iterator[Text]:
    """The texts of one source file, in order. A file that this Python cannot parse has none."""
    if not any(_may_be_text(found[2]) for found in _DOCSTRING.finditer(source)):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old escapes in other people's strings
            tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for place, node in _documented(tree, place=""):
        docstring = ast.get_docstring(node)
        text = _as_text(docstring, name=f"{name}:{place}" if place else name) if docstring else None
        if text is not None:
            yield text


def _may_be_text(raw: str) -> bool:
    """Whether three sentences could be in it: a cheap look before the dear parse."""
    return len(re.findall(r"[.!?]", raw)) >= SENTENCES_MIN and "\n" in raw


def _documented(node: _Documented, *, place: str) -> Iterator[tuple[str, _Documented]]:
    """The node itself, then what is defined directly in it, in source order."""
    yield place, node
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _documented(child, place=f"{place}.{child.name}".lstrip("."))


def _as_text(docstring: str, *, name: str) -> Text | None:
    summary, _, rest = docstring.partition("\n")
    if not rest.startswith("\n") or len(words(summary)) < SUMMARY_WORDS_MIN:
        return None
    document = rest.strip()
    if len(split_sentences(document)) < SENTENCES_MIN:
        return None
    return Text(name=name, document=document, reference=summary.strip())


def _source_files(root: Path) -> list[Path]:
    """Every source under ``root``, sorted, without tests and without code that the authors of Python did not write."""
    found: list[Path] = []
    for folder, inner, files in os.walk(root):
        inner[:] = [name for name in inner if name not in _PASSED_OVER]
        found += [Path(folder, file) for file in files if file.endswith(".py")]
    return sorted(found, key=Path.as_posix)


@contextmanager
def _no_garbage_collection() -> Generator[None]:
    """Syntax trees are large, short-lived and free of cycles: looking for garbage among them costs more than the parsing itself."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
