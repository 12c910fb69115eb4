"""Which files does the resource hold? What callers uploaded, in memory, up to a limit."""

import re
from typing import Final

import msgspec

from changeover.azure_sim import refusals

Json = dict[str, object]

BYTES_MAX: Final = 64 * 1024 * 1024
_BOUNDARY: Final = re.compile(r'boundary="?([^";]+)"?')
_NAME: Final = re.compile(rb'\bname="([^"]*)"')
_FILENAME: Final = re.compile(rb'filename="([^"]*)"')


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    id: str
    name: str
    purpose: str
    created: int
    content: bytes

    def shown(self) -> Json:
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created,
            "filename": self.name,
            "purpose": self.purpose,
            "status": "processed",
        }


class FilesShelf:
    """Files by id."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}

    def add(self, held: Held) -> None:
        if sum(len(each.content) for each in self._held.values()) + len(held.content) > BYTES_MAX:
            raise refusals.too_large(BYTES_MAX)
        self._held[held.id] = held

    def get(self, file_id: str) -> Held:
        held = self._held.get(file_id)
        if held is None:
            raise refusals.no_such_thing(f"No such File object: {file_id}", param="id")
        return held

    def drop(self, file_id: str) -> None:
        del self._held[self.get(file_id).id]

    def all(self) -> list[Held]:
        return list(self._held.values())


def read_upload(body: bytes, content_type: str, *, file_id: str, created: int) -> Held:
    """The ``file`` and ``purpose`` of a multipart form. Raises ``RefusalError`` when there is no file."""
    boundary = _BOUNDARY.search(content_type)
    fields: dict[bytes, bytes] = {}
    name = b""
    for part in body.split(b"--" + boundary.group(1).encode("latin-1")) if boundary else ():
        head, _, content = part.partition(b"\r\n\r\n")
        found = _NAME.search(head)
        if found is None:
            continue
        fields[found.group(1)] = content.removesuffix(b"\r\n")
        if filename := _FILENAME.search(head):
            name = filename.group(1)
    if b"file" not in fields:
        raise refusals.malformed("expected a multipart form with a file", param="file")
    purpose = fields.get(b"purpose", b"").decode("utf-8", "replace")
    return Held(id=file_id, name=name.decode("utf-8", "replace"), purpose=purpose, created=created, content=fields[b"file"])
