"""The stand-in's application: it records each request, checks it against the contract, and responds."""

from __future__ import annotations

import logging
import socket
import threading
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from attrs import define, field, frozen
from werkzeug import Response as WSGIResponse
from werkzeug.exceptions import HTTPException

from ..arguments import API_PATH
from ..catalogue.catalogue import unknown_model
from ..webhooks import Webhook
from .arrangements import Arrangements
from .deliveries import Courier, Delivery, signed_delivery
from .errors import ContractError, NoOperationError, RefusedError
from .records import keep
from .script import WEBHOOK_STATUSES
from .service import KINDS
from .wire import Request, Response, read_json, refusal

if TYPE_CHECKING:
    from werkzeug import Request as WSGIRequest

    from .arrangements import Kind
    from .contract import Contract
    from .script import ScriptedTask
    from .service import Service

logger = logging.getLogger("wavespeed_client.testing")

STORAGE: dict[str, Kind] = {"PUT": "storage", "GET": "download", "HEAD": "download"}
# The prefix of violations that the stand-in itself causes.
OWN_FAULT = "the stand-in itself"


@frozen
class Submission:
    """A submission that the stand-in accepted.

    Attributes:
        model: The model id in the path.
        input: The body.
        webhook: The query parameter `webhook`.
        headers: The headers, without the API key.
    """

    model: str
    input: dict[str, Any]
    webhook: str | None
    headers: dict[str, str]


@define(eq=False)
class Application:
    """The WSGI application between the HTTP server and the service's state. Thread-safe."""

    api_key: str
    contract: Contract
    service: Service
    arrangements: Arrangements = field(factory=Arrangements)
    requests: list[Request] = field(factory=list[Request])
    calls: list[Submission] = field(factory=list[Submission])
    deliveries: list[Delivery] = field(factory=list[Delivery])
    violations: list[str] = field(factory=list[str])
    courier: Courier = field(factory=Courier)
    lock: threading.Lock = field(factory=threading.Lock)
    _webhook: Webhook = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._webhook = Webhook(self.service.webhook_secret)

    def respond(self, wsgi: WSGIRequest) -> WSGIResponse:
        """Respond to a request. A failure of the stand-in becomes a 500 and a violation."""
        request = Request(wsgi.method, wsgi.environ["REQUEST_URI"], wsgi.headers)
        reason = ""
        try:
            request.body = _whole_body(wsgi)
            with self.lock:
                keep(self.requests, request)
            response = self._handle(request, wsgi)
        except RefusedError as refused:
            response, reason = to_werkzeug(refused.response), f" ({refused})"
        except Exception as error:  # a bug in the stand-in fails the test, too
            keep(self.violations, f"{OWN_FAULT}, at {request.method} {request.target}: {error!r}")
            response = to_werkzeug(refusal(500, f"The stand-in itself failed: {error!r}"))
        request.status = response.status_code
        line = f"{request.method} {request.target} {response.status_code}{reason}"
        logger.info("%s", line.encode("unicode_escape").decode())
        return response

    def clear(self) -> None:
        """Clear all records, tasks, files and arrangements."""
        with self.lock:
            for record in (self.requests, self.calls, self.deliveries, self.violations):
                record.clear()
            self.service.clear()
            self.arrangements.clear()

    def open(self) -> None:
        """Start serving."""
        self.courier = Courier()

    def close(self) -> None:
        """End all delays and deliveries."""
        self.courier.stop()
        for delivery in self.deliveries:
            delivery.has_ended.set()

    def _handle(self, request: Request, wsgi: WSGIRequest) -> WSGIResponse:
        kind, delivery = self._kind(request), None
        self._check(kind, request)
        with self.lock:
            arranged = self.arrangements.take(kind)
            delay = self.arrangements.delay(kind)
        if arranged and arranged.response:
            response = arranged.response
        else:
            response, delivery = self._serve(kind, request, wsgi)
        if delay:
            self.courier.stopping.wait(delay)
        if arranged and arranged.response is None:
            wsgi.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        sent = to_werkzeug(response)
        if delivery:  # only now: a program knows its task before it is called about it
            sent.call_on_close(partial(self.courier.send, delivery))
        return sent

    def _kind(self, request: Request) -> Kind:
        """Return the kind of a request.

        Raises:
            RefusedError: The path does not exist, or not with this method.
        """
        try:
            if not request.path.startswith(("/storage/", "/media/")):
                return KINDS[self.contract.routes.find(request).operation["operationId"]]
            if request.method not in STORAGE:
                raise NoOperationError(request, STORAGE)
            return STORAGE[request.method]
        except NoOperationError as error:
            if error.allow:
                raise self._violated(str(error), 405, Allow=error.allow) from error
            raise self._violated(str(error), 404) from error

    def _check(self, kind: Kind, request: Request) -> None:
        """Check a request's key, the contract and the input. Storage has no contract, and must not get the key.

        Raises:
            RefusedError: The key is wrong, or the request breaks the contract.
        """
        if kind in STORAGE.values():
            if "Authorization" in request.headers:
                keep(self.violations, f"the API key was sent to the storage host: {request.method} {request.path}")
            return
        if request.headers.get("Authorization") != f"Bearer {self.api_key}":
            raise RefusedError(401, "Invalid API key.")
        try:
            self.contract.check_request(request)
        except ContractError as violation:
            raise self._violated(str(violation)) from violation
        if kind == "submit":
            self._check_input(request)

    def _check_input(self, request: Request) -> None:
        """Check a submission against the loaded models.

        Raises:
            RefusedError: The model is unknown and `only` is set, or the input is wrong.
        """
        model, exchange = _model_of(request), f"{request.method} {request.target}"
        with self.lock:
            if self.service.only and model not in self.service.models:
                keep(self.violations, f"{exchange}: {unknown_model(model, self.service.models)}")
                self.service.check_listed(model)
            faults = "; ".join(self.service.inputs.faults(model, read_json(request.body)))
        if faults:
            raise self._violated(f"{exchange}: {faults}")

    def _violated(self, problem: str, status: int = 400, **headers: str) -> RefusedError:
        """Record a violation; return the refusal."""
        keep(self.violations, problem)
        return RefusedError(status, problem, **headers)

    def _serve(self, kind: Kind, request: Request, wsgi: WSGIRequest) -> tuple[Response, Delivery | None]:
        """Return the service's response, and the delivery of a new task's webhook."""
        with self.lock:
            try:
                if kind == "submit":
                    response, delivery = self._submit(request, wsgi)
                else:
                    response, delivery = self._act(kind, request, wsgi), None
            except RefusedError as refused:
                response, delivery = refused.response, None
        try:
            if kind not in STORAGE.values():
                self.contract.check_response(request, response)
        except ContractError as violation:
            keep(self.violations, f"{OWN_FAULT}: {violation}")
        return response, delivery

    def _act(self, kind: Kind, request: Request, wsgi: WSGIRequest) -> Response:
        """Carry out a request other than a submission."""
        match kind:
            case "poll":
                return self.service.poll(request.path.split("/")[4])
            case "binary":
                file = wsgi.files.get("file")
                if file is None:
                    raise self._violated("The form needs a part named 'file' with a file name.")
                return self.service.store(file.filename or "file", file.read())
            case "storage":
                return self.service.redeem(request.path.removeprefix("/storage/"), request.body)
            case "download":
                return self.service.file(unquote(request.path))
            case _:
                return self.service.account(kind, read_json(request.body) if request.method == "POST" else {})

    def _submit(self, request: Request, wsgi: WSGIRequest) -> tuple[Response, Delivery | None]:
        model, webhook = _model_of(request), wsgi.args.get("webhook")
        headers = {name: value for name, value in request.headers.items() if name.lower() != "authorization"}
        call = Submission(model, read_json(request.body), webhook, headers)
        keep(self.calls, call)
        task = self.service.submit(model, call.input, webhook)
        return self.service.advance(task), self._delivery(task)

    def _delivery(self, task: ScriptedTask) -> Delivery | None:
        """Create the webhook delivery of a task, and finish the task."""
        if not task.webhook or task.script.statuses[-1] not in WEBHOOK_STATUSES:
            return None
        task.finish()
        delivery = signed_delivery(task, self.service.url, self._webhook)
        try:
            self.contract.check_webhook("taskFinished", Request("POST", "/", delivery.headers, delivery.body))
        except ContractError as violation:
            keep(self.violations, f"{OWN_FAULT}: {violation}")
        for old in keep(self.deliveries, delivery):
            old.has_ended.set()
        return delivery


def _model_of(request: Request) -> str:
    return request.path.removeprefix(API_PATH)


def _whole_body(wsgi: WSGIRequest) -> bytes:
    try:
        return wsgi.get_data()
    except (HTTPException, OSError) as error:  # the client hung up, which is not a violation
        raise RefusedError(400, "The body is incomplete.") from error


def to_werkzeug(response: Response) -> WSGIResponse:
    """Return a response in werkzeug's form."""
    return WSGIResponse(response.body, response.status, response.headers, content_type=response.content_type)
