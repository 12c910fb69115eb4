"""What exists? Accounts, pinned model versions and the deployments that make them callable. Decides no routing."""

from changeover.versions.model import (
    API_V1,
    AZURE_API_VERSION,
    PINNED,
    Account,
    AccountKind,
    Deployment,
    EntraIdentity,
    EntraMethod,
    ModelVersion,
    RequestSettings,
    SecretReference,
    UpgradeOption,
)

__all__ = [
    "API_V1",
    "AZURE_API_VERSION",
    "PINNED",
    "Account",
    "AccountKind",
    "Deployment",
    "EntraIdentity",
    "EntraMethod",
    "ModelVersion",
    "RequestSettings",
    "SecretReference",
    "UpgradeOption",
]
