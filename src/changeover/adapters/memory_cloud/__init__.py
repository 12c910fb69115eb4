"""A cloud in memory: for tests, and for a plan that is tried before it is carried out."""

from changeover.adapters.memory_cloud.cloud import MemoryCloud

__all__ = ["MemoryCloud"]
