"""Desk: takes each request that comes in, has it judged, and answers it as arranged or as the service would."""

from __future__ import annotations

import logging
import socket
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from attrs import define, field, frozen
from werkzeug import Response
from werkzeug.exceptions import HTTPException

from ..arguments import API_PATH
from ..catalogue.catalogue import unknown_model
from ..webhooks import Webhook
from .arrangements import Arrangements
from .contract import ContractError
from .deliveries import Courier, Delivery, signed_delivery
from .records import keep
from .routes import NoRouteError
from .script import WEBHOOK_STATUSES
from .service import KINDS, RefusedError
from .wire import Answer, Request, read_json, refusal

if TYPE_CHECKING:
    from werkzeug import Request as WSGIRequest

    from .arrangements import Kind
    from .contract import Contract
    from .script import ScriptedTask
    from .service import Service

logger = logging.getLogger("wavespeed_client.testing")

STORAGE: dict[str, Kind] = {"PUT": "storage", "GET": "download", "HEAD": "download"}
# How the violations begin that are the stand-in's own.
OWN_FAULT = "the stand-in itself"


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


@define(eq=False)
class Desk:
    """What stands between the HTTP server and the service's state. Several threads work at it."""

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
    closing: threading.Event = field(factory=threading.Event)
    _webhook: Webhook = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._webhook = Webhook(self.service.webhook_secret)

    def respond(self, wsgi: WSGIRequest) -> Response:
        """The answer to a request: JSON, whatever happens."""
        request = Request(wsgi.method, wsgi.environ["REQUEST_URI"], dict(wsgi.headers))
        reason = ""
        try:
            request.body = _whole_body(wsgi)
            with self.lock:
                keep(self.requests, request)
            response = self._answered(request, wsgi)
        except RefusedError as refused:
            response, reason = _response(refused.answer, refused.headers), f" ({refused})"
        except Exception as error:  # a fault of the stand-in fails the test too
            keep(self.violations, f"{OWN_FAULT}, at {request.method} {request.target}: {error!r}")
            response = _response(refusal(500, f"The stand-in itself failed: {error!r}"))
        request.status = response.status_code
        line = f"{request.method} {request.target} {response.status_code}{reason}"
        logger.info("%s", line.encode("unicode_escape").decode())
        return response

    def clear(self) -> None:
        """Forget everything."""
        with self.lock:
            for record in (self.requests, self.calls, self.deliveries, self.violations):
                record.clear()
            self.service.clear()
            self.arrangements.clear()

    def open(self) -> None:
        """Begin to serve."""
        self.closing, self.courier = threading.Event(), Courier()

    def close(self) -> None:
        """Let nobody wait any longer, and call no webhook any more."""
        self.closing.set()
        self.courier.stop()
        for delivery in self.deliveries:
            delivery.end()

    def _answered(self, request: Request, wsgi: WSGIRequest) -> Response:
        kind = self._kind(request)
        if kind not in STORAGE.values():
            self._check(request)
        if kind == "submit":
            self._check_input(request)
        with self.lock:
            arranged = self.arrangements.take(kind)
            delay = self.arrangements.delay(kind)
        if arranged and arranged.answer:
            response = _response(arranged.answer, arranged.headers)
        elif kind in STORAGE.values():
            response = self._serve_file(kind, request)
        else:
            response = self._serve(kind, request, wsgi)
        if delay:
            self.closing.wait(delay)
        if arranged and arranged.is_dropped:
            wsgi.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return response

    def _kind(self, request: Request) -> Kind:
        """What kind of request it is.

        Raises:
            RefusedError: There is no such path, or not with this method.
        """
        try:
            if not request.path.startswith(("/storage/", "/media/")):
                return KINDS[self.contract.routes.find(request.method, request.path).id]
            if request.method not in STORAGE:
                raise NoRouteError(request.method, request.path, tuple(STORAGE))
            return STORAGE[request.method]
        except NoRouteError as error:
            keep(self.violations, str(error))
            if error.methods:
                raise RefusedError(405, str(error), Allow=", ".join(error.methods)) from error
            raise RefusedError(404, str(error)) from error

    def _check(self, request: Request) -> None:
        """Refuse a request with another key, or outside the contract.

        Raises:
            RefusedError: It is one.
        """
        if request.header("Authorization") != f"Bearer {self.api_key}":
            raise RefusedError(401, "Invalid API key.")
        try:
            self.contract.check_request(request)
        except ContractError as violation:
            raise self._violated(str(violation)) from violation

    def _check_input(self, request: Request) -> None:
        """Refuse a submission that does not fit the models that were loaded.

        Raises:
            RefusedError: Its model is none of them, if they are the only ones; or its input is none of the model's.
        """
        model, exchange = _model_of(request), f"{request.method} {request.target}"
        with self.lock:
            if self.service.only and model not in self.service.models:
                keep(self.violations, f"{exchange}: {unknown_model(model, self.service.models)}")
                self.service.listed(model)
            faults = "; ".join(self.service.inputs.faults(model, read_json(request.body)))
        if faults:
            raise self._violated(f"{exchange}: {faults}")

    def _violated(self, problem: str) -> RefusedError:
        """The refusal of a request that is outside the contract."""
        keep(self.violations, problem)
        return RefusedError(400, problem)

    def _serve(self, kind: Kind, request: Request, wsgi: WSGIRequest) -> Response:
        """The service's answer. Once it is sent, the webhook of a new task is called."""
        with self.lock:
            try:
                answer, delivery = self._act(kind, request, wsgi)
            except RefusedError as refused:
                answer, delivery = refused.answer, None
        try:
            self.contract.check_answer(request, answer)
        except ContractError as violation:
            keep(self.violations, f"{OWN_FAULT}: {violation}")
        response = _response(answer)
        if delivery:
            courier = self.courier
            response.call_on_close(lambda: courier.send(delivery))
        return response

    def _act(self, kind: Kind, request: Request, wsgi: WSGIRequest) -> tuple[Answer, Delivery | None]:
        """Do what the request asks for."""
        if kind == "submit":
            return self._submit(request, wsgi)
        if kind == "poll":
            return self.service.poll(request.path.split("/")[4]), None
        if kind == "binary":
            file = wsgi.files.get("file")
            if file is None:
                raise self._violated("The part 'file' of the form has no file name.")
            return self.service.store(file.filename or "file", file.read()), None
        return self.service.ask(kind, read_json(request.body) if request.method == "POST" else {}), None

    def _submit(self, request: Request, wsgi: WSGIRequest) -> tuple[Answer, Delivery | None]:
        model, webhook = _model_of(request), wsgi.args.get("webhook")
        headers = {name: value for name, value in request.headers.items() if name.lower() != "authorization"}
        call = Submission(model, read_json(request.body), webhook, headers)
        keep(self.calls, call)
        task = self.service.submit(model, call.input, webhook)
        return self.service.tell(task), self._delivery(task)

    def _delivery(self, task: ScriptedTask) -> Delivery | None:
        """The webhook call for a task: its script is over then, whether or not anybody has asked for it."""
        if not task.webhook or task.script.statuses[-1] not in WEBHOOK_STATUSES:
            return None
        task.finish()
        delivery = signed_delivery(task, self.service.url, self._webhook)
        try:
            self.contract.check_webhook("taskFinished", Request("POST", "/", delivery.headers, delivery.body))
        except ContractError as violation:
            keep(self.violations, f"{OWN_FAULT}: {violation}")
        for old in keep(self.deliveries, delivery):
            old.end()
        return delivery

    def _serve_file(self, kind: Kind, request: Request) -> Response:
        """The storage host: takes each ticket once, and gives files to whoever asks."""
        if "Authorization" in request.headers:
            keep(self.violations, f"the API key was sent to the storage host: {request.method} {request.path}")
        with self.lock:
            if kind == "storage":
                taken = self.service.redeem(request.path.removeprefix("/storage/"), request.body)
                return _response(Answer(200, b"") if taken else refusal(412, "No such ticket, or it is used."))
            content = self.service.file(unquote(request.path))
        return _response(refusal(404, "No such file.") if content is None else Answer(200, content, "image/jpeg"))


def _model_of(request: Request) -> str:
    return request.path.removeprefix(API_PATH)


def _whole_body(wsgi: WSGIRequest) -> bytes:
    try:
        return wsgi.get_data()
    except (HTTPException, OSError) as error:  # a client that hangs up is nothing unusual
        raise RefusedError(400, "The body did not come whole.") from error


def _response(answer: Answer, headers: dict[str, str] | None = None) -> Response:
    return Response(answer.body, answer.status, headers, content_type=answer.content_type)
