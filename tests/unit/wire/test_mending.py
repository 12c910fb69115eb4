"""Which setting mends a refusal: renamed where the provider names a successor, dropped elsewhere, never a contradiction."""

import msgspec
import pytest

from changeover.versions import RequestSettings
from changeover.wire.failure import classify
from changeover.wire.mending import Mend, mend_for, mended, refused_parameter
from changeover.wire.surface import Surface

NOTHING = RequestSettings()
USE = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
VALUE = "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported."
EFFORT = (
    "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. Supported values are: 'none', 'low', and 'high'."
)


def mend(parameter: str, message: str = "", *, settings: RequestSettings = NOTHING, value: object = None) -> Mend:
    return mend_for(parameter, surface=Surface.CHAT, message=message, value=value, settings=settings)


def test_a_parameter_with_a_successor_is_renamed() -> None:
    assert mend("max_tokens", USE).setting == "rename: {max_tokens: max_completion_tokens}"
    assert mend("max_tokens", "Unsupported parameter: 'max_tokens'").setting == "rename: {max_tokens: max_completion_tokens}"


def test_a_parameter_without_a_successor_and_a_value_that_is_refused_are_dropped() -> None:
    assert mend("top_p", "Unsupported parameter: 'top_p' is not supported with this model.").setting == "drop: [top_p]"
    assert mend("temperature", VALUE).setting == "drop: [temperature]"


def test_a_word_that_is_refused_gives_way_to_the_nearest_that_is_taken() -> None:
    assert mend("reasoning_effort", EFFORT, value="minimal").setting == "set: {reasoning_effort: none}"
    assert mend("reasoning_effort", EFFORT, value="xhigh").setting == "set: {reasoning_effort: high}"
    assert mend("service_tier", EFFORT, value="minimal").setting == "drop: [service_tier]"


def test_what_no_setting_changes_is_said_to_be_so() -> None:
    assert mend("messages").how == "none"
    assert mend("stream").setting == "no request setting changes stream"


def test_what_the_settings_themselves_set_is_taken_out_of_them() -> None:
    settings = RequestSettings(set={"reasoning_effort": "low"})
    found = mend("reasoning_effort", settings=settings)
    assert (found.setting, mended(settings, found)) == ("take reasoning_effort out of set", NOTHING)


def test_a_parameter_that_came_by_another_name_is_renamed_again_or_dropped_at_its_source() -> None:
    settings = RequestSettings(rename={"max_tokens": "max_completion_tokens"})
    again = mend("max_completion_tokens", "Use 'max_output_tokens' instead.", settings=settings)
    assert mended(settings, again).rename == {"max_tokens": "max_output_tokens"}
    back = mend("max_completion_tokens", "Use 'max_tokens' instead.", settings=settings)
    assert mended(settings, back) == RequestSettings(drop=("max_tokens", "max_completion_tokens"))


@pytest.mark.parametrize(
    "settings",
    [
        RequestSettings(rename={"limit": "max_completion_tokens"}),
        RequestSettings(rename={"max_completion_tokens": "other"}),
        RequestSettings(drop=("max_completion_tokens",)),
        RequestSettings(set={"max_completion_tokens": 5}),
    ],
)
def test_no_rename_contradicts_what_the_settings_say_already(settings: RequestSettings) -> None:
    assert mend("max_tokens", USE, settings=settings).setting == "drop: [max_tokens]"


def test_settings_grow_by_every_mend() -> None:
    settings = NOTHING
    for parameter, message in (("max_tokens", USE), ("temperature", VALUE), ("top_p", "")):
        settings = mended(settings, mend(parameter, message, settings=settings))
    assert settings == RequestSettings(rename={"max_tokens": "max_completion_tokens"}, drop=("temperature", "top_p"))
    assert mended(settings, mend("messages")) == settings


def refusal(error: object, *, status: int = 400, sent: tuple[str, ...] = ("max_tokens", "temperature", "reasoning")) -> str | None:
    body = msgspec.json.encode({"error": error})
    return refused_parameter(status, body, classify(status, body, {}, now=0.0), sent=sent)


def test_the_refused_parameter_is_read_from_the_codes_the_words_and_the_param() -> None:
    assert refusal({"code": "unsupported_parameter", "param": "max_tokens", "message": USE}) == "max_tokens"
    assert refusal({"message": "Unrecognized request argument supplied: temperature"}) == "temperature"
    assert refusal({"code": None, "param": "max_tokens", "message": "max_tokens is too large: 99999."}) == "max_tokens"
    assert refusal({"param": "reasoning.effort", "message": "Invalid value"}) == "reasoning"


def test_what_was_not_sent_or_is_no_refusal_of_a_parameter_is_none() -> None:
    assert refusal({"code": "unsupported_parameter", "param": "top_k", "message": "?"}) is None
    assert refusal({"code": "content_filter", "param": "max_tokens", "message": "?"}) is None
    assert refusal({"message": "no"}) is None
    assert refusal({"param": "max_tokens", "message": "busy"}, status=500) is None
    assert refusal({"code": "429", "param": "max_tokens", "message": "busy"}, status=429) is None
