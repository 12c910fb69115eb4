"""Where are secrets read? From the environment or a file, at the moment of need; they are never kept or written."""

import os
from pathlib import Path

from changeover.versions import SecretReference


def resolve_secret(reference: SecretReference) -> str | None:
    """The secret behind ``reference``; ``None`` when it is not set or its file cannot be read as text."""
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
