"""Measure this client against its peers: run `scripts/bench`."""
