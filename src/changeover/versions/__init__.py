"""What exists? Accounts, pinned model versions and the deployments that make them callable. Decides no routing."""

from changeover.versions.model import Account, AccountKind, Deployment, ModelVersion, SecretReference

__all__ = ["Account", "AccountKind", "Deployment", "ModelVersion", "SecretReference"]
