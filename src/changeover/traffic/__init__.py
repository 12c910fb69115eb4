"""Who serves this unit? The routing table and the assignment of a unit to a side. Sends nothing."""
