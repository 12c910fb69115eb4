"""Odd answers reach an SDK through the gateway exactly as they reach it direct."""

from typing import Any

import openai
import pytest

from tests.conformance.calls import Calls
from tests.conformance.recordings import RECORDINGS
from tests.conformance.rig import REPLAYED, Ends, Rig

STREAMS = [name for name, recording in RECORDINGS.items() if recording.streamed]
WITH_USAGE = [name for name in STREAMS if RECORDINGS[name].usage]
WHOLE = [name for name, recording in RECORDINGS.items() if not recording.streamed and recording.status == 200]
REFUSED = [name for name, recording in RECORDINGS.items() if recording.status != 200]
USAGE: Any = {"include_usage": True}


def asked(name: str, **more: Any) -> dict[str, Any]:
    return {"model": REPLAYED, "messages": [{"role": "user", "content": name}], **more}


def raw(sdk: Calls, ends: Ends, name: str, **more: Any) -> bytes:
    with sdk.replaying(ends).chat.completions.with_streaming_response.create(**asked(name, **more)) as answer:
        return answer.http_response.read()


def objects(sdk: Calls, ends: Ends, name: str, **more: Any) -> list[str]:
    """What the SDK makes of it: the objects until the end, or until the error, whose text is the last."""
    found: list[str] = []
    given: Any = sdk.replaying(ends).chat.completions.create(**asked(name, **more))
    try:
        found.extend(each.to_json() for each in (given if more.get("stream") else [given]))  # keeps what came before an error
    except (openai.OpenAIError, ValueError) as error:
        found.append(f"{type(error).__name__}: {error}")
    return found


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_is_the_same_in_bytes_and_objects(rig: Rig, sdk: Calls, name: str) -> None:
    assert raw(sdk, rig.gateway, name) == raw(sdk, rig.direct, name) == RECORDINGS[name].body
    assert objects(sdk, rig.gateway, name) == objects(sdk, rig.direct, name)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_the_same_in_bytes_and_objects(rig: Rig, sdk: Calls, name: str) -> None:
    assert raw(sdk, rig.gateway, name, stream=True) == raw(sdk, rig.direct, name, stream=True) == RECORDINGS[name].body
    expected = objects(sdk, rig.direct, name, stream=True)
    assert objects(sdk, rig.gateway, name, stream=True) == expected
    assert len(expected) >= 2, "the SDK must have read the stream"


@pytest.mark.parametrize("name", WITH_USAGE)
def test_usage_that_was_asked_for_is_not_taken_away(rig: Rig, sdk: Calls, name: str) -> None:
    direct = raw(sdk, rig.direct, name, stream=True, stream_options=USAGE)
    assert raw(sdk, rig.gateway, name, stream=True, stream_options=USAGE) == direct
    assert len(direct) == len(RECORDINGS[name].body) + len(RECORDINGS[name].usage)


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_the_same_in_bytes(rig: Rig, sdk: Calls, name: str) -> None:
    answers: list[tuple[int, bytes, str | None]] = []
    for ends in (rig.direct, rig.gateway):
        with pytest.raises(openai.APIStatusError) as caught:
            sdk.replaying(ends).chat.completions.create(**asked(name))
        response = caught.value.response
        answers.append((response.status_code, response.content, response.headers.get("x-ms-error-source")))
    assert answers[0] == answers[1] == (RECORDINGS[name].status, RECORDINGS[name].body, "model")
