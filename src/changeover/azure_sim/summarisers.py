"""What does a version of the small text model answer? Four extractive summarisers: text in, a sentence of that text out.

They are real, deterministic and modest. Nothing here is drawn from a distribution: one is better than another because it reads better.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Final

from changeover.evaluation.sentences import split_sentences, words

Summariser = Callable[[str], str]

COMPRESSED_WORDS_MIN: Final = 4
"""A cut that would leave fewer words than this is not made."""
TEXTRANK_DAMPING: Final = 0.85
TEXTRANK_SENTENCES_MAX: Final = 60
"""Similarity is quadratic in sentences; what stands beyond this many is left unread."""
_TEXTRANK_ROUNDS_MAX: Final = 50
_TEXTRANK_CLOSE: Final = 1e-6

_PARENTHESIS: Final = re.compile(r"\s*\([^()]*\)")
_OPENING_CONNECTIVE: Final = re.compile(
    r"^(?:however|therefore|thus|also|then|so|but|and|note that|note|in addition|in particular|for example|by default|otherwise|"
    r"instead|similarly|finally|normally|usually|typically)[,:]?\s+",
    re.IGNORECASE,
)
_OPENING_CLAUSE: Final = re.compile(
    r"^(?:if|when|while|unless|although|because|since|as|for|on|in|by|after|before|given|with)\b[^,]{3,80},\s+(?=\w+\s+\w+)",
    re.IGNORECASE,
)
_AFTER_COLON: Final = re.compile(r"\s*[:;]\s.*$", re.DOTALL)
_CLOSING_CLAUSE: Final = re.compile(
    r"(?:,\s+|\s+)(?:which|who|whose|where|because|since|so that|unless|although|though|while|whereas|such as|including|e\.g\.|i\.e\.|"
    r"if|when|even if|but|rather than|instead of|except|as well as|until)\b.*$",
    re.IGNORECASE | re.DOTALL,
)
_CUTS: Final = (_PARENTHESIS, _OPENING_CONNECTIVE, _OPENING_CLAUSE, _AFTER_COLON, _CLOSING_CLAUSE)


def first_sentence(document: str) -> str:
    """The first sentence: the strong, simple choice, because people put the main point first."""
    return _sentences(document)[0]


def first_sentence_compressed(document: str) -> str:
    """The first sentence without parentheses, opening connectives and clauses, and what follows a colon or a subordinating word."""
    sentence = first_sentence(document)
    for cut in _CUTS:
        shorter = cut.sub("", sentence).strip()
        if len(words(shorter)) >= COMPRESSED_WORDS_MIN:
            sentence = shorter
    return sentence


def last_sentence(document: str) -> str:
    """The last sentence: truly worse, because the end of a text is about its details."""
    return _sentences(document)[-1]


def textrank(document: str) -> str:
    """The most central sentence (Mihalcea and Tarau, 2004): PageRank over shared words, the earlier sentence on a tie."""
    sentences = _sentences(document)[:TEXTRANK_SENTENCES_MAX]
    ranks = _pagerank(_similarities([frozenset(words(sentence)) for sentence in sentences]))
    return sentences[max(range(len(sentences)), key=lambda index: (round(ranks[index], 9), -index))]


def _sentences(document: str) -> list[str]:
    """At least one sentence: a text without any is its own, white space collapsed."""
    return split_sentences(document) or [" ".join(document.split())]


def _similarities(bags: Sequence[frozenset[str]]) -> list[list[float]]:
    """Words in common over the sum of the logarithms of both lengths, as in the paper; 0 with itself."""
    return [[_similarity(one, other) if one is not other else 0.0 for other in bags] for one in bags]


def _similarity(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / (math.log(len(one) + 1) + math.log(len(other) + 1)) if shared else 0.0


def _pagerank(weights: Sequence[Sequence[float]]) -> list[float]:
    """Ranks summing to 1 by power iteration; a sentence that shares no word spreads its rank evenly."""
    count = len(weights)
    out = [sum(row) for row in weights]
    ranks = [1.0 / count] * count
    for _ in range(_TEXTRANK_ROUNDS_MAX):
        stranded = sum(rank for rank, total in zip(ranks, out, strict=True) if not total) / count
        given = [rank / total if total else 0.0 for rank, total in zip(ranks, out, strict=True)]
        moved = [
            (1 - TEXTRANK_DAMPING) / count
            + TEXTRANK_DAMPING * (stranded + sum(given[source] * weights[source][target] for source in range(count)))
            for target in range(count)
        ]
        change = max(abs(new - old) for new, old in zip(moved, ranks, strict=True))
        ranks = moved
        if change < _TEXTRANK_CLOSE:
            break
    return ranks
