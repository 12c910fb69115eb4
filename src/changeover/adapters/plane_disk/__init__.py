"""What does a data plane remember across its restarts? One directory of small files, none of which can stop it from serving."""

from changeover.adapters.plane_disk.directory import PlaneDisk, PlaneDiskError, open_plane_disk

__all__ = ["PlaneDisk", "PlaneDiskError", "open_plane_disk"]
