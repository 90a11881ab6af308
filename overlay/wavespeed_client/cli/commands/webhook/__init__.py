"""Receive or check the service's calls."""

from __future__ import annotations

from ...groups import LazyGroup

EXAMPLE = """\b
Examples:
  $ wavespeed-client webhook listen --port 9000
  $ wavespeed-client webhook verify call.http"""

command = LazyGroup(
    "webhook",
    home=__name__,
    summaries={
        "listen": "Print each call of the service as it comes.",
        "verify": "Check a saved call.",
    },
    help="Receive or check the service's calls, which tell that a task has ended.",
    epilog=EXAMPLE,
)
