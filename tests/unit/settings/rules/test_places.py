"""In which line a path stands."""

import pytest

from changeover.settings.rules.places import Places

TEXT = """\
version: 1
tasks:
  email:
    stable: old
    failover:
      - a
      - b
  "a.b": {stable: old}
check: {silence: [{rule: x}, {rule: y}]}
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("version", (1, 1)),
        ("tasks.email", (3, 3)),
        ("tasks.email.stable", (4, 5)),
        ("tasks.email.failover[1]", (7, 9)),
        ('tasks."a.b"', (8, 3)),
        ('tasks."a.b".stable', (8, 11)),
        ("check.silence[1]", (9, 30)),
    ],
)
def test_a_key_stands_where_it_is_written(path: str, place: tuple[int, int]) -> None:
    assert Places(TEXT).of(path) == place


@pytest.mark.parametrize(
    ("path", "line"),
    [("tasks.email.criteria.quality", 3), ("tasks.email.failover[9]", 5), ("rollouts.up", 1), ("(file)", 1), ('tasks."c.d"', 2)],
)
def test_what_is_not_written_stands_where_the_nearest_around_it_does(path: str, line: int) -> None:
    assert Places(TEXT).of(path).line == line


def test_a_text_that_is_not_yaml_has_the_place_where_reading_stopped() -> None:
    assert Places("a: 1\nb: [1\nc: }").of("(file)").line == 3


@pytest.mark.parametrize("text", ["", "\x00", "- 1", "a: &a [*a]", "? [x]\n: 1"])
def test_a_text_of_any_kind_has_a_first_line(text: str) -> None:
    assert Places(text).of("tasks.email").line == 1
