"""Who comes in? From a request's credential to what it may ask for, at the end of the head, before its body is read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from math import inf
from typing import Final, NamedTuple

from changeover.gateway.refusal import Refusal
from changeover.traffic.keys import SECRET_PREFIX, KeyEntry, Standing
from changeover.traffic.table import RoutingTable

_HEADERS: Final = (b"api-key", b"authorization", b"x-api-key")
"""Where a key may stand: as Azure's clients, OpenAI's and Anthropic's send it."""

SEEN_MAX: Final = 2000
"""Credentials whose outcome is remembered."""

_BEARER: Final = b"bearer "
_PREFIX: Final = SECRET_PREFIX.encode()
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_FINAL: Final = b"x-should-retry: false\r\n"
_CHALLENGE: Final = b'www-authenticate: Bearer realm="changeover"\r\n' + _FINAL


class Admitted(NamedTuple):
    """Who was let in. ``tasks`` is all that may be asked for, ``None`` everything; ``key_id`` is ``None`` without a key."""

    key_id: str | None = None
    default_task: str | None = None
    tasks: frozenset[str] | None = None

    def allows(self, task: str | None) -> bool:
        """Whether ``task`` may be asked for. A key for some tasks is for nothing without one, such as files."""
        return self.tasks is None or task in self.tasks


ANYONE: Final = Admitted()
"""A caller where no key is asked for."""


class _Holder(NamedTuple):
    """A key with the times between which it is good."""

    admitted: Admitted
    entry: KeyEntry
    from_at: float
    until_at: float


class Doorkeeper:
    """Knows the keys of one table. ``required`` asks for a key whatever the table says.

    A secret is looked up by its SHA-256, so that the time this takes says nothing of how much of a guess is right. Only of
    credentials that were right is the outcome remembered, until the next table. What is not in the form of our keys counts
    as none: SDKs insist on sending something.
    """

    __slots__ = ("_holders", "_required", "_required_by_table", "_seen")

    def __init__(self, *, required: bool = False) -> None:
        self._required = required
        self._required_by_table = False
        self._holders: dict[bytes, _Holder] = {}
        self._seen: dict[bytes, _Holder] = {}

    @property
    def required(self) -> bool:
        """Whether callers need a key."""
        return self._required or self._required_by_table

    @property
    def is_open(self) -> bool:
        """Whether nobody is asked for a key, and there is none to know anybody by."""
        return not self._holders and not self.required

    def use(self, table: RoutingTable) -> None:
        """Know the keys of ``table`` from now on, and no others: a revoked one opens nothing more."""
        self._required_by_table = table.keys_required
        self._seen = {}
        self._holders = {bytes.fromhex(hashed): _holder(entry) for hashed, entry in table.keys.items()}

    def admit(self, names: Mapping[bytes, bytes], now: float) -> Admitted | Refusal:
        """Who sends a request with these headers (by lower-case name) at ``now`` (Unix seconds)."""
        if self.is_open:
            return ANYONE
        for header in _HEADERS:
            holder = self._seen.get(names.get(header, b""))
            if holder is not None and holder.from_at <= now < holder.until_at:
                return holder.admitted
        return self._inspect(names, now)

    def _inspect(self, names: Mapping[bytes, bytes], now: float) -> Admitted | Refusal:
        credential = _credential(names)
        if credential is None:
            return _no_key() if self.required else ANYONE
        holder = self._look_up(credential)
        if holder is None:
            return _unknown_key()
        standing = holder.entry.standing(now)
        return holder.admitted if standing is Standing.GOOD else _untimely(holder.entry, standing)

    def _look_up(self, credential: bytes) -> _Holder | None:
        holder = self._holders.get(sha256(_secret(credential)).digest())
        if holder is not None and len(self._seen) < SEEN_MAX:
            self._seen[credential] = holder
        return holder


def out_of_scope(admitted: Admitted, task: str | None) -> Refusal:
    """The refusal of what the caller's key is not for."""
    listed = ", ".join(sorted(admitted.tasks or ()))
    asked = "requests that name no task" if task is None else f"the task {task!r}"
    message = f"Key {admitted.key_id} is not for {asked}; it is for: {listed}. Ask for one of those, or for another key."
    return Refusal(_FORBIDDEN, "task_not_allowed", message, param="model", headers=_FINAL)


def _holder(entry: KeyEntry) -> _Holder:
    admitted = Admitted(entry.id, entry.default_task, frozenset(entry.tasks) if entry.tasks else None)
    from_at = -inf if entry.not_before_at is None else entry.not_before_at
    until_at = inf if entry.expires_at is None else entry.expires_at
    return _Holder(admitted, entry, from_at, until_at if entry.revoked_at is None else -inf)


def _credential(names: Mapping[bytes, bytes]) -> bytes | None:
    """The first header value that holds something in the form of our keys."""
    for header in _HEADERS:
        value = names.get(header)
        if value is not None and _PREFIX in value and _secret(value).startswith(_PREFIX):
            return value
    return None


def _secret(credential: bytes) -> bytes:
    """The secret itself, without the word before it."""
    if credential[: len(_BEARER)].lower() == _BEARER:
        return credential[len(_BEARER) :].strip()
    return credential


def _no_key() -> Refusal:
    message = (
        "Found no changeover key; expected one as api-key, as x-api-key or as a bearer token. "
        "It begins with ck-; changeover key create makes one."
    )
    return Refusal(_UNAUTHORIZED, "invalid_api_key", message, headers=_CHALLENGE)


def _unknown_key() -> Refusal:
    message = "Incorrect API key provided: this gateway does not know it, or it was revoked. Ask whoever runs the gateway for another one."
    return Refusal(_UNAUTHORIZED, "invalid_api_key", message, headers=_CHALLENGE)


def _untimely(entry: KeyEntry, standing: Standing) -> Refusal:
    """Its holder has proved to know the secret, and may be told."""
    if standing is Standing.EARLY:
        said = f"is not good before {_date(entry.not_before_at)}"
    elif standing is Standing.EXPIRED:
        said = f"expired at {_date(entry.expires_at)}; use the key that replaces it"
    else:
        said = "was revoked; ask for another one"
    return Refusal(_UNAUTHORIZED, "invalid_api_key", f"Key {entry.id} {said}.", headers=_CHALLENGE)


def _date(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
