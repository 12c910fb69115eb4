"""Where are secrets read? From the environment or a file, at the moment of need; tokens from Entra ID. None is ever written."""

from changeover.adapters.credentials.entra import EntraTokens
from changeover.adapters.credentials.memory import MemoryTokens
from changeover.adapters.credentials.secrets import resolve_secret

__all__ = ["EntraTokens", "MemoryTokens", "resolve_secret"]
