"""The nouns of the outside world: a provider's account, a model version, a deployment of it."""

import hashlib
from typing import Final, Literal

import msgspec

AccountKind = Literal["azure-openai", "openai", "openai-compatible", "anthropic"]
EntraMethod = Literal["default", "managed", "workload", "cli"]
UpgradeOption = Literal["NoAutoUpgrade", "OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired"]
"""What Azure may do to a deployment's version. Only ``NoAutoUpgrade`` is a pin."""
PINNED: Final = "NoAutoUpgrade"

API_V1: Final = "v1"
"""The undated form of Azure's addresses, ``/openai/v1/...``."""
AZURE_API_VERSION: Final = "2024-10-21"
"""What is asked for in Azure's dated form when neither the account nor the caller names a date."""

_DIGEST_BYTES: Final = 16
_NUMBER_DIGITS_MAX: Final = 2


class EntraIdentity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who asks Entra ID for tokens, and for what: no secret in it.

    ``method``: a managed identity, a workload's (Kubernetes), whoever is signed in with the Azure CLI, or ``default``: the
    first of these and of a service principal in the environment that gives a token. ``client_id`` names a user-assigned
    identity. ``scope`` is the service that the token is for, ``authority`` the host of Entra ID in its cloud.
    """

    method: EntraMethod = "default"
    client_id: str = ""
    scope: str
    authority: str = ""

    def __str__(self) -> str:
        return f"entra:{self.method}"


class SecretReference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a secret is found, never the secret: the only form in which one may be stored, logged or sent.

    ``entra`` is who gets a token where ``source`` is ``entra``, and where an environment variable is not set.
    """

    source: Literal["env", "file", "none", "entra"]
    name: str = ""
    entra: EntraIdentity | None = None

    def __str__(self) -> str:
        if self.source == "entra":
            return str(self.entra)
        return self.source if self.source == "none" else f"{self.source}:{self.name}"


class ModelVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One exact version of a model, as its provider names it: ``gpt-4o`` ``2024-11-20``."""

    name: str
    version: str

    @property
    def served_name(self) -> str:
        """The ``model`` that an answer of this version carries, for providers that join name and version."""
        return f"{self.name}-{self.version}"

    @property
    def is_numbered(self) -> bool:
        """Whether the version only counts the editions of a model whose name says all: ``claude-opus-5`` ``1``."""
        return self.version.isdigit() and len(self.version) <= _NUMBER_DIGITS_MAX

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's endpoint with an identity.

    ``endpoint`` is scheme, host, optional port and optional path prefix, without a trailing slash. ``api`` is the form of
    Azure's addresses: ``v1``, or the date of the dated form; empty means dated, by ``AZURE_API_VERSION``. Other kinds have
    one form only.
    """

    name: str
    kind: AccountKind
    endpoint: str
    auth: SecretReference
    api: str = ""
    subscription: str = ""
    """With ``resource_group`` where its deployments are made and changed in Azure; ``name`` is the resource's."""
    resource_group: str = ""


class RequestSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What must change in a request for a deployment; applied in the order ``rename``, ``drop``, ``set``.

    ``set`` holds JSON values. ``system_prompt`` takes the place of the caller's own, or stands before it.
    """

    rename: dict[str, str] = {}
    drop: tuple[str, ...] = ()
    set: dict[str, object] = {}
    system_prompt: str | None = None
    system_prompt_mode: Literal["replace", "prepend"] = "replace"

    @property
    def hash(self) -> str:
        """32 hexadecimal digits of BLAKE2b over all of it; the order of keys plays no part."""
        return hashlib.blake2b(msgspec.json.encode(self, order="deterministic"), digest_size=_DIGEST_BYTES).hexdigest()


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A model version made callable in an account, under a name. ``request``: ``None`` passes requests as they are."""

    name: str
    account: str
    model: ModelVersion
    environment: Literal["prod", "dev"] = "prod"
    request: RequestSettings | None = None
    sku: str | None = None
    """How the provider sells it, in the provider's words (Azure: ``GlobalStandard``, ``ProvisionedManaged``)."""
    region: str | None = None
    content_filter: str | None = None
    """The name of its content-filter policy; ``None``: nobody said."""
    called: str = ""
    """Its name at the provider, where that is not ``name``: two accounts may each have a ``gpt-4o``."""
    capacity: int | None = None
    """In the units of its SKU: thousands of tokens a minute, or PTUs. ``None``: nobody said."""
    upgrade: UpgradeOption = PINNED
    observed: bool = False
    """Somebody else makes and changes it (Terraform, another team): it is looked at and never written."""

    @property
    def provider_name(self) -> str:
        """What the provider knows it by."""
        return self.called or self.name
