"""Deliveries: the webhook calls of the stand-in, signed and tried again like the service's."""

from __future__ import annotations

import ipaddress
import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from attrs import define, field

if TYPE_CHECKING:
    from ..webhooks import Webhook
    from .script import ScriptedTask

# The service tries again up to three times, at growing intervals. These are shorter, in seconds.
PAUSES = (0.05, 0.2, 0.8)
TIMEOUT_SECONDS = 5.0


@define(eq=False)
class Delivery:
    """A call of a webhook.

    Only addresses of this machine are called. For any other, read the call here and hand it to the program under test.

    Attributes:
        url: Where the task wanted to be told of.
        headers: The call's headers, the signature among them.
        body: The call's body: the task as JSON.
        statuses: What each try was answered with; None where no answer came.
    """

    url: str
    headers: dict[str, str]
    body: bytes
    statuses: list[int | None] = field(factory=list["int | None"])
    _ended: threading.Event = field(init=False, repr=False, factory=threading.Event)

    @property
    def arrived(self) -> bool:
        """Whether a try was answered with a 2xx status."""
        return any(status is not None and 200 <= status < 300 for status in self.statuses)

    def end(self) -> None:
        """Say that there is no further try."""
        self._ended.set()

    @property
    def ended(self) -> bool:
        """Whether there is no further try."""
        return self._ended.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for the last try; False if it is not over by then."""
        return self._ended.wait(seconds)


def signed_delivery(task: ScriptedTask, url: str, webhook: Webhook) -> Delivery:
    """The call that tells of a task that has ended.

    Args:
        task: The task.
        url: Where the stand-in listens.
        webhook: What signs.
    """
    body = json.dumps(task.state(url) | {"input": task.input}).encode()
    signature = webhook.sign(body, id=f"msg_{uuid.uuid4().hex}")
    return Delivery(task.webhook or "", {"Content-Type": "application/json", **signature}, body)


class Courier:
    """Makes the calls, a few at a time, each in the background."""

    def __init__(self) -> None:
        self._stopping = threading.Event()

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(trust_env=False, timeout=TIMEOUT_SECONDS)

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=8, thread_name_prefix="webhook")

    def send(self, delivery: Delivery) -> None:
        """Begin to deliver."""
        if self._stopping.is_set() or not _is_this_machine(delivery.url):
            delivery.end()
        else:
            self._threads.submit(self._deliver, delivery)

    def stop(self) -> None:
        """Give up what has not arrived. A try that is under way ends by itself."""
        self._stopping.set()
        if "_threads" in vars(self):
            self._threads.shutdown(wait=False)

    def _deliver(self, delivery: Delivery) -> None:
        try:
            for pause in (*PAUSES, 0.0):
                if not self._stopping.is_set() and not delivery.ended:
                    delivery.statuses.append(self._try(delivery))
                if delivery.arrived or delivery.ended or self._stopping.wait(pause):
                    break
        finally:
            delivery.end()

    def _try(self, delivery: Delivery) -> int | None:
        try:
            # Only the status is read: an endless body would hold the thread.
            with self._http.stream("POST", delivery.url, content=delivery.body, headers=delivery.headers) as answer:
                return answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return None


def _is_this_machine(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
