"""Waiting for a task: when to poll next, how long tasks take, and how a wait ends. No I/O."""
