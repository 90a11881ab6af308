"""Webhook deliveries of the stand-in, signed and retried like the service's."""

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

# Seconds between attempts. The service also retries three times, after longer pauses.
PAUSES = (0.05, 0.2, 0.8)
TIMEOUT_SECONDS = 5.0


@define(eq=False)
class Delivery:
    """The delivery of a webhook.

    Only URLs of this machine are called. For any other URL, pass the headers and the body to the program under test
    yourself.

    Attributes:
        url: The webhook URL.
        headers: The request's headers, with the signature.
        body: The request's body: the task as JSON.
        statuses: The status of each attempt; None if there was no response.
        has_ended: An event that is set once there is no further attempt.
    """

    url: str
    headers: dict[str, str]
    body: bytes
    statuses: list[int | None] = field(factory=list["int | None"])
    has_ended: threading.Event = field(init=False, repr=False, factory=threading.Event)

    @property
    def ended(self) -> bool:
        """Whether there is no further attempt."""
        return self.has_ended.is_set()

    @property
    def arrived(self) -> bool:
        """Whether an attempt got a 2xx response."""
        return any(status is not None and 200 <= status < 300 for status in self.statuses)


def signed_delivery(task: ScriptedTask, url: str, webhook: Webhook) -> Delivery:
    """Build the delivery for a task that has ended.

    Args:
        task: The task.
        url: The stand-in's base URL.
        webhook: The signer.
    """
    body = json.dumps(task.state(url) | {"input": task.input}).encode()
    signature = webhook.sign(body, id=f"msg_{uuid.uuid4().hex}")
    return Delivery(task.webhook or "", {"Content-Type": "application/json", **signature}, body)


class Courier:
    """A sender of deliveries, with background threads.

    Attributes:
        stopping: Set once it has stopped.
    """

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="webhook")

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(trust_env=False, timeout=TIMEOUT_SECONDS)

    def send(self, delivery: Delivery) -> None:
        """Start a delivery. One to another machine ends at once, without an attempt."""
        if self.stopping.is_set() or not _is_this_machine(delivery.url):
            delivery.has_ended.set()
        else:
            self._threads.submit(self._deliver, delivery)

    def stop(self) -> None:
        """Stop all deliveries. Running attempts end on their own."""
        self.stopping.set()
        self._threads.shutdown(wait=False)

    def _deliver(self, delivery: Delivery) -> None:
        try:
            for pause in (0.0, *PAUSES):
                if delivery.arrived or self.stopping.is_set() or delivery.has_ended.wait(pause):
                    break
                delivery.statuses.append(self._try(delivery))
        finally:
            delivery.has_ended.set()

    def _try(self, delivery: Delivery) -> int | None:
        try:
            # Streamed, so that an endless response body cannot block the thread.
            with self._http.stream("POST", delivery.url, content=delivery.body, headers=delivery.headers) as response:
                return response.status_code
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return None


def _is_this_machine(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
