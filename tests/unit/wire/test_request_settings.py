"""A request reads as its deployment wants it, and no byte of the rest is touched."""

import json
from typing import Any

import msgspec
import pytest

from changeover.versions import RequestSettings
from changeover.wire.request_settings import PROMPT_GAP, apply_settings
from changeover.wire.surface import FIRST_CLASS, Surface

USER = {"role": "user", "content": "Hello"}
OURS = "Be brief."


def raw(fields: dict[str, Any]) -> dict[str, msgspec.Raw]:
    return {name: msgspec.Raw(value if isinstance(value, bytes) else json.dumps(value).encode()) for name, value in fields.items()}


def applied(fields: dict[str, Any], settings: RequestSettings, surface: Surface = Surface.CHAT) -> dict[str, Any]:
    return {name: json.loads(bytes(value)) for name, value in apply_settings(surface, raw(fields), settings).items()}


def prompted(fields: dict[str, Any], mode: Any = "replace", surface: Surface = Surface.CHAT) -> dict[str, Any]:
    return applied(fields, RequestSettings(system_prompt=OURS, system_prompt_mode=mode), surface)


@pytest.mark.parametrize("surface", sorted(FIRST_CLASS))
def test_parameters_are_renamed_then_dropped_then_set(surface: Surface) -> None:
    settings = RequestSettings(rename={"max_tokens": "max_completion_tokens"}, drop=("temperature", "gone"), set={"n": 1, "stop": ["a"]})
    fields = {"model": "m", "max_tokens": 5, "temperature": 1, "n": 3, "seed": 7}
    assert applied(fields, settings, surface) == {"model": "m", "max_completion_tokens": 5, "n": 1, "seed": 7, "stop": ["a"]}
    assert "max_tokens" in fields


def test_a_renamed_parameter_gives_way_to_one_that_has_the_name_already() -> None:
    settings = RequestSettings(rename={"max_tokens": "max_completion_tokens"})
    for fields in ({"max_tokens": 5, "max_completion_tokens": 9}, {"max_completion_tokens": 9, "max_tokens": 5}):
        assert applied(fields, settings) == {"max_completion_tokens": 9}


def test_what_is_not_touched_keeps_its_bytes() -> None:
    values = {"seed": b"12345678901234567890", "temperature": b"1.00", "user": b'"caf\\u00e9"', "messages": b'[ {"role":"user"} ]'}
    found = apply_settings(Surface.CHAT, raw({**values, "x": 1}), RequestSettings(drop=("x",), rename={"temperature": "heat"}))
    assert {name: bytes(value) for name, value in found.items()} == {("heat" if k == "temperature" else k): v for k, v in values.items()}


@pytest.mark.parametrize("surface", sorted(set(Surface) - FIRST_CLASS))
def test_surfaces_that_pass_through_are_left_alone(surface: Surface) -> None:
    settings = RequestSettings(drop=("a",), set={"b": 1}, system_prompt=OURS)
    assert applied({"a": 1, "messages": [USER]}, settings, surface) == {"a": 1, "messages": [USER]}


@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_system_prompt_takes_the_place_of_the_callers_own(role: str) -> None:
    own = {"role": role, "content": "Be long.", "name": "x"}
    assert prompted({"messages": [own, USER]}) == {"messages": [{"role": role, "content": OURS}, USER]}
    assert prompted({"messages": [own, {"role": "system", "content": "And kind."}, USER, own]}) == {
        "messages": [{"role": role, "content": OURS}, USER, own]
    }


@pytest.mark.parametrize("mode", ["replace", "prepend"])
def test_a_chat_without_a_system_prompt_gets_one(mode: str) -> None:
    assert prompted({"messages": [USER]}, mode) == {"messages": [{"role": "system", "content": OURS}, USER]}
    assert prompted({"messages": []}, mode) == {"messages": [{"role": "system", "content": OURS}]}


def test_a_system_prompt_stands_before_the_callers_own() -> None:
    own = {"role": "developer", "content": "Be long.", "name": "x"}
    assert prompted({"messages": [own, USER]}, "prepend") == {"messages": [{**own, "content": OURS + PROMPT_GAP + "Be long."}, USER]}
    parts = [{"type": "text", "text": "Be long."}]
    assert prompted({"messages": [{**own, "content": parts}]}, "prepend") == {
        "messages": [{**own, "content": [{"type": "text", "text": OURS}, *parts]}]
    }
    assert prompted({"messages": [{**own, "content": None}]}, "prepend") == {"messages": [{**own, "content": OURS}]}
    assert prompted({"messages": [{**own, "content": 3}]}, "prepend") == {"messages": [{**own, "content": 3}]}


@pytest.mark.parametrize("messages", [None, 3, "x", {"role": "system"}])
def test_messages_that_are_no_list_are_left_for_the_provider_to_refuse(messages: object) -> None:
    assert prompted({"messages": messages}) == {"messages": messages}
    assert prompted({}) == {}


def test_messages_that_are_no_messages_do_no_harm() -> None:
    assert prompted({"messages": [3, None, {"role": 4}]}) == {"messages": [{"role": "system", "content": OURS}, 3, None, {"role": 4}]}


@pytest.mark.parametrize("before", [{}, {"instructions": None}])
@pytest.mark.parametrize("mode", ["replace", "prepend"])
def test_the_system_prompt_of_a_response_are_its_instructions(before: dict[str, Any], mode: str) -> None:
    assert prompted({"input": "x", **before}, mode, Surface.RESPONSES) == {"input": "x", "instructions": OURS}


def test_instructions_are_replaced_or_come_after_ours() -> None:
    fields = {"instructions": "Be long."}
    assert prompted(fields, "replace", Surface.RESPONSES) == {"instructions": OURS}
    assert prompted(fields, "prepend", Surface.RESPONSES) == {"instructions": OURS + PROMPT_GAP + "Be long."}
    assert prompted({"instructions": [3]}, "prepend", Surface.RESPONSES) == {"instructions": [3]}


@pytest.mark.parametrize("surface", [Surface.COMPLETIONS, Surface.EMBEDDINGS])
def test_other_surfaces_have_no_system_prompt(surface: Surface) -> None:
    assert prompted({"prompt": "x", "input": "y", "messages": [USER]}, surface=surface) == {"prompt": "x", "input": "y", "messages": [USER]}
