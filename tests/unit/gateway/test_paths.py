"""What a request's path asks for."""

import pytest

from changeover.gateway.paths import Kind, read_path


@pytest.mark.parametrize(
    ("url", "task"),
    [
        (b"/v1/chat/completions", None),
        (b"/openai/deployments/mail/chat/completions?api-version=2024-10-21", "mail"),
        (b"/openai/deployments/r%C3%A9sum%C3%A9/chat/completions", "r\u00e9sum\u00e9"),
        (b"/openai/deployments/a%2Fb/chat/completions", "a/b"),
    ],
)
def test_chat_paths_are_chat(url: bytes, task: str | None) -> None:
    endpoint = read_path(url)
    assert endpoint is not None
    assert (endpoint.kind, endpoint.task, endpoint.methods) == (Kind.CHAT, task, frozenset({b"POST"}))


@pytest.mark.parametrize(
    "url",
    [
        b"/", b"/v1", b"/v1/chat/completions/", b"//v1/chat/completions", b"/V1/chat/completions", b"/stats", b"/v1/../healthz",
        b"/openai/deployments/", b"/openai/deployments/chat/completions", b"/openai/deployments//chat/completions",
        b"/openai/deployments/a/b/chat/completions", b"/openai/deployments/%FF/chat/completions", b"/healthz#x",
    ],
)  # fmt: skip
def test_every_other_path_is_nothing(url: bytes) -> None:
    assert read_path(url) is None
