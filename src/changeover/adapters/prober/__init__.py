"""Who sends the requests that try a deployment? Over HTTP, one connection each."""

from changeover.adapters.prober.http import HttpProber

__all__ = ["HttpProber"]
