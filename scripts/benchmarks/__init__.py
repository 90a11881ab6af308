"""Measure this client and compare it with others: run `scripts/bench`."""
