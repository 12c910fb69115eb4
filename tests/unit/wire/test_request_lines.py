"""Requests from a file: bodies or batch lines, each on its surface; every bad line by its number."""

import msgspec
import pytest

from changeover.wire.request_lines import FAULTS_MAX, LINE_BYTES_MAX, LINES_MAX, read_lines
from changeover.wire.surface import Surface


def lines(*bodies: object) -> bytes:
    return b"\n".join(msgspec.json.encode(body) for body in bodies)


@pytest.mark.parametrize(
    ("body", "surface"),
    [
        ({"messages": []}, Surface.CHAT),
        ({"messages": [], "system": "s", "max_tokens": 5}, Surface.MESSAGES),
        ({"input": "text"}, Surface.RESPONSES),
        ({"input": "text", "encoding_format": "base64"}, Surface.EMBEDDINGS),
        ({"prompt": "text"}, Surface.COMPLETIONS),
        ({"custom_id": "1", "method": "POST", "url": "/v1/embeddings", "body": {"input": "text"}}, Surface.EMBEDDINGS),
        ({"url": "/v1/responses", "body": {"input": "text"}}, Surface.RESPONSES),
    ],
)
def test_a_line_tells_its_surface(body: dict[str, object], surface: Surface) -> None:
    (sample,), faults = read_lines(lines(body))
    assert (sample.surface, sample.body, faults) == (surface, body.get("body", body), ())


def test_every_bad_line_is_named_by_its_number_and_empty_ones_are_passed_over() -> None:
    data = (
        b'{"messages":[]}\n\n{nope\n[1]\n{"x":1}\n{"url":"/v1/files","body":{}}\n{"url":"/v1/responses","body":[]}\n"\xff"\n' + b"[" * 9999
    )
    samples, faults = read_lines(data)
    assert len(samples) == 1
    assert [fault.line for fault in faults] == [3, 4, 5, 6, 7, 8, 9]
    assert "found x, expected a body with messages, input or prompt" in faults[2].text


def test_a_file_with_nothing_too_much_or_a_huge_line_is_refused() -> None:
    assert read_lines(b" \n")[1][0] == (0, "found no request in it")
    assert "choose those that differ" in read_lines(lines(*[{"messages": []}] * (LINES_MAX + 1)))[1][0].text
    assert f"expected at most {LINE_BYTES_MAX}" in read_lines(b"x" * (LINE_BYTES_MAX + 1))[1][0].text
    faults = read_lines(b"x\n" * 50)[1]
    assert (len(faults), faults[-1]) == (FAULTS_MAX + 1, (0, "and 30 more"))
