"""FakeWaveSpeed: a stand-in for the service, a real HTTP server on a free port of this machine."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections import defaultdict, deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from attrs import define, field, frozen
from pytest_httpserver import HTTPServer
from werkzeug import Response

from . import catalogue
from .contract import Answer, Contract, ContractError, Request

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from werkzeug import Request as WSGIRequest

Kind = Literal[
    "submit", "poll", "list", "delete", "models", "price", "balance", "usage", "billings", "secret", "upload", "binary"
]

_FIXED_PATHS: dict[tuple[str, str], Kind] = {
    ("POST", "/api/v3/predictions"): "list",
    ("POST", "/api/v3/predictions/delete"): "delete",
    ("GET", "/api/v3/models"): "models",
    ("POST", "/api/v3/model/price"): "price",
    ("GET", "/api/v3/balance"): "balance",
    ("POST", "/api/v3/user/usage_stats"): "usage",
    ("POST", "/api/v3/billings/search"): "billings",
    ("GET", "/api/v3/webhook/secret"): "secret",
    ("POST", "/api/v3/media/uploads"): "upload",
    ("POST", "/api/v3/media/upload/binary"): "binary",
}

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
        return self.created_between(query.get("created_after"), query.get("created_before"))

    def created_between(self, after: str | None, before: str | None) -> bool:
        created = datetime.fromisoformat(self.created_at)
        if after and created <= datetime.fromisoformat(after):
            return False
        return not before or created < datetime.fromisoformat(before)

    def bills(self, query: dict[str, Any]) -> bool:
        """Whether a search of bills finds the charge for the task."""
        created = datetime.fromisoformat(self.created_at).timestamp() * 1000
        return (
            query.get("billing_type", "deduct") == "deduct"
            and int(query.get("start_time", 0)) <= created < int(query.get("end_time", 2**63))
            and self.id in query.get("prediction_uuids", [self.id])
        )

    @property
    def ended(self) -> bool:
        return self.status not in ("created", "pending", "processing")

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
        models: The models of its catalogue, by id. Others can be submitted to all the same.
        credit: The account's money in USD, before the tasks are paid.
        webhook_secret: The account's webhook secret.
        files: The files that were uploaded, by the path of their URL.
        violations: What was outside the contract, in the requests or in its own answers.
    """

    api_key: str = "test-key"
    contract: Contract = field(factory=Contract)
    models: set[str] = field(factory=lambda: {"wavespeed-ai/flux-dev", "wavespeed-ai/z-image/turbo"})
    credit: float = 100.0
    webhook_secret: str = "whsec_test-secret"
    requests: list[Request] = field(init=False, factory=list[Request])
    calls: list[Submission] = field(init=False, factory=list[Submission])
    files: dict[str, bytes] = field(init=False, factory=dict[str, bytes])
    violations: list[str] = field(init=False, factory=list[str])
    _server: HTTPServer = field(init=False)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)
    _tasks: dict[str, _Task] = field(init=False, factory=dict[str, _Task])
    _scripts: dict[str, _Script] = field(init=False, factory=dict[str, _Script])
    _awaited: dict[str, str] = field(init=False, factory=dict[str, str])
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
            for record in (self.requests, self.calls, self.violations):
                record.clear()
            for state in (self.files, self._tasks, self._scripts, self._awaited, self._arranged):
                state.clear()
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
        """Refuse the next requests of a kind as the service does with this status."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        body = json.dumps({"code": status, "message": message}).encode()
        self._arranged[on].extend([_Arranged(Answer(status, body), headers)] * times)

    def raw(
        self, status: int, body: bytes, content_type: str = "application/json", *, times: int = 1, on: Kind = "submit"
    ) -> None:
        """Answer the next requests of a kind with exactly this, in the contract or not."""
        self._arranged[on].extend([_Arranged(Answer(status, body, content_type), {})] * times)

    def _respond(self, wsgi: WSGIRequest) -> Response:
        request = Request(wsgi.method, wsgi.environ["REQUEST_URI"], dict(wsgi.headers), wsgi.get_data())
        with self._lock:
            self.requests.append(request)
            if wsgi.path.startswith(("/storage/", "/media/")):
                return self._storage(wsgi)
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
        if kind == "poll":
            match = _TASK_PATH.fullmatch(wsgi.path)
            task = self._tasks.get(match["id"]) if match else None
            return self._told(task) if task else _error(404, "Prediction not found.")
        if kind == "binary":
            return _success(self._stored(wsgi))
        data = self._data(kind, json.loads(request.body or b"{}"))
        return _error(404, f'Model "{data}" not found.') if isinstance(data, str) else _success(data)

    def _submit(self, wsgi: WSGIRequest) -> Answer:
        model = wsgi.path.removeprefix("/api/v3/")
        headers = {name: value for name, value in wsgi.headers if name.lower() != "authorization"}
        self.calls.append(Submission(model, json.loads(wsgi.get_data()), wsgi.args.get("webhook"), headers))
        script, now = self._scripts.get(model, _Script()), f"{datetime.now(UTC):%FT%T.%fZ}"
        task = _Task(uuid.uuid4().hex, model, script, now, self.calls[-1].input)
        self._tasks[task.id] = task
        return self._told(task)

    def _data(self, kind: Kind, query: dict[str, Any]) -> object:
        """The data of an answer about the account; a model's id where that model is unknown."""
        tasks = list(self._tasks.values())
        match kind:
            case "list":
                found = [task for task in reversed(tasks) if task.fits(query)]
                return _page([task.state(self.url) | {"inputs": task.input} for task in found], query)
            case "delete":
                gone = [task.id for task in tasks if task.id in query["ids"] and task.ended]
                self._tasks = {task.id: task for task in tasks if task.id not in gone}
                return {"deleted_count": len(gone)}
            case "models":
                return [catalogue.model_row(model) for model in sorted(self.models)]
            case "price":
                model = query["model_id"]
                return catalogue.price(model) if model in self.models else model
            case "balance":
                return {"balance": round(self.credit - catalogue.PRICE * len(tasks), 6)}
            case "usage":
                span, only = (query["start_time"], query["end_time"]), query.get("model_uuid")
                used = [task for task in tasks if task.created_between(*span) and only in (None, task.model)]
                return catalogue.usage([(task.model, task.created_at[:10]) for task in used])
            case "billings":
                return _page([_bill(task) for task in reversed(tasks) if task.bills(query)], query)
            case "upload":
                return self._ticket(query)
            case _:
                return {"secret": self.webhook_secret}

    def _ticket(self, query: dict[str, Any]) -> dict[str, Any]:
        token, name = uuid.uuid4().hex, query["filename"]
        self._awaited[token] = name
        headers = {"Content-Type": query.get("content_type", "application/octet-stream"), "If-None-Match": "*"}
        url, expires = f"{self.url}/storage/{token}", "2100-01-01T00:00:00Z"
        upload = {"method": "PUT", "url": url, "headers": headers, "expires_at": expires}
        return {**self._media(token, name, query["size"]), "upload": upload}

    def _stored(self, wsgi: WSGIRequest) -> dict[str, Any]:
        """A file that came as a form."""
        file, token = wsgi.files["file"], uuid.uuid4().hex
        name = file.filename or "file"
        self.files[f"/media/{token}/{name}"] = content = file.read()
        return self._media(token, name, len(content))

    def _media(self, token: str, name: str, size: int) -> dict[str, Any]:
        url = f"{self.url}/media/{token}/{quote(name)}"
        return {"type": "image", "download_url": url, "filename": name, "size": size}

    def _storage(self, wsgi: WSGIRequest) -> Response:
        """The storage host: takes each ticket once, and gives files to whoever asks."""
        if "Authorization" in wsgi.headers:
            self.violations.append(f"the API key was sent to the storage host: {wsgi.method} {wsgi.path}")
        if wsgi.method == "GET":
            content = self.files.get(wsgi.path)
            return Response(status=404) if content is None else Response(content, content_type="image/jpeg")
        token = wsgi.path.removeprefix("/storage/")
        if token not in self._awaited:
            return Response(status=412)
        self.files[f"/media/{token}/{self._awaited.pop(token)}"] = wsgi.get_data()
        return Response(status=200)

    def _told(self, task: _Task) -> Answer:
        state = task.state(self.url)
        task.asked += 1
        return _success(state)


def _kind(wsgi: WSGIRequest) -> Kind:
    return _FIXED_PATHS.get((wsgi.method, wsgi.path), "submit" if wsgi.method == "POST" else "poll")


def _page(items: list[Any], query: dict[str, Any]) -> dict[str, Any]:
    begin = (query["page"] - 1) * query["page_size"]
    return {"page": query["page"], "items": items[begin : begin + query["page_size"]] or None}


def _bill(task: _Task) -> dict[str, Any]:
    return catalogue.billing(task.id, task.model, task.status, task.created_at)


def _success(data: object) -> Answer:
    return Answer(200, json.dumps({"code": 200, "message": "success", "data": data}).encode())


def _error(status: int, message: str) -> Answer:
    return Answer(status, json.dumps({"code": status, "message": message}).encode())
