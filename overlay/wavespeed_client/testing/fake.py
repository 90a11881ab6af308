"""FakeWaveSpeed: a stand-in for the service, a real HTTP server on a free port of this machine."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections import defaultdict, deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from attrs import define, field, frozen
from pytest_httpserver import HTTPServer
from werkzeug import Response

from .contract import Answer, Contract, ContractError, Request

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from werkzeug import Request as WSGIRequest

Kind = Literal["submit", "poll", "list"]

_TASK_PATH = re.compile(r"/api/v3/predictions/(?P<id>[A-Za-z0-9_-]{1,128})(?:/result)?")


@frozen
class Submission:
    """A submission that the stand-in accepted, as it came in.

    Attributes:
        model: The model id in the path.
        input: The body.
        webhook: The query parameter.
        headers: The headers, without the key.
    """

    model: str
    input: dict[str, Any]
    webhook: str | None
    headers: dict[str, str]


@frozen
class _Script:
    statuses: tuple[str, ...] = ("created", "processing", "completed")
    outputs: tuple[str | dict[str, Any], ...] | None = None
    error: str = ""
    code: int = 0


@define
class _Task:
    id: str
    model: str
    script: _Script
    created_at: str
    input: dict[str, Any]
    asked: int = 0

    @property
    def status(self) -> str:
        return self.script.statuses[min(self.asked, len(self.script.statuses) - 1)]

    def fits(self, query: dict[str, Any]) -> bool:
        """Whether a list with these filters holds the task."""
        if query.get("model", self.model) != self.model or query.get("status", self.status) != self.status:
            return False
        created = datetime.fromisoformat(self.created_at)
        after, before = query.get("created_after"), query.get("created_before")
        if after and created <= datetime.fromisoformat(after):
            return False
        return not before or created < datetime.fromisoformat(before)

    def state(self, url: str) -> dict[str, Any]:
        """The task as it stands; each question moves it on by one status."""
        status = self.status
        outputs = self.script.outputs
        if outputs is None:
            outputs = (f"https://static.wavespeed.ai/outputs/{self.id}/1.jpeg",)
        ended = status in ("completed", "failed")
        return {
            "id": self.id,
            "model": self.model,
            "status": status,
            "outputs": list(outputs) if status == "completed" else [],
            "urls": {"get": f"{url}/api/v3/predictions/{self.id}/result"},
            "created_at": self.created_at,
            "error": self.script.error if status == "failed" else "",
            "code": self.script.code if status == "failed" else 0,
            "timings": {"inference": 1200 if ended else 0},
        }


@frozen
class _Arranged:
    """An answer that was arranged, in place of the one the stand-in would give."""

    answer: Answer
    headers: dict[str, str]


@define
class FakeWaveSpeed:
    """A stand-in for the service that holds every request, and its own answers, against the contract.

    Use it as a context manager, or call `start` and `stop`. It costs nothing and needs no account.

    Attributes:
        api_key: The key that it accepts.
        requests: Every request that came in, in order.
        calls: The submissions among them that were accepted.
        violations: What was outside the contract, in the requests or in its own answers.
    """

    api_key: str = "test-key"
    contract: Contract = field(factory=Contract)
    requests: list[Request] = field(init=False, factory=list[Request])
    calls: list[Submission] = field(init=False, factory=list[Submission])
    violations: list[str] = field(init=False, factory=list[str])
    _server: HTTPServer = field(init=False)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)
    _tasks: dict[str, _Task] = field(init=False, factory=dict[str, _Task])
    _scripts: dict[str, _Script] = field(init=False, factory=dict[str, _Script])
    _arranged: dict[str, deque[_Arranged]] = field(init=False, factory=lambda: defaultdict(deque))

    def __attrs_post_init__(self) -> None:
        self._server = HTTPServer(host="127.0.0.1", threaded=True)
        self._server.expect_request(re.compile(".*")).respond_with_handler(self._respond)

    def start(self) -> Self:
        """Listen on a free port of 127.0.0.1."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it listens: the base URL for a client."""
        return f"http://127.0.0.1:{self._server.port}"

    def reset(self) -> None:
        """Forget everything: tasks, records and arrangements."""
        with self._lock:
            for memory in (self.requests, self.calls, self.violations, self._tasks, self._scripts, self._arranged):
                memory.clear()
            self._server.clear_log()

    def script(self, model: str, *statuses: str, outputs: Sequence[str | dict[str, Any]] | None = None) -> None:
        """Let the tasks of a model go through these statuses, one for each time they are told, and stay at the last."""
        self._scripts[model] = _Script(statuses, None if outputs is None else tuple(outputs))

    def fail(self, model: str, *, error: str, code: int = 1405) -> None:
        """Let the tasks of a model fail, with this error and task code."""
        self._scripts[model] = _Script(("created", "failed"), (), error, code)

    def refuse(
        self,
        status: int,
        *,
        message: str = "Refused.",
        times: int = 1,
        on: Kind = "submit",
        retry_after: int | None = None,
    ) -> None:
        """Refuse the next submissions, questions after tasks, or lists, as the service does with this status."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        body = json.dumps({"code": status, "message": message}).encode()
        self._arranged[on].extend([_Arranged(Answer(status, body), headers)] * times)

    def raw(
        self, status: int, body: bytes, content_type: str = "application/json", *, times: int = 1, on: Kind = "submit"
    ) -> None:
        """Answer the next submissions, questions after tasks, or lists, with exactly this, in the contract or not."""
        self._arranged[on].extend([_Arranged(Answer(status, body, content_type), {})] * times)

    def _respond(self, wsgi: WSGIRequest) -> Response:
        request = Request(wsgi.method, wsgi.environ["REQUEST_URI"], dict(wsgi.headers), wsgi.get_data())
        with self._lock:
            self.requests.append(request)
            arranged = self._arranged[_kind(wsgi)]
            if arranged:
                out = arranged.popleft()
                return Response(out.answer.body, out.answer.status, out.headers, content_type=out.answer.content_type)
            answer = self._answer(request, wsgi)
        try:
            self.contract.check_answer(request, answer)
        except ContractError as violation:
            self.violations.append(f"the stand-in itself: {violation}")
        return Response(answer.body, answer.status, content_type=answer.content_type)

    def _answer(self, request: Request, wsgi: WSGIRequest) -> Answer:
        if wsgi.headers.get("Authorization") != f"Bearer {self.api_key}":
            return _error(401, "Invalid API key.")
        try:
            self.contract.check_request(request)
        except ContractError as violation:
            self.violations.append(str(violation))
            return _error(400, str(violation))
        kind = _kind(wsgi)
        if kind == "submit":
            return self._submit(wsgi)
        if kind == "list":
            return self._list(json.loads(request.body))
        match = _TASK_PATH.fullmatch(wsgi.path)
        task = self._tasks.get(match["id"]) if match else None
        return self._told(task) if task else _error(404, "Prediction not found.")

    def _submit(self, wsgi: WSGIRequest) -> Answer:
        model = wsgi.path.removeprefix("/api/v3/")
        headers = {name: value for name, value in wsgi.headers if name.lower() != "authorization"}
        self.calls.append(Submission(model, json.loads(wsgi.get_data()), wsgi.args.get("webhook"), headers))
        script, now = self._scripts.get(model, _Script()), f"{datetime.now(UTC):%FT%T.%fZ}"
        task = _Task(uuid.uuid4().hex, model, script, now, self.calls[-1].input)
        self._tasks[task.id] = task
        return self._told(task)

    def _list(self, query: dict[str, Any]) -> Answer:
        found = [task for task in reversed(self._tasks.values()) if task.fits(query)]
        begin = (query["page"] - 1) * query["page_size"]
        items = [task.state(self.url) | {"inputs": task.input} for task in found[begin : begin + query["page_size"]]]
        page = {"page": query["page"], "items": items or None}
        return Answer(200, json.dumps({"code": 200, "message": "success", "data": page}).encode())

    def _told(self, task: _Task) -> Answer:
        state = task.state(self.url)
        task.asked += 1
        return Answer(200, json.dumps({"code": 200, "message": "success", "data": state}).encode())


def _kind(wsgi: WSGIRequest) -> Kind:
    if wsgi.method != "POST":
        return "poll"
    return "list" if wsgi.path == "/api/v3/predictions" else "submit"


def _error(status: int, message: str) -> Answer:
    return Answer(status, json.dumps({"code": status, "message": message}).encode())
