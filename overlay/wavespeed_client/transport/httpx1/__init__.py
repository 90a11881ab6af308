"""Faster replacements for slow parts of httpx and httpcore. Each says when it can be deleted."""
