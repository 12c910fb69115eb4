"""Which API does a path name, and which deployment? Both of Azure's surfaces: the dated one and v1."""

from typing import Final, NamedTuple

_IN_DEPLOYMENT: Final = frozenset({"chat/completions", "completions", "embeddings"})
"""What stands under a deployment's own path on the dated surface; all else names the deployment in its body."""


class Ask(NamedTuple):
    """``api`` is the path below the surface's root, without ``item`` (an id, or an id and what of it)."""

    api: str
    deployment: str | None = None
    item: tuple[str, ...] = ()


def read_path(path: str, query: bytes) -> Ask | None:
    """``None`` for what Azure has not. The dated surface needs an ``api-version``."""
    match [part for part in path.split("/") if part]:
        case ["sim", "deployments", name]:
            return Ask("sim", deployment=name)
        case ["openai", "v1", *rest]:
            return _read(rest)
        case ["openai", "deployments", name, *rest] if _has_api_version(query) and "/".join(rest) in _IN_DEPLOYMENT:
            return Ask("/".join(rest), deployment=name)
        case ["openai", *rest] if _has_api_version(query) and "/".join(rest) not in _IN_DEPLOYMENT:
            return _read(rest)
        case _:
            return None


def _read(rest: list[str]) -> Ask | None:
    match rest:
        case ["chat", "completions"]:
            return Ask("chat/completions")
        case [("completions" | "embeddings" | "moderations") as api]:
            return Ask(api)
        case [("responses" | "models" | "files" | "batches") as api, *item]:
            return Ask(api, item=tuple(item))
        case _:
            return None


def _has_api_version(query: bytes) -> bool:
    return any(pair.startswith(b"api-version=") and len(pair) > len(b"api-version=") for pair in query.split(b"&"))
