"""Exclude the stand-in from the proxies of this process."""

from __future__ import annotations

import os

NAMES = ("no_proxy", "NO_PROXY")  # clients differ in which one they read first


def bypass(host: str) -> None:
    """Add a host to NO_PROXY."""
    for name in [name for name in NAMES if os.environ.get(name)] or NAMES:
        os.environ[name] = ",".join([*_hosts(name), host])


def end_bypass(host: str) -> None:
    """Undo one `bypass`. Hosts that others added stay."""
    for name in NAMES:
        hosts = _hosts(name)
        if host in hosts:
            del hosts[len(hosts) - 1 - hosts[::-1].index(host)]
            os.environ[name] = ",".join(hosts)
        if not hosts:
            os.environ.pop(name, None)


def _hosts(name: str) -> list[str]:
    given = os.environ.get(name)
    return given.split(",") if given else []
