"""The private state of httpcore's connections, read only here. A test pins the private names.

Delete `has_unread_bytes` once httpcore closes a connection that has read more than its response, and `interruptible`
once an exception of a signal handler cannot leave httpcore's pool locked.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar, cast

import httpx

TransportT = TypeVar("TransportT", httpx.HTTPTransport, httpx.AsyncHTTPTransport)

# A connection through a proxy is wrapped up to twice.
WRAPPINGS = 4


def has_unread_bytes(transport: httpx.HTTPTransport | httpx.AsyncHTTPTransport) -> bool:
    """Tell whether a connection has read more than its response: that would pass for the next one. In doubt, it has."""
    try:
        return any(map(_trailing_data, cast("Any", transport)._pool.connections))
    except AttributeError:
        return True


def _trailing_data(connection: Any) -> bytes:
    for _ in range(WRAPPINGS):
        if hasattr(connection, "_h11_state"):
            break
        connection = connection._connection
    data: bytes = connection._h11_state.trailing_data[0]
    return data


def interruptible(transport: TransportT) -> TransportT:
    """Give a pool a lock that an exception of a signal handler cannot leave locked, however it falls.

    httpcore takes its own lock in a Python function. If a signal handler raises between that and the start of the
    `with` block, the lock stays locked, and httpcore's own clean-up is the first to wait for it without end.
    """
    pool = cast("Any", transport)._pool
    if hasattr(pool, "_optional_thread_lock"):
        pool._optional_thread_lock = threading.RLock()
    return transport
