"""Where does a sentence end, and what are its words? Plain rules for English prose; no model, no language data."""

import re
from typing import Final

_SENTENCE_END: Final = re.compile(r"""(?<=[.!?])["')\]]*\s+(?=[A-Z"'(\[`*])""")
_WORD: Final = re.compile(r"[a-z0-9]+")
WORDS_MIN: Final = 3
"""What has fewer words than this is a heading, a label or a stray mark, not a sentence."""


def words(text: str) -> list[str]:
    """Lower-case runs of ASCII letters and digits: the tokens that ROUGE counts."""
    return _WORD.findall(text.lower())


def split_sentences(text: str) -> list[str]:
    """The sentences of ``text`` in order, white space collapsed: split after ``.``, ``!`` or ``?`` before a capital, a quotation mark
    or a bracket. A line break inside a sentence is a space.
    """
    flat = " ".join(text.split())
    return [sentence for sentence in _SENTENCE_END.split(flat) if len(words(sentence)) >= WORDS_MIN]
