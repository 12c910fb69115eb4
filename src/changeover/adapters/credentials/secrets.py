"""What is the secret behind a reference? Read at the moment of need, never kept."""

import os
from pathlib import Path

from changeover.versions import SecretReference


def resolve_secret(reference: SecretReference) -> str | None:
    """The secret behind ``reference``; ``None`` when it is not set, its file cannot be read as text, or it is a token's to be."""
    match reference.source:
        case "env":
            return os.environ.get(reference.name)
        case "file":
            try:
                return Path(reference.name).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                return None
        case "none":
            return ""
        case "entra":
            return None
