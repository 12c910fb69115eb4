"""Who gives us tokens for a provider's account?"""

from typing import Final, Protocol

import msgspec

from changeover.versions import EntraIdentity

INSTALL_HINT: Final = "pip install 'changeover[azure]'"


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A bearer token and the Unix time at which it ends. ``refresh_at``: when its issuer would like to be asked again,
    where it says so.
    """

    value: str
    expires_at: float
    refresh_at: float | None = None

    def __repr__(self) -> str:
        return f"Token(expires_at={self.expires_at!r}, refresh_at={self.refresh_at!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("expires_at", self.expires_at), ("refresh_at", self.refresh_at)]


class TokenError(Exception):
    """No token is to be had. ``brief`` may be told to callers; the message is for the log. Neither holds a secret."""

    def __init__(self, brief: str, detail: str = "") -> None:
        super().__init__(f"{brief}: {detail}" if detail else brief)
        self.brief = brief


class TokenSource(Protocol):
    """Entra ID, or what stands for it. It keeps nothing: whoever asks keeps the token."""

    async def token(self, identity: EntraIdentity) -> Token:
        """A token for ``identity``, asked for now.

        Raises:
            TokenError: there is none.
        """
        ...
