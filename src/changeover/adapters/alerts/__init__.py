"""Where do alerts go? To webhooks, signed, and through apprise to everything else that people read."""

from changeover.adapters.alerts.destinations import destination_for
from changeover.adapters.alerts.memory import MemoryDestination

__all__ = ["MemoryDestination", "destination_for"]
