"""The only place that joins a port to its adapter."""
