"""How does a data plane reach a control plane in another process? Over HTTP, by Unix socket or URL."""

from changeover.adapters.plane_link.http import HttpPlaneLink, plane_link_at
from changeover.adapters.plane_link.several import SeveralPlaneLinks

__all__ = ["HttpPlaneLink", "SeveralPlaneLinks", "plane_link_at"]
