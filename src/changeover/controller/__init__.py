"""One rollout's journey: read the evidence, decide, commit, again. Every decision itself is made in a pure room."""
