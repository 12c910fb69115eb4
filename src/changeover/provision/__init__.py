"""What must change in the cloud? Declared against actual deployments; a plan out, with what is refused and why. Does nothing."""
