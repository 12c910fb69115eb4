"""The data plane's ports in memory: for tests, and for a data plane and a control plane in one process."""

from changeover.adapters.memory_link.disk import MemoryCrashLedger, MemoryMetricsShelf, MemorySpool, MemoryTableCache
from changeover.adapters.memory_link.link import MemoryPlaneLink

__all__ = ["MemoryCrashLedger", "MemoryMetricsShelf", "MemoryPlaneLink", "MemorySpool", "MemoryTableCache"]
