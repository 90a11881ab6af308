"""Configurations of haproxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from origin import MARK

if TYPE_CHECKING:
    from proxy import Places


def haproxy(at: Places, *, defaults: str = "", frontend: str = "", server: str = "") -> str:
    """Return a configuration that passes everything on.

    Args:
        at: Where everything is.
        defaults: One more line of `defaults`.
        frontend: One more line of `frontend`.
        server: More words in the line of the origin.
    """
    return f"""
global
    maxconn 256
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    {defaults}
frontend front
    bind 127.0.0.1:{at.port}
    {frontend}
    default_backend back
backend back
    server origin 127.0.0.1:{at.origin} {server}
"""


def short_idle(at: Places) -> str:
    """Close connections that were idle for a quarter of a second."""
    return haproxy(at, defaults="timeout http-keep-alive 250ms")


def denies(at: Places) -> str:
    """Answer 403 in place of what the origin has marked."""
    return haproxy(at, frontend=f"http-response deny deny_status 403 if {{ res.hdr({MARK}) -m found }}")


def short_queue(at: Places) -> str:
    """Let one request at a time through, and refuse those that have waited for a third of a second."""
    return haproxy(at, defaults="timeout queue 300ms", server="maxconn 1")


def long_queue(at: Places) -> str:
    """Let one request at a time through, however long the others wait."""
    return haproxy(at, defaults="timeout queue 30s", server="maxconn 1")
