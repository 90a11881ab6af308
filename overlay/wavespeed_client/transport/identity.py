"""Check that a response belongs to its request: it names the requested task, or a new one.

If a server or proxy sends a response twice, or more bytes than it announced, the extra bytes look like the response to
the next request on that connection. So no submission accepts the id of a task that this client received before.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from .exchange import Exchange
    from .response import WholeResponse

# An extra response arrives within seconds, so this many ids are enough.
REMEMBERED = 10_000

_POLL = re.compile(r"/api/v3/predictions/([^/]+)(?:/result)?")


class Received:
    """The ids that one client received last. Threads share it without a lock: each step is a single dict operation."""

    def __init__(self) -> None:
        self._ids: dict[str, object] = {}

    def add(self, task_id: str) -> bool:
        """Remember an id; return whether it is new."""
        mark = object()
        is_new = self._ids.setdefault(task_id, mark) is mark
        if len(self._ids) > REMEMBERED:
            for oldest in list(self._ids)[: REMEMBERED // 10]:
                self._ids.pop(oldest, None)
        return is_new


def check_identity(exchange: Exchange, response: WholeResponse, received: Received) -> None:
    """Refuse a response that belongs to another request.

    Raises:
        httpx.RemoteProtocolError: It is about another task; or, for a submission, about a task that is already known.
    """
    task_id = response.task_id
    if task_id is None:
        return
    asked_for = _POLL.fullmatch(exchange.path) if exchange.request.method == "GET" else None
    is_new = received.add(task_id)
    if exchange.submission and not is_new:
        raise httpx.RemoteProtocolError(f"the response is about task {task_id}, which belongs to an earlier request")
    if asked_for and asked_for[1] != task_id:
        raise httpx.RemoteProtocolError(f"the response is about another task, {task_id}")
