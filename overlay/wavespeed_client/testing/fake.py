"""FakeWaveSpeed: a local stand-in for the service, as a real HTTP server."""

from __future__ import annotations

import time
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field

from ..arguments import split_model
from ..errors import InvalidInputError
from ..settings import Settings
from ..typed.lock import read_lock
from .application import Application, Submission
from .arguments import checked, checked_count
from .contract import Contract, client_contract
from .control import Control
from .proxies import bypass, end_bypass
from .script import Script
from .server import Server
from .service import Service
from .wire import Response, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from .. import AsyncWaveSpeed, Task, WaveSpeed
    from .arrangements import Kind
    from .deliveries import Delivery
    from .script import Output
    from .wire import Request

LOOPBACK = "127.0.0.1"


@define(eq=False)
class FakeWaveSpeed:
    """A local stand-in for the service that checks all requests, and its own responses, against the contract.

    Use it as a context manager, or call `start` and `stop`. It costs nothing and needs no account. Thread-safe. A
    request that breaks the contract is refused as the service would, and listed in `violations`. It keeps the last
    10,000 records of each kind; tasks that have ended are dropped first.

    Attributes:
        api_key: The key that clients must send.
        port: The port to listen on; 0 for a free one.
        host: The address to listen on. With 0.0.0.0, other machines can reach it.
        allow_hosts: Host names that other machines may use to control it. The first one is used in its URLs.
        contract: The contract; by default that of the installed client.
        models: The ids of the models in the catalogue. Other models can be used, too, unless `load` excludes them.
        credit: The account's balance in USD before any task.
        webhook_secret: The account's webhook secret.
        requests: All requests, in order.
        calls: The accepted submissions, in order.
        deliveries: The webhook deliveries, in order.
        files: The uploaded files, by the path of their URL.
        violations: How requests, or its own responses, broke the contract.
    """

    api_key: str = "test-key"
    port: int = field(default=0, kw_only=True)
    host: str = field(default=LOOPBACK, kw_only=True)
    allow_hosts: Sequence[str] = field(default=(), kw_only=True)
    contract: Contract = field(factory=client_contract, kw_only=True, repr=False)
    models: set[str] = field(factory=lambda: {"wavespeed-ai/flux-dev", "wavespeed-ai/z-image/turbo"}, kw_only=True)
    credit: float = field(default=100.0, kw_only=True)
    webhook_secret: str = field(default="whsec_test-secret", kw_only=True)
    requests: list[Request] = field(init=False, repr=False)
    calls: list[Submission] = field(init=False, repr=False)
    deliveries: list[Delivery] = field(init=False, repr=False)
    violations: list[str] = field(init=False)
    files: dict[str, bytes] = field(init=False, repr=False)
    _application: Application = field(init=False, repr=False)
    _server: Server | None = field(init=False, default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        Settings.resolve(self.api_key)  # raises for a key that no client could send
        checked(self.port, "port", int, "a port from 0 to 65535", 0, 65535)
        service = Service(self.models, self.credit, self.webhook_secret)
        application = self._application = Application(self.api_key, self.contract, service)
        self.requests, self.calls, self.files = application.requests, application.calls, service.files
        self.deliveries, self.violations = application.deliveries, application.violations

    def start(self) -> Self:
        """Start the server. Adds 127.0.0.1 to NO_PROXY until `stop`, so that clients bypass proxies.

        Raises:
            OSError: The port is taken.
        """
        if self._server is None:
            control = Control(self, self._application, self.allow_hosts)
            server = Server(self.host, self.port, control.respond)
            self._application.open()
            server.start()
            self._server = server
            self._application.service.url = f"http://{next(iter(self.allow_hosts), LOOPBACK)}:{server.port}"
            bypass(LOOPBACK)
        return self

    def stop(self) -> None:
        """Stop the server and all webhook deliveries."""
        if self._server is not None:
            end_bypass(LOOPBACK)
            self._server.stop()
            self._application.close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL for clients.

        Raises:
            RuntimeError: The server is not running.
        """
        if self._server is None:
            raise RuntimeError("This FakeWaveSpeed is not started: use it as a context manager, or call start().")
        return f"http://{LOOPBACK}:{self._server.port}"

    def reset(self) -> None:
        """Delete all tasks, files, records and arrangements. Loaded models stay."""
        self._application.clear()

    def client(self) -> WaveSpeed:
        """Return a new client of this stand-in. Close it, or use it as a context manager."""
        from ..client import WaveSpeed

        return WaveSpeed(self.api_key, base_url=self.url)

    def async_client(self) -> AsyncWaveSpeed:
        """Async client."""
        from ..async_client import AsyncWaveSpeed

        return AsyncWaveSpeed(self.api_key, base_url=self.url)

    def load(self, lock: str | PathLike[str], only: bool = False) -> None:
        """Add the models of a lock to the catalogue, and check the inputs of their submissions.

        A wrong input is refused with 400, and is a violation that names the field. Several locks can be loaded. They
        survive `reset`.

        Args:
            lock: The path of a lock that `python -m wavespeed_client.typed` wrote, such as my_models.lock.json.
            only: Whether only loaded models exist: all others are removed from `models`, and refused with 404 and a
                violation.

        Raises:
            InvalidInputError: The file does not exist, or is not a lock. Nothing has changed.
        """
        checked(only, "only", bool, "True or False")
        checked(lock, "lock", str | PathLike, "the path of a lock, such as models.lock.json")
        models = read_lock(Path(lock)).models
        with self._application.lock:
            self._application.service.load(models, only)

    def script(self, model: str, *statuses: str, outputs: Sequence[Output] | None = None) -> None:
        """Set the statuses of new tasks of a model: the submission returns the first, and each poll the next.

        The last status stays. A task with a webhook has its last status right after the submission.

        Args:
            model: The model's id.
            statuses: At least one status.
            outputs: The outputs of completed tasks; by default one URL, which can be downloaded.

        Raises:
            ValueError: The model id is invalid, or a status or an output is.
        """
        split_model(model)
        if not statuses or not all(isinstance(status, str) and status for status in statuses):  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
            raise InvalidInputError(f"Pass at least one status, as in 'created', 'completed', not {statuses!r:.80}.")
        allowed = "a list of strings or objects, such as ['https://example.com/1.png']"
        for output in checked([] if outputs is None else outputs, "outputs", list | tuple, allowed):
            checked(output, "outputs", str | dict, allowed)
        self._application.service.scripts[model] = Script(statuses, None if outputs is None else tuple(outputs))

    def fail(self, model: str, *, error: str, code: int = 1405) -> None:
        """Let new tasks of a model fail with this error and task code.

        Raises:
            ValueError: The model id, the error or the code is invalid.
        """
        split_model(model)
        checked(error, "error", str, "a string")
        checked_count(code, "code", 0)
        self._application.service.scripts[model] = Script(("created", "failed"), (), error, code)

    def refuse(
        self,
        status: int,
        *,
        message: str = "Refused.",
        times: int = 1,
        on: Kind = "submit",
        retry_after: int | None = None,
    ) -> None:
        """Refuse the next requests of a kind, in the service's form.

        Args:
            status: The HTTP status, 400 or more.
            message: The message.
            times: How many requests to refuse.
            on: The kind of request.
            retry_after: The header Retry-After, in seconds.

        Raises:
            ValueError: An argument is invalid.
        """
        wait = {} if retry_after is None else {"Retry-After": str(checked_count(retry_after, "retry_after", 0))}
        checked(status, "status", int, "an HTTP status from 400 to 599", 400, 599)
        checked(message, "message", str, "a string")
        self._arrange(on, refusal(status, message, **wait), times)

    def raw(
        self,
        status: int,
        body: bytes | str,
        content_type: str = "application/json",
        *,
        times: int = 1,
        on: Kind = "submit",
    ) -> None:
        """Send this response to the next requests of a kind, even if it breaks the contract.

        Args:
            status: The HTTP status, 200 or more.
            body: The body; a string is sent in UTF-8.
            content_type: The header Content-Type.
            times: How many requests to respond to.
            on: The kind of request.

        Raises:
            ValueError: An argument is invalid.
        """
        checked(status, "status", int, "an HTTP status from 200 to 599", 200, 599)
        checked(body, "body", bytes | str, "a string or bytes, such as '<html>'")
        checked(content_type, "content_type", str, "a string")
        if not content_type.isascii() or not content_type.isprintable():
            raise InvalidInputError(f"content_type must be printable ASCII, not {content_type!r}.")
        content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        self._arrange(on, Response(status, content, content_type), times)

    def drop(self, on: Kind = "submit", *, times: int = 1) -> None:
        """Carry out the next requests of a kind, and close the connection without a response.

        Raises:
            ValueError: `times` or `on` is invalid.
        """
        self._arrange(on, None, times)

    def delay(self, seconds: float, *, on: Kind | None = None) -> None:
        """Delay all responses and webhooks from now on.

        Args:
            seconds: The delay; 0 for none.
            on: Delay only requests of this kind.

        Raises:
            ValueError: The seconds are negative or infinite, or `on` is not a kind.
        """
        with self._application.lock:
            self._application.arrangements.set_delay(seconds, on)

    @property
    def tasks(self) -> list[Task]:
        """The tasks as last returned to a client, in the order of submission. Reading does not advance them."""
        from ..parsing import task_in

        with self._application.lock:
            states = self._application.service.states()
        return [task_in(state) for state in states]

    def wait_for_deliveries(self, timeout: float = 10.0) -> list[Delivery]:
        """Wait until all webhook deliveries have ended; return them.

        Args:
            timeout: The most seconds to wait.

        Raises:
            TimeoutError: A delivery is still running.
        """
        deadline = time.monotonic() + timeout
        found = list(self.deliveries)
        if not all(delivery.has_ended.wait(max(0.0, deadline - time.monotonic())) for delivery in found):
            raise TimeoutError(f"A webhook delivery was still running after {timeout} seconds.")
        return found

    def _arrange(self, kind: Kind, response: Response | None, times: int) -> None:
        with self._application.lock:
            self._application.arrangements.add(kind, response, times)
