"""Errors have the shape that OpenAI's SDKs read; the list of models too."""

import json

from changeover.wire.errors import error_body, stream_error_event
from changeover.wire.listing import models_body
from changeover.wire.sse import StreamReader


def test_an_error_has_all_four_members() -> None:
    assert json.loads(error_body("no such task", code="model_not_found", param="model")) == {
        "error": {"message": "no such task", "type": "invalid_request_error", "param": "model", "code": "model_not_found"}
    }


def test_a_broken_stream_says_so_and_does_not_claim_to_be_done() -> None:
    event = stream_error_event('the "deployment" broke off\n', "upstream_reset")
    reader = StreamReader()
    assert reader.feed(event) == event
    assert (reader.failed, reader.done) == ("upstream_reset", False)
    assert event.startswith(b"data: {")
    assert event.count(b"\n") == 2


def test_the_list_of_models_names_every_task() -> None:
    listing = json.loads(models_body(["mail", "contracts"], 1_700_000_000))
    assert listing["object"] == "list"
    assert [model["id"] for model in listing["data"]] == ["mail", "contracts"]
    assert listing["data"][0] == {"id": "mail", "object": "model", "created": 1_700_000_000, "owned_by": "changeover"}
