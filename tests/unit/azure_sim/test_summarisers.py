"""The summarisers are real: what makes one better than another is measured on real text."""

from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.azure_sim.summarisers import (
    COMPRESSED_WORDS_MIN,
    Summariser,
    first_sentence,
    first_sentence_compressed,
    last_sentence,
    textrank,
)
from changeover.azure_sim.tokens import modelled_tokens
from changeover.evaluation.rouge import rouge_l_f1
from changeover.evaluation.sentences import words
from changeover.evaluation.stdlib_texts import Text, load_texts

DOCUMENT = "By default, the reader opens a file (in text mode), which must exist. It never writes. The file is closed at the end."


@pytest.fixture(scope="module")
def texts() -> tuple[Text, ...]:
    return load_texts()


def mean_score(summarise: Summariser, texts: tuple[Text, ...]) -> float:
    return fmean(rouge_l_f1(summarise(text.document), text.reference) for text in texts)


def mean_tokens(summarise: Summariser, texts: tuple[Text, ...]) -> float:
    return fmean(modelled_tokens(summarise(text.document)) for text in texts)


def test_the_first_sentence_is_taken_as_it_stands() -> None:
    assert first_sentence(DOCUMENT) == "By default, the reader opens a file (in text mode), which must exist."


def test_compression_cuts_asides_openings_and_trailing_clauses() -> None:
    assert first_sentence_compressed(DOCUMENT) == "the reader opens a file"


def test_compression_never_leaves_a_stump() -> None:
    assert first_sentence_compressed("Return if closed. Nothing else is done. It is cheap.") == "Return if closed."
    assert first_sentence_compressed("(This is all in brackets here.) And more follows.") != ""


def test_the_last_sentence_is_taken_as_it_stands() -> None:
    assert last_sentence(DOCUMENT) == "The file is closed at the end."


def test_textrank_takes_the_sentence_that_shares_most_with_the_others() -> None:
    document = "Cats purr softly. The parser reads tokens from the file. Tokens come from the file in order. The parser keeps tokens."
    assert textrank(document) == "The parser reads tokens from the file."


def test_textrank_takes_the_first_of_sentences_that_share_nothing() -> None:
    assert textrank("Alpha beta gamma. Delta epsilon zeta. Eta theta iota.") == "Alpha beta gamma."


@pytest.mark.parametrize("summarise", [first_sentence, first_sentence_compressed, textrank, last_sentence])
@given(document=st.text(min_size=1, max_size=300))
def test_any_text_gets_an_answer_twice_the_same(summarise: Summariser, document: str) -> None:
    assert summarise(document) == summarise(document)


def test_on_real_text_compressed_is_no_worse_than_first_and_last_is_truly_worse(texts: tuple[Text, ...]) -> None:
    first = mean_score(first_sentence, texts)
    assert first == pytest.approx(0.162, abs=0.02)
    assert mean_score(first_sentence_compressed, texts) > first - 0.003
    assert mean_score(textrank, texts) == pytest.approx(0.135, abs=0.02)
    assert mean_score(last_sentence, texts) < first - 0.045


def test_on_real_text_compression_saves_a_quarter_of_the_tokens(texts: tuple[Text, ...]) -> None:
    assert mean_tokens(first_sentence_compressed, texts) < 0.75 * mean_tokens(first_sentence, texts)
    assert all(len(words(first_sentence_compressed(text.document))) >= min(COMPRESSED_WORDS_MIN, 3) for text in texts)
