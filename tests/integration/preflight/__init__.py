"""Trying candidates over real connections."""
