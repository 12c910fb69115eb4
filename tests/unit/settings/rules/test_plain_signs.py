"""What comes from a file can be printed anywhere, and shows no key."""

import pytest

from changeover.settings.rules.plain_signs import in_plain_signs


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the name grün for gpt-4o 2024-11-20", "the name grün for gpt-4o 2024-11-20"),
        ("a\x07b\nc", r"a\x07b\nc"),
        ("a\ud800b", r"a\ud800b"),
        ("the name sk-proj-0123456789abcdef, which", "the name (not shown), which"),
    ],
)
def test_text_is_one_line_of_printable_signs_without_a_key(text: str, shown: str) -> None:
    assert in_plain_signs(text) == shown
