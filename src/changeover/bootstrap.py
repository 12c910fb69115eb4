"""The only place that joins a port to its adapter: a server and its gateway, put together from their parts."""
