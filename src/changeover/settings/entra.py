"""For which service does an account need Entra ID tokens, and who asks for them? Asks nobody."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

from changeover.versions import EntraIdentity, EntraMethod

CloudName = Literal["public", "usgov", "china"]

METHOD_EXPECTED: Final = "default, managed, workload or cli: which identity gets tokens from Entra ID"
CLOUD_EXPECTED: Final = "public, usgov or china; left out, it is that of the endpoint"
PLACES_EXPECTED: Final = "exactly one of {env: NAME}, {file: PATH} and {entra: default}"
CLIENT_ID_EXPECTED: Final = "the client id of an identity, such as 00000000-0000-0000-0000-000000000000"
SCOPE_EXPECTED: Final = "a scope that ends in /.default, such as https://cognitiveservices.azure.com/.default"
CLIENT_ID: Final = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
SCOPE: Final = r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,240}/\.default$"


class _Cloud(NamedTuple):
    """``suffix`` ends the host names of its services, ``foundry`` those that know their own audience (where there is one)."""

    suffix: str
    authority: str
    scope: str
    foundry: str
    foundry_scope: str


_CLOUDS: Final[dict[CloudName, _Cloud]] = {
    "public": _Cloud(
        ".azure.com",
        "login.microsoftonline.com",
        "https://cognitiveservices.azure.com/.default",
        ".services.ai.azure.com",
        "https://ai.azure.com/.default",
    ),
    "usgov": _Cloud(
        ".azure.us",
        "login.microsoftonline.us",
        "https://cognitiveservices.azure.us/.default",
        ".services.ai.azure.us",
        "https://ai.azure.us/.default",
    ),
    "china": _Cloud(
        ".azure.cn",
        "login.chinacloudapi.cn",
        "https://cognitiveservices.azure.cn/.default",
        ".services.ai.azure.cn",
        "https://cognitiveservices.azure.cn/.default",
    ),
}


def cloud_of(endpoint: str) -> CloudName | None:
    """The cloud that the host of ``endpoint`` belongs to, ``None`` for a host of somebody else."""
    host = (urlsplit(endpoint).hostname or "").lower()
    return next((name for name, cloud in _CLOUDS.items() if host.endswith(cloud.suffix)), None)


def cloud_named(authority: str) -> CloudName | None:
    """The cloud whose Entra ID is at ``authority``."""
    return next((name for name, cloud in _CLOUDS.items() if cloud.authority == authority), None)


def entra_identity(
    *, method: EntraMethod, endpoint: str, client_id: str | None = None, cloud: CloudName | None = None, scope: str | None = None
) -> EntraIdentity:
    """Who asks for the tokens of the account at ``endpoint``. What is not said follows from its host; a host of somebody
    else (a private name, a gateway in front) counts as the public cloud's.
    """
    found = _CLOUDS[cloud or cloud_of(endpoint) or "public"]
    host = (urlsplit(endpoint).hostname or "").lower()
    usual = found.foundry_scope if host.endswith(found.foundry) else found.scope
    return EntraIdentity(method=method, client_id=client_id or "", scope=scope or usual, authority=found.authority)


def auth_fault(keys: Sequence[str | None], method: EntraMethod | None, *, about_entra: Sequence[str | None]) -> tuple[str, str] | None:
    """What is wrong with where a credential is found: what is expected, and what was found. ``keys`` are the places of a
    key, ``about_entra`` the client id and what else is only said of an identity.
    """
    places = sum(place is not None for place in (*keys, method))
    if places != 1:
        return PLACES_EXPECTED, "both" if places else "neither"
    if method is None and any(about_entra):
        return "client_id, cloud and scope with entra only; take them out", "one of them without entra"
    if method == "cli" and about_entra[0]:
        return "no client_id with entra: cli, which asks as whoever is signed in; take it out", "a client_id"
    return None
