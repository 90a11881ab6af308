"""Whether a response belongs to its question: it names the task that was asked for, or one that is new.

A server or proxy that sends a response twice, or a byte more than it announced, makes the spare bytes answer the next
request on that connection. So a task's id that this client has received before answers no other submission.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from .exchange import Exchange
    from .response import WholeResponse

# A spare response comes within seconds, so this many of the last ones are enough, at any pace.
REMEMBERED = 10_000

_QUESTION = re.compile(r"/api/v3/predictions/([^/]+)(?:/result)?")


class Received:
    """The ids that one client has received last. Threads may share it without a lock: each step is one of a dict's."""

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
    """Refuse a response that belongs to another question.

    Raises:
        httpx.RemoteProtocolError: It is about another task, or, for a submission, about one that is known already.
    """
    task_id = response.task_id
    if task_id is None:
        return
    asked_for = _QUESTION.fullmatch(exchange.path) if exchange.request.method == "GET" else None
    is_new = received.add(task_id)
    if exchange.submission and not is_new:
        raise httpx.RemoteProtocolError(f"the response is about task {task_id}, which answered an earlier request")
    if asked_for and asked_for[1] != task_id:
        raise httpx.RemoteProtocolError(f"the response is about another task, {task_id}")
