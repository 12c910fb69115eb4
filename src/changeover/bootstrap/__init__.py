"""The only place that joins a port to its adapter: the programs, put together from their parts."""
