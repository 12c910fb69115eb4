"""The shipped list of retirements: dated, with its source, and readable."""

from changeover.bootstrap.check_facts import shipped_list
from changeover.versions import ModelVersion
from changeover.versions.dates import day_words


def test_the_shipped_list_says_when_and_where_it_was_read() -> None:
    shipped = shipped_list()
    assert (shipped.provider, shipped.as_of) == ("azure-openai", "2026-10-05")
    assert "azure-ai-docs" in shipped.source
    keys = [(row.model, row.version) for row in shipped.rows]
    assert len(keys) == len(set(keys)) == 77


def test_every_row_has_a_day_that_exists_or_none_at_all() -> None:
    for row in shipped_list().rows:
        assert row.retires is None or (row.retires_at is not None and day_words(row.retires_at) == row.retires)


def test_a_version_is_found_by_its_exact_name() -> None:
    shipped = shipped_list()
    found = shipped.row_of(ModelVersion(name="gpt-4o", version="2024-05-13"))
    assert found is not None
    assert found.retires == "2026-12-09"
    assert shipped.row_of(ModelVersion(name="gpt-4o", version="2025-05-13")) is None
