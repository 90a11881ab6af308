"""Receive or verify webhooks."""

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
        "listen": "Receive webhooks and print their tasks.",
        "verify": "Verify a saved webhook.",
    },
    help="Receive or verify webhooks, which the service sends when a task has ended.",
    epilog=EXAMPLE,
)
