"""What does a call to Azure Resource Manager ask? The path, read without regard to case, and who calls."""

from typing import Final
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from changeover.azure_sim.arm import replies
from changeover.azure_sim.arm.estate import PROVIDER
from changeover.azure_sim.arm.replies import ArmReply, Json, as_object

STABLE_VERSIONS: Final = ("2023-05-01", "2024-10-01", "2025-06-01", "2025-09-01", "2026-05-01", "2026-09-01")
PREVIEW_VERSIONS: Final = ("2026-05-15-preview", "2026-09-15-preview")
SCALE_SETTINGS_VERSIONS: Final = ("2022-10-01",)
API_VERSIONS: Final = (*STABLE_VERSIONS, *PREVIEW_VERSIONS)
PAUSE_SINCE: Final = "2026"
SKIP: Final = "$skiptoken"
_OBJECTS: Final = ("properties", "tags")


class ArmRequest(msgspec.Struct, frozen=True, kw_only=True):
    """``base`` is scheme, host and port as the caller wrote them; ``parts`` are the path's, ``low`` the same in lower case."""

    method: str
    base: str
    path: str
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: bytes = b""
    now: float
    by: str = ""
    request_id: str = ""

    @property
    def parts(self) -> list[str]:
        return [unquote(part) for part in self.path.split("/") if part]

    @property
    def low(self) -> list[str]:
        return [part.lower() for part in self.parts]

    @property
    def api_version(self) -> str:
        version = self.query.get("api-version", "")
        if not version:
            raise replies.missing_api_version()
        return version

    def json(self) -> Json:
        """The body, which is an object in all that Resource Manager takes. Raises ``ArmError``."""
        try:
            found = as_object(msgspec.json.decode(self.body)) if self.body else None
        except msgspec.DecodeError as error:
            raise replies.invalid_content(str(error)) from error
        if found is None:
            raise replies.invalid_content("the body is not a JSON object")
        for name in _OBJECTS:
            if found.get(name) is not None and as_object(found[name]) is None:
                raise replies.invalid_content(f"'{name}' is not a JSON object")
        tags = as_object(found.get("tags")) or {}
        if not all(isinstance(value, str) for value in tags.values()):
            raise replies.invalid_content("a value of 'tags' is not a text")
        return found

    def check_provider_version(self, *, location: str, kind: str, locations: tuple[str, ...]) -> None:
        version = self.api_version
        if version.lower() not in API_VERSIONS:
            raise replies.unknown_api_version(version, location=location, kind=kind, known=API_VERSIONS, locations=locations)

    def page(self, items: list[Json], *, size: int) -> ArmReply:
        """A part of ``items``, with the address of the next one."""
        start = int(self.query.get(SKIP, "0")) if self.query.get(SKIP, "0").isdecimal() else 0
        shown: Json = {"value": items[start : start + size]}
        if start + size < len(items):
            shown["nextLink"] = f"{self.base}{self.path}?api-version={self.api_version}&{SKIP}={start + size}{self._more()}"
        return ArmReply(body=shown)

    def operation_url(self, kind: str, operation_id: str, *, subscription: str, location: str) -> str:
        where = f"/subscriptions/{subscription}/providers/{PROVIDER}/locations/{location}/{kind}/{operation_id}"
        return f"{self.base}{where}?api-version={self.api_version}"

    def _more(self) -> str:
        return "".join(f"&{name}={quote(value)}" for name, value in self.query.items() if name not in ("api-version", SKIP))


def read_query(query: bytes) -> dict[str, str]:
    return {("api-version" if name.lower() == "api-version" else name): value for name, value in parse_qsl(query.decode("latin-1"))}
