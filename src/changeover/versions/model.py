"""The nouns of the outside world: a provider's account, a model version, a deployment of it."""

from typing import Literal

import msgspec

AccountKind = Literal["azure-openai", "openai", "openai-compatible", "anthropic"]


class SecretReference(msgspec.Struct, frozen=True, kw_only=True):
    """Where a secret is found, never the secret: the only form in which one may be stored, logged or sent."""

    source: Literal["env", "file", "none"]
    name: str = ""

    def __str__(self) -> str:
        return self.source if self.source == "none" else f"{self.source}:{self.name}"


class ModelVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One exact version of a model, as its provider names it: ``gpt-4o`` ``2024-11-20``."""

    name: str
    version: str

    @property
    def served_name(self) -> str:
        """The ``model`` that an answer of this version carries, for providers that join name and version."""
        return f"{self.name}-{self.version}"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's endpoint with an identity.

    ``endpoint`` is scheme, host, optional port and optional path prefix, without a trailing slash.
    """

    name: str
    kind: AccountKind
    endpoint: str
    auth: SecretReference


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A model version made callable in an account, under a name."""

    name: str
    account: str
    model: ModelVersion
    environment: Literal["prod", "dev"] = "prod"
