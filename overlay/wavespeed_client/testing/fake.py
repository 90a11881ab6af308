"""FakeWaveSpeed: a stand-in for the service, a real HTTP server on a port of this machine."""

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
from .arrangements import Arranged, Kind, checked_count, checked_status, checked_text
from .contract import Contract, client_contract
from .control import Control
from .desk import Desk, Submission
from .proxies import bypass, end_bypass
from .script import Script
from .server import Server
from .service import Service
from .wire import Answer, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from .. import AsyncWaveSpeed, Task, WaveSpeed
    from .deliveries import Delivery
    from .script import Output
    from .wire import Request

LOOPBACK = "127.0.0.1"


@define(eq=False)
class FakeWaveSpeed:
    """A stand-in for the service that holds every request, and its own answers, against the contract.

    Use it as a context manager, or call `start` and `stop`. It costs nothing and needs no account. Threads may
    share it. A request outside the contract is refused as the service would, and listed in `violations`. It keeps the
    last 10,000 of everything, so that it can run for days; of the tasks, those that still run before those that ended.

    Args:
        port: The port to listen on; a free one, for 0.
        host: The address to listen on. 0.0.0.0 lets other machines reach it.
        allow_hosts: Names under which other machines may control it; the first one is in the URLs that it tells.
        contract: The judge; else the contract of the installed client.

    Attributes:
        api_key: The key that it accepts.
        models: The models of its catalogue, by id. Others can be submitted to, too, unless `load` excludes them.
        credit: The account's money in USD, before the tasks are paid.
        webhook_secret: The account's webhook secret, which signs its webhook calls.
        requests: Every request that came in, in order.
        calls: The submissions among them that were accepted.
        deliveries: The webhook calls of tasks that have ended, in order.
        files: The files that were uploaded, by the path of their URL.
        violations: What was outside the contract, in the requests or in its own answers.
    """

    api_key: str = "test-key"
    port: int = field(default=0, kw_only=True)
    host: str = field(default=LOOPBACK, kw_only=True)
    allow_hosts: Sequence[str] = field(default=(), kw_only=True)
    contract: Contract = field(factory=client_contract, kw_only=True)
    models: set[str] = field(factory=lambda: {"wavespeed-ai/flux-dev", "wavespeed-ai/z-image/turbo"}, kw_only=True)
    credit: float = field(default=100.0, kw_only=True)
    webhook_secret: str = field(default="whsec_test-secret", kw_only=True)
    requests: list[Request] = field(init=False)
    calls: list[Submission] = field(init=False)
    deliveries: list[Delivery] = field(init=False)
    violations: list[str] = field(init=False)
    files: dict[str, bytes] = field(init=False)
    _service: Service = field(init=False, repr=False)
    _desk: Desk = field(init=False, repr=False)
    _server: Server | None = field(init=False, default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        Settings.resolve(self.api_key)  # refuses a key that no client could send
        self._service = Service(self.models, self.credit, self.webhook_secret)
        self._desk = Desk(self.api_key, self.contract, self._service)
        self.requests, self.calls = self._desk.requests, self._desk.calls
        self.deliveries, self.violations = self._desk.deliveries, self._desk.violations
        self.files = self._service.files

    def start(self) -> Self:
        """Listen, and add 127.0.0.1 to NO_PROXY until `stop`: no client is to look for it behind a proxy.

        Raises:
            OSError: The port is taken.
        """
        if self._server is None:
            control = Control(self, self._desk.respond, self._service, self.allow_hosts)
            server = Server(self.host, self.port, control.respond)
            self._desk.open()
            server.start()
            self._server = server
            self._service.url = f"http://{next(iter(self.allow_hosts), LOOPBACK)}:{server.port}"
            bypass(LOOPBACK)
        return self

    def stop(self) -> None:
        """Stop listening, and give up webhook calls that have not arrived."""
        if self._server is not None:
            end_bypass(LOOPBACK)
            self._server.stop()
            self._desk.close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it listens: the base URL for a client.

        Raises:
            RuntimeError: It does not listen.
        """
        if self._server is None:
            raise RuntimeError("This FakeWaveSpeed is not started: use it as a context manager, or call start().")
        return f"http://{LOOPBACK}:{self._server.port}"

    def reset(self) -> None:
        """Forget everything: tasks, files, records and arrangements. Models that were loaded stay."""
        self._desk.clear()

    def client(self) -> WaveSpeed:
        """A new client of this stand-in. Close it, or use it as a context manager."""
        from ..client import WaveSpeed

        return WaveSpeed(self.api_key, base_url=self.url)

    def async_client(self) -> AsyncWaveSpeed:
        """Async client."""
        from ..async_client import AsyncWaveSpeed

        return AsyncWaveSpeed(self.api_key, base_url=self.url)

    def load(self, lock: str | PathLike[str], only: bool = False) -> None:
        """Hold each submission for the models of a lock against what it says of their inputs, and list them as models.

        A wrong input is refused with 400, and the violation names the field. Several locks can be loaded, one after the
        other. They outlast `reset`.

        Args:
            lock: The file that `python -m wavespeed_client.typed` writes beside the typed inputs, such as
                my_models.lock.json.
            only: Whether other models than those that were loaded are unknown from now on: gone from `models`, and
                refused with 404, which is a violation.

        Raises:
            InvalidInputError: There is no such file, or it is no lock. Nothing has changed.
        """
        if not isinstance(only, bool):  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
            raise InvalidInputError(f"only must be True or False, not {only!r}.")
        if not isinstance(lock, str | PathLike):  # pyright: ignore[reportUnnecessaryIsInstance] # as above
            raise InvalidInputError(f"lock must be the path of a lock, such as models.lock.json, not {lock!r}.")
        models = read_lock(Path(lock)).models
        with self._desk.lock:
            self._service.load(models, only)

    def script(self, model: str, *statuses: str, outputs: Sequence[Output] | None = None) -> None:
        """Let new tasks of a model go through these statuses, one for each time they are told, and stay at the last.

        Where a webhook is to be called, the script is over as soon as the submission is answered.

        Args:
            model: The model's id.
            statuses: One status or more, in the order in which they are told.
            outputs: What completed tasks have as outputs; else one URL, which can be downloaded.

        Raises:
            ValueError: It is no model's id, or no status is given.
        """
        split_model(model)
        self._service.scripts[model] = Script.checked(statuses, outputs)

    def fail(self, model: str, *, error: str, code: int = 1405) -> None:
        """Let new tasks of a model fail, with this error and task code.

        Raises:
            ValueError: It is no model's id.
        """
        split_model(model)
        script = Script(("created", "failed"), (), checked_text(error, "error"), checked_count(code, "code", 0))
        self._service.scripts[model] = script

    def refuse(
        self,
        status: int,
        *,
        message: str = "Refused.",
        times: int = 1,
        on: Kind = "submit",
        retry_after: int | None = None,
    ) -> None:
        """Refuse the next requests of a kind as the service does with this status.

        Args:
            retry_after: Seconds in the header Retry-After.

        Raises:
            ValueError: The status is under 400, or `times` or `on` cannot be.
        """
        headers = {} if retry_after is None else {"Retry-After": str(checked_count(retry_after, "retry_after", 0))}
        answer = refusal(checked_status(status, 400), checked_text(message, "message"))
        self._arrange(on, Arranged(answer, headers), times)

    def raw(
        self, status: int, body: bytes, content_type: str = "application/json", *, times: int = 1, on: Kind = "submit"
    ) -> None:
        """Answer the next requests of a kind with exactly this, in the contract or not.

        Raises:
            ValueError: The status, the body, `times` or `on` cannot be.
        """
        if not isinstance(body, bytes):  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
            raise ValueError(f"body must be bytes, as in b'<html>', not {type(body).__name__}.")
        if not checked_text(content_type, "content_type").isascii() or not content_type.isprintable():
            raise ValueError(f"content_type must be text that a header can hold, not {content_type!r}.")
        self._arrange(on, Arranged(Answer(checked_status(status, 200), body, content_type)), times)

    def drop(self, on: Kind = "submit", *, times: int = 1) -> None:
        """Take the next requests of a kind, act on them, and hang up without an answer.

        Raises:
            ValueError: `times` or `on` cannot be.
        """
        self._arrange(on, Arranged(None), times)

    def delay(self, seconds: float, *, on: Kind | None = None) -> None:
        """Answer every request, and call every webhook, that many seconds later from now on; 0 ends it.

        Args:
            on: Only requests of this kind.

        Raises:
            ValueError: The seconds are negative or endless, or `on` cannot be.
        """
        with self._desk.lock:
            self._desk.arrangements.set_delay(seconds, on)

    @property
    def tasks(self) -> list[Task]:
        """The tasks as they were told last, in the order of their submission. Looking does not move them on."""
        from wavespeed_api.models import Prediction

        from ..parsing import task_from_prediction

        with self._desk.lock:
            states = self._service.states()
        return [task_from_prediction(Prediction.from_dict(state), state, model="") for state in states]

    def wait_for_deliveries(self, timeout: float = 10.0) -> list[Delivery]:
        """The webhook calls, once every one has arrived or was given up.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            TimeoutError: Some are still under way.
        """
        deadline = time.monotonic() + timeout
        found = list(self.deliveries)
        if not all(delivery.wait(max(0.0, deadline - time.monotonic())) for delivery in found):
            raise TimeoutError(f"Not every webhook call was over after {timeout} seconds.")
        return found

    def _arrange(self, kind: Kind, arranged: Arranged, times: int) -> None:
        with self._desk.lock:
            self._desk.arrangements.add(kind, arranged, times)
