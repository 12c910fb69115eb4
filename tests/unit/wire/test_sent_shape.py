"""The shape of a request: names, numbers, switches, the API's words, and nothing that a caller wrote."""

import msgspec
import pytest

from changeover.wire.sent_shape import NAMES_MAX, VALUES_MAX, SentShape, SentValue, ValueKind, merged, shape_of
from changeover.wire.surface import Surface

FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def shape(body: object, *, surface: Surface = Surface.CHAT, query: bytes = b"") -> SentShape:
    return shape_of(surface, FIELDS.decode(msgspec.json.encode(body)), query=query)


def value(name: str, of: object, *, surface: Surface = Surface.CHAT) -> SentValue:
    return shape({name: of}, surface=surface).values[name][0]


@pytest.mark.parametrize(
    ("of", "kind", "kept"),
    [
        (0.25, ValueKind.NUMBER, 0.25),
        (200, ValueKind.NUMBER, 200),
        (-1, ValueKind.NUMBER, -1),
        (True, ValueKind.BOOLEAN, True),
        (False, ValueKind.BOOLEAN, False),
        (None, ValueKind.NULL, None),
        ("a text", ValueKind.TEXT, None),
        ({"a": "text"}, ValueKind.OBJECT, None),
        ([{"a": 1}], ValueKind.OBJECTS, None),
        (["a"], ValueKind.TEXTS, None),
        ([1, 2], ValueKind.NUMBERS, None),
        ([-0.5], ValueKind.NUMBERS, None),
        ([], ValueKind.ARRAY, None),
        ([[1]], ValueKind.ARRAY, None),
        ([None], ValueKind.ARRAY, None),
    ],
)
def test_a_value_is_kept_by_its_kind_and_only_numbers_and_switches_as_they_are(of: object, kind: ValueKind, kept: object) -> None:
    assert value("anything", of) == SentValue(kind=kind, value=kept)  # pyright: ignore[reportArgumentType]


def test_the_words_of_the_api_are_kept_where_they_belong_and_nowhere_else() -> None:
    assert value("reasoning_effort", "minimal") == SentValue(kind=ValueKind.WORD, value="minimal")
    assert value("tool_choice", "auto").value == "auto"
    assert value("reasoning_effort", "Miriam") == SentValue(kind=ValueKind.TEXT)
    assert value("user", "low") == SentValue(kind=ValueKind.TEXT)
    assert value("response_format", {"type": "json_schema", "json_schema": {"name": "secret"}}).parts == {"type": "json_schema"}
    assert value("response_format", {"type": "my own"}).parts == {}
    assert value("stream_options", {"include_usage": True, "x": 1}).parts == {"include_usage": True}
    assert value("thinking", {"type": "enabled", "budget_tokens": 2048}).parts == {"type": "enabled", "budget_tokens": 2048}
    assert value("text", {"format": {"type": "json_object"}, "verbosity": "low"}, surface=Surface.RESPONSES).parts == {
        "format.type": "json_object",
        "verbosity": "low",
    }


def test_of_messages_only_the_roles_are_kept_that_some_versions_refuse() -> None:
    seen = value("messages", [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}, {"role": "Anna"}, {}])
    assert seen == SentValue(kind=ValueKind.OBJECTS, parts={"system": True})


def test_the_model_and_names_that_are_no_names_are_left_out() -> None:
    assert list(shape({"model": "m", "top_p": 1, "anna@example.com": 1, "": 1, "a b": 1, "x" * 65: 1}).values) == ["top_p"]
    assert len(shape({f"name_{number}": 1 for number in range(200)}).values) == NAMES_MAX


def test_only_the_date_of_the_query_is_kept() -> None:
    assert shape({}, query=b"user=anna&api-version=2024-10-21").api_version == "2024-10-21"
    assert shape({}, query=b"api-version=anna").api_version == ""
    assert shape({}, query=b"xapi-version=2024-10-21").api_version == ""


@pytest.mark.parametrize("raw", [b"[1,", b"{", b'"\\ud800"', b"1" * 40, b"[" * 5000, b"1e999"])
def test_what_cannot_be_read_has_a_kind_and_no_value(raw: bytes) -> None:
    fields = {name: msgspec.Raw(raw) for name in ("messages", "text", "tool_choice", "n", "reasoning_effort")}
    for seen in shape_of(Surface.CHAT, fields).values.values():
        assert seen[0].parts == {}


def test_shapes_are_one_when_they_name_the_same_parameters_on_the_same_surface() -> None:
    one = shape({"temperature": 0, "top_p": 1})
    assert one.key == shape({"top_p": 0.5, "temperature": 1}).key
    assert one.key != shape({"temperature": 0}).key
    assert one.key != shape({"temperature": 0, "top_p": 1}, surface=Surface.RESPONSES).key
    assert one.key != shape({"temperature": 0, "top_p": 1}, query=b"api-version=2024-10-21").key


def test_merging_keeps_the_newest_different_values_of_each_parameter() -> None:
    shapes = [shape({"temperature": number / 10, "stream": True}) for number in (3, 3, 2, 1, 3, 5, 6)]
    both = merged(shapes)
    assert [seen.value for seen in both.values["temperature"]] == [0.3, 0.2, 0.1, 0.5]
    assert len(both.values["temperature"]) == VALUES_MAX
    assert both.values["stream"] == (SentValue(kind=ValueKind.BOOLEAN, value=True),)


def test_a_shape_comes_back_from_json_as_it_was() -> None:
    whole = shape({"temperature": 0.2, "stream": True, "tools": [{"a": 1}], "reasoning": {"effort": "low"}, "stop": None})
    assert msgspec.json.decode(msgspec.json.encode(whole), type=SentShape) == whole
