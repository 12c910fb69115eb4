"""Every path form that a client uses finds its surface, its task and nothing else."""

import pytest

from changeover.wire.surface import FIRST_CLASS, METHODS, Surface, read_path

OPERATIONS = [
    (b"/chat/completions", Surface.CHAT),
    (b"/responses", Surface.RESPONSES),
    (b"/completions", Surface.COMPLETIONS),
    (b"/embeddings", Surface.EMBEDDINGS),
    (b"/models", Surface.MODELS),
    (b"/models/ft:gpt-4o:org::7", Surface.MODELS),
    (b"/images/generations", Surface.IMAGES),
    (b"/images/edits", Surface.IMAGES),
    (b"/audio/transcriptions", Surface.AUDIO),
    (b"/audio/speech", Surface.AUDIO),
    (b"/files", Surface.FILES),
    (b"/files/file-9/content", Surface.FILES),
    (b"/batches", Surface.BATCHES),
    (b"/batches/b_1/cancel", Surface.BATCHES),
    (b"/moderations", Surface.MODERATIONS),
]
ROOTS = [b"", b"/v1", b"/openai", b"/openai/v1"]


@pytest.mark.parametrize("prefix", [b"", b"/t/mail"])
@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize(("operation", "surface"), OPERATIONS)
def test_a_surface_is_found_under_every_root(operation: bytes, surface: Surface, root: bytes, prefix: bytes) -> None:
    for query in (b"", b"api-version=2024-10-21&limit=2"):
        ask = read_path(prefix + root + operation + (b"?" + query if query else b""))
        assert ask is not None
        assert (ask.surface, ask.operation, ask.query, ask.in_deployment) == (surface, operation, query, False)
        assert ask.task == ("mail" if prefix else None)


@pytest.mark.parametrize(("operation", "surface"), OPERATIONS)
def test_azures_path_names_the_task(operation: bytes, surface: Surface) -> None:
    ask = read_path(b"/openai/deployments/mail" + operation + b"?api-version=2024-10-21")
    assert ask is not None
    assert (ask.surface, ask.operation, ask.task, ask.in_deployment) == (surface, operation, "mail", True)


def test_the_task_before_the_path_beats_the_deployment_in_it() -> None:
    ask = read_path(b"/t/mail/openai/deployments/gpt-4o/chat/completions")
    assert ask is not None
    assert (ask.task, ask.in_deployment, ask.surface) == ("mail", True, Surface.CHAT)


@pytest.mark.parametrize(
    ("segment", "task"),
    [(b"a%2Fb", "a/b"), (b"caf%C3%A9", "café"), (b"a%20b", "a b"), (b"%2e%2e", ".."), (b"a.b:c", "a.b:c"), (b"a%252Fb", "a%2Fb")],
)
def test_a_task_is_percent_encoded_text(segment: bytes, task: str) -> None:
    for url in (b"/openai/deployments/" + segment + b"/chat/completions", b"/t/" + segment + b"/v1/chat/completions"):
        ask = read_path(url)
        assert ask is not None
        assert ask.task == task


@pytest.mark.parametrize(
    ("operation", "response_id"),
    [(b"/responses/resp_1", "resp_1"), (b"/responses/resp_1/input_items", "resp_1"), (b"/responses/resp_1/cancel", "resp_1")],
)
def test_a_stored_response_is_named(operation: bytes, response_id: str) -> None:
    for root in ROOTS:
        ask = read_path(root + operation)
        assert ask is not None
        assert (ask.surface, ask.response_id) == (Surface.STORED_RESPONSE, response_id)


@pytest.mark.parametrize(
    "operation", [b"/vector_stores", b"/uploads/u1/parts", b"/chat/completions/c1", b"/realtime/sessions", b"/complete"]
)
def test_the_rest_passes_under_a_root_and_is_unknown_without(operation: bytes) -> None:
    for root in ROOTS[1:]:
        ask = read_path(root + operation)
        assert ask is not None
        assert ask.surface is Surface.OTHER
    assert read_path(operation) is None


@pytest.mark.parametrize(
    "url",
    [
        b"/", b"", b"/v1", b"/v1/", b"/openai/", b"/openai/v1", b"/openai/v1/", b"/favicon.ico", b"/t", b"/t/", b"/t/mail", b"/t/mail/",
        b"/t//v1/chat/completions", b"/t/%ff/v1/chat/completions", b"/openai/deployments", b"/openai/deployments/", b"/t/mail/x",
        b"/openai/deployments/mail", b"/openai/deployments/mail/", b"/openai/deployments//chat/completions",
        b"/openai/deployments/%ff/chat/completions", b"/v1/chat/completions/", b"/v1//chat/completions", b"//v1/chat/completions",
        b"/V1/chat/completions?a b", b"/v1/responses/", b"/v1/responses/%ff", b"v1/chat/completions", b"/v1/files?a=\x00", b"/v1/files?a#b",
        b"/v1/files?a=\xff",
    ],
)  # fmt: skip
def test_what_is_no_path_of_ours_is_none(url: bytes) -> None:
    assert read_path(url) is None


@pytest.mark.parametrize(
    "segment",
    [
        b"..", b".", b"%2e%2e", b"%2E%2e", b".%2e", b"%2e", b"a%2fb", b"a%5Cb", b"a\\b", b"..;", b"a;b", b"a%00b", b"a%0d%0ab", b"a%7fb",
        b"a b", b"a%", b"a%zz", b"%252e%252e", b"\xc3\xa9", b"a\r\nhost:x", b"@:80", b"",
    ],
)  # fmt: skip
def test_no_segment_climbs_out_or_hides_what_a_provider_would_see(segment: bytes) -> None:
    found = [read_path(b"/v1/files/" + segment + tail) for tail in (b"/content", b"/x/../..")]
    assert found == ([found[0], None] if segment == b"@:80" else [None, None])


@pytest.mark.parametrize("name", [b"a..b", b"..a", b"a..", b"...", b"a%20b%3A", b"ft%3agpt"])
def test_dots_and_encoded_signs_inside_a_name_are_no_climbing(name: bytes) -> None:
    assert read_path(b"/v1/files/" + name) is not None


@pytest.mark.parametrize(
    "url",
    [
        b"/v1/deployments/other/chat/completions", b"/openai/Deployments/other/chat/completions",
        b"/openai/deployment%73/other/completions", b"/v1/openai/deployments/other/completions", b"/openai/V1/chat/completions",
        b"/v1/v1/chat/completions", b"/v1/engines/e/completions", b"/v1/Chat/Completions", b"/v1/chat/completion%73",
        b"/v1/ch%61t/completions", b"/v1/RESPONSES", b"/v1/Models", b"/v1/t/x/v1/y",
        b"/openai/deployments/mail/deployments/other/completions", b"/v1/chat%2fcompletions", b"/v1/chat%5fcompletions%7e",
    ],
)  # fmt: skip
def test_no_spelling_reaches_a_deployment_or_an_api_behind_our_back(url: bytes) -> None:
    assert read_path(url) is None


def test_every_surface_has_its_methods() -> None:
    assert set(METHODS) == set(Surface)
    assert all(METHODS[surface] == {b"POST"} for surface in FIRST_CLASS)
    assert METHODS[Surface.MODELS] == {b"GET", b"HEAD"}
    assert {b"GET", b"POST", b"DELETE"} <= METHODS[Surface.STORED_RESPONSE]
    assert {b"GET", b"POST", b"DELETE"} <= METHODS[Surface.FILES]
