"""What a request's path asks for."""

import pytest

from changeover.gateway.paths import Kind, read_path
from changeover.wire.surface import Surface


@pytest.mark.parametrize(
    ("url", "task"),
    [
        (b"/v1/chat/completions", None),
        (b"/openai/deployments/mail/chat/completions?api-version=2024-10-21", "mail"),
        (b"/openai/deployments/r%C3%A9sum%C3%A9/chat/completions", "r\u00e9sum\u00e9"),
        (b"/openai/deployments/a%2Fb/chat/completions", "a/b"),
        (b"/t/mail/v1/chat/completions", "mail"),
        (b"/v1/chat/completions?" + b"x=1&" * 200, None),
    ],
)
def test_chat_paths_are_chat(url: bytes, task: str | None) -> None:
    endpoint = read_path(url)
    assert endpoint is not None
    assert endpoint.ask is not None
    assert (endpoint.kind, endpoint.ask.surface, endpoint.ask.task) == (Kind.API, Surface.CHAT, task)
    assert endpoint.methods == frozenset({b"POST"})


@pytest.mark.parametrize("url", [b"/v1/models", b"/models", b"/openai/v1/models/mail"])
def test_the_list_of_models_is_our_own(url: bytes) -> None:
    endpoint = read_path(url)
    assert endpoint is not None
    assert (endpoint.kind, endpoint.methods) == (Kind.MODELS, frozenset({b"GET", b"HEAD"}))


@pytest.mark.parametrize(("url", "kind"), [(b"/healthz", Kind.HEALTH), (b"/readyz?x", Kind.READY)])
def test_our_own_paths_ask_for_no_api(url: bytes, kind: Kind) -> None:
    endpoint = read_path(url)
    assert endpoint is not None
    assert (endpoint.kind, endpoint.ask) == (kind, None)


@pytest.mark.parametrize(
    "url",
    [
        b"/", b"/v1", b"/v1/chat/completions/", b"//v1/chat/completions", b"/V1/chat/completions", b"/stats", b"/v1/../healthz",
        b"/openai/deployments/", b"/openai/deployments//chat/completions", b"/openai/deployments/%FF/chat/completions", b"/healthz#x",
    ],
)  # fmt: skip
def test_every_other_path_is_nothing(url: bytes) -> None:
    assert read_path(url) is None
