"""Texts are found by reading sources, never by running them."""

from pathlib import Path

import pytest

from changeover.evaluation.sentences import split_sentences
from changeover.evaluation.stdlib_texts import SENTENCES_MIN, NoTextsError, load_texts, texts_of

BODY = "It takes one argument. The argument is a path. It returns nothing at all."
SOURCE = f'''
"""The summary of the module.

{BODY}
"""

raise SystemExit("this source must never run")


class Reader:
    """Reads things from disk.

    The class has a body. The body has sentences. There are three of them.
    """

    async def read(self):
        """Read one thing now.

        First it opens the file. Then it reads from it. Then it closes it again.
        """

    def short(self):
        """A summary alone says too little."""

    def brief(self):
        """A summary with a short body.

        One sentence is here. A second one follows.
        """

    def joined(self):
        """A summary without a blank line after it
        runs on. Here is the second sentence. Here is the third. And a fourth one.
        """
'''


def test_module_class_and_method_give_a_text_each_in_source_order() -> None:
    texts = list(texts_of(SOURCE, name="shop/reader.py"))
    assert [(text.name, text.reference) for text in texts] == [
        ("shop/reader.py", "The summary of the module."),
        ("shop/reader.py:Reader", "Reads things from disk."),
        ("shop/reader.py:Reader.read", "Read one thing now."),
    ]
    assert texts[0].document == BODY


def test_the_summary_is_no_part_of_the_document() -> None:
    assert all(text.reference not in text.document for text in texts_of(SOURCE, name="a.py"))


def test_a_source_that_cannot_be_parsed_has_no_texts() -> None:
    assert list(texts_of(SOURCE + "\ndef broken(:", name="a.py")) == []


def test_tests_and_foreign_code_are_passed_over_and_copies_count_once(tmp_path: Path) -> None:
    for place in ("b.py", "a.py", "test/c.py", "site-packages/d.py", "deep/tests/e.py"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SOURCE)
    (tmp_path / "c.py").write_text('"""Another summary line.\n\nOne thing is here. Two things are here. Three things are here.\n"""\n')
    assert [text.name for text in load_texts(tmp_path)] == ["a.py", "a.py:Reader", "a.py:Reader.read", "c.py"]


def test_a_folder_without_texts_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(NoTextsError, match="install the full python3 package"):
        load_texts(tmp_path)


def test_this_machines_python_has_hundreds_of_texts() -> None:
    texts = load_texts()
    assert len(texts) > 500
    assert len({text.document for text in texts}) == len(texts)
    assert all(len(split_sentences(text.document)) >= SENTENCES_MIN for text in texts)
