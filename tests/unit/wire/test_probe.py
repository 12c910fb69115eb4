"""Requests made from shapes: the same parameters, harmless words, small limits, every value once."""

import msgspec
import pytest

from changeover.wire.probe import OUTPUT_TOKENS_MAX, PROMPT, Probe, plain_probe, probes_of
from changeover.wire.sent_shape import SentShape, merged, shape_of
from changeover.wire.surface import Surface

FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def shape(body: dict[str, object], surface: Surface = Surface.CHAT, query: bytes = b"") -> SentShape:
    return shape_of(surface, FIELDS.decode(msgspec.json.encode(body)), query=query)


def only(body: dict[str, object], surface: Surface = Surface.CHAT) -> Probe:
    (probe,), _ = probes_of([shape(body, surface)], most=20)
    return probe


MESSAGES: list[dict[str, object]] = [{"role": "developer", "content": "who you are"}, {"role": "user", "content": "what I want"}]


def test_a_chat_keeps_its_parameters_and_its_roles_and_none_of_its_words() -> None:
    body = only({"messages": MESSAGES, "temperature": 0.2, "max_tokens": 20, "user": "anna", "stop": "###", "stream": True}).body
    assert body == {
        "messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": PROMPT}],
        "temperature": 0.2,
        "max_tokens": 20,
        "user": "changeover-preflight",
        "stop": "<<end-of-test>>",
        "stream": True,
    }


def test_limits_of_the_output_are_small_but_for_one_request_with_the_largest() -> None:
    shapes = [shape({"messages": MESSAGES, "max_tokens": limit, "n": 5}) for limit in (16, 4000)]
    probes, known = probes_of([merged(shapes), shape({"messages": MESSAGES, "max_completion_tokens": 900})], most=20)
    assert known == 4
    assert [(probe.body.get("max_tokens"), probe.body.get("max_completion_tokens")) for probe in probes] == [
        (16, None),
        (4000, None),
        (None, OUTPUT_TOKENS_MAX),
        (OUTPUT_TOKENS_MAX, None),
    ]
    assert probes[0].body["n"] == 2


def test_every_value_that_was_seen_is_sent() -> None:
    seen = merged([shape({"temperature": number, "seed": 1}) for number in (0, 1, 0.5)])
    probes, _ = probes_of([seen], most=20)
    assert [probe.body["temperature"] for probe in probes] == [0, 1, 0.5]


def test_no_more_are_made_than_wanted_and_the_first_of_every_shape_comes_first() -> None:
    shapes = [merged([shape({f"p{number}": value}) for value in (1, 2)]) for number in range(15)]
    probes, known = probes_of(shapes, most=20)
    assert (len(probes), known) == (20, 30)
    assert [probe.body.get(f"p{number}") for number, probe in enumerate(probes[:15])] == [1] * 15


def test_what_cannot_be_made_up_is_left_out_and_named() -> None:
    probe = only({"messages": MESSAGES, "prediction": {"type": "content"}, "custom": "text", "previous_response_id": "resp_1"})
    assert probe.left_out == ("custom", "prediction", "previous_response_id")
    assert list(probe.body) == ["messages"]


def test_a_thinking_budget_keeps_the_limit_that_it_has_to_fit_into() -> None:
    body: dict[str, object] = {"messages": MESSAGES, "max_tokens": 4096, "thinking": {"type": "enabled", "budget_tokens": 2048}}
    assert only(body, Surface.MESSAGES).body["max_tokens"] == 4096


@pytest.mark.parametrize(
    ("surface", "sent", "made"),
    [
        (Surface.CHAT, {"tools": [{"type": "function"}], "tool_choice": "required"}, {"tool_choice": "required"}),
        (Surface.CHAT, {"tool_choice": {"type": "function", "function": {"name": "f"}}}, {
            "tool_choice": {"type": "function", "function": {"name": "note_result"}}
        }),
        (Surface.MESSAGES, {"tool_choice": {"type": "tool", "name": "f"}}, {"tool_choice": {"type": "tool", "name": "note_result"}}),
        (Surface.MESSAGES, {"tool_choice": {"type": "any"}}, {"tool_choice": {"type": "any"}}),
        (Surface.RESPONSES, {"tool_choice": {"type": "function", "name": "f"}}, {
            "tool_choice": {"type": "function", "name": "note_result"}
        }),
        (Surface.RESPONSES, {"input": "text", "instructions": "i"}, {"input": PROMPT, "instructions": "Be brief."}),
        (Surface.RESPONSES, {"input": [{"role": "user"}], "reasoning": {"effort": "low"}}, {
            "input": [{"role": "user", "content": PROMPT}], "reasoning": {"effort": "low"}
        }),
        (Surface.RESPONSES, {"text": {"format": {"type": "json_object"}}}, {"text": {"format": {"type": "json_object"}}}),
        (Surface.COMPLETIONS, {"prompt": ["a"], "suffix": "s"}, {"prompt": [PROMPT], "suffix": "changeover-preflight"}),
        (Surface.EMBEDDINGS, {"input": ["a"], "encoding_format": "base64", "dimensions": 256}, {
            "input": [PROMPT], "encoding_format": "base64", "dimensions": 256
        }),
        (Surface.CHAT, {"response_format": {"type": "json_object"}}, {"response_format": {"type": "json_object"}}),
        (Surface.CHAT, {"logit_bias": {"50256": -100}, "metadata": {"a": "b"}}, {
            "logit_bias": {}, "metadata": {"purpose": "changeover-preflight"}
        }),
        (Surface.CHAT, {"temperature": None}, {"temperature": None}),
    ],
)  # fmt: skip
def test_each_surface_gets_values_of_its_own_form(surface: Surface, sent: dict[str, object], made: dict[str, object]) -> None:
    body = only(sent, surface).body
    assert {name: body[name] for name in made} == made


def test_the_schema_of_a_json_answer_stands_where_the_surface_wants_it() -> None:
    chat = only({"response_format": {"type": "json_schema", "json_schema": {}}}).body["response_format"]
    responses = only({"text": {"format": {"type": "json_schema"}}}, Surface.RESPONSES).body["text"]
    assert chat["json_schema"]["strict"] is True  # type: ignore[index]
    assert responses["format"]["schema"]["required"] == ["ok"]  # type: ignore[index]


def test_a_json_answer_is_asked_for_in_words_too_as_apis_want_it() -> None:
    assert "JSON" in PROMPT


def test_the_date_that_callers_ask_for_goes_along() -> None:
    (probe,), _ = probes_of([shape({"messages": MESSAGES}, query=b"api-version=2024-10-21")], most=1)
    assert (probe.ask.operation, probe.ask.query) == (b"/chat/completions", b"api-version=2024-10-21")


def test_a_plain_request_has_what_its_surface_cannot_do_without() -> None:
    assert plain_probe(Surface.CHAT).names == ("messages",)
    assert plain_probe(Surface.MESSAGES).body["max_tokens"] == OUTPUT_TOKENS_MAX
    assert plain_probe(Surface.EMBEDDINGS).names == ("input",)
    assert plain_probe(Surface.COMPLETIONS).names == ("prompt",)
