"""Move production traffic from one foundation-model version to the next, with proof, and back at once."""

__version__ = "0.1.0"
