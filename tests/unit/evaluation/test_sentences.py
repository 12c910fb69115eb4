"""Sentences and words of English prose."""

from changeover.evaluation.sentences import split_sentences, words


def test_a_sentence_goes_on_over_a_line_break() -> None:
    assert split_sentences("Open the file\nfor reading. Close it\n\nwhen done.") == ["Open the file for reading.", "Close it when done."]


def test_an_abbreviation_before_a_small_letter_ends_nothing() -> None:
    assert split_sentences("Takes a mode, e.g. read. The rest is ignored.") == ["Takes a mode, e.g. read.", "The rest is ignored."]


def test_what_is_too_short_to_be_a_sentence_is_dropped() -> None:
    assert split_sentences("Note. The caller must close the file.") == ["The caller must close the file."]


def test_text_without_words_has_no_sentences() -> None:
    assert split_sentences(" \n ... \n") == []


def test_words_are_lower_case_runs_of_letters_and_digits() -> None:
    assert words("Return a PEP-484 type, x2!") == ["return", "a", "pep", "484", "type", "x2"]
