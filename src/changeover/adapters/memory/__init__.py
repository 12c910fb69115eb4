"""The control plane's ports in memory: for tests, rehearsals and everything that needs no disk."""

from changeover.adapters.memory.clock import HandClock
from changeover.adapters.memory.dice import SeededDice
from changeover.adapters.memory.mint import CountingMint
from changeover.adapters.memory.store import MemoryStore

__all__ = ["CountingMint", "HandClock", "MemoryStore", "SeededDice"]
