"""Configurations of squid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from origin import MARK

if TYPE_CHECKING:
    from proxy import Places


def squid(at: Places, more: str = "") -> str:
    """Return a configuration that passes everything on and keeps nothing.

    Args:
        at: Where everything is.
        more: More lines.
    """
    return f"""
http_port 127.0.0.1:{at.port}
{more}
http_access allow all
cache deny all
memory_cache_shared off
access_log none
cache_log /dev/null
pid_filename none
pinger_enable off
coredump_dir none
shutdown_lifetime 0 seconds
"""


def denies(at: Places) -> str:
    """Answer 403 in place of what the origin has marked."""
    return squid(at, f"acl marked rep_header {MARK} .\nhttp_reply_access deny marked")
