"""Control the stand-in over HTTP under /_stand-in/, from programs in any language and from its own page.

These requests are neither checked against the contract nor recorded. They must be JSON, use a host name of this machine
or one from `allow_hosts`, and not come from another site's page, so that no website can reach a developer's stand-in.
"""

from __future__ import annotations

import inspect
import json
import logging
import re
import secrets
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs

from werkzeug import Response

from ..errors import WaveSpeedError
from .wire import read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from werkzeug import Request as WSGIRequest

    from .arrangements import Kind
    from .deliveries import Delivery
    from .fake import FakeWaveSpeed
    from .service import Service
    from .wire import Request

logger = logging.getLogger("wavespeed_client.testing")

PREFIX = "/_stand-in/"
HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::[0-9]+)?")
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
# Longer bodies, such as uploads, are shown in part.
SHOWN_BODY_BYTES = 10_000
# The page may load, run and call only what comes from the stand-in itself.
CSP = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class ControlError(Exception):
    """A control request is refused with this status."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class Control:
    """A WSGI layer that handles control requests, and passes all others on.

    Args:
        fake: The stand-in.
        respond: Handles all other requests.
        service: The stand-in's state, for the files and outputs on the page.
        hosts: Allowed host names besides those of this machine.
    """

    def __init__(
        self,
        fake: FakeWaveSpeed,
        respond: Callable[[WSGIRequest], Response],
        service: Service,
        hosts: Collection[str],
    ) -> None:
        self._fake = fake
        self._respond = respond
        self._service = service
        self._hosts = {name.lower() for name in (*LOOPBACK_NAMES, *hosts)}

    def respond(self, wsgi: WSGIRequest) -> Response:
        """Respond to any request."""
        if wsgi.path == "/favicon.ico":
            return Response(status=204)
        if f"{wsgi.path}/" == PREFIX:
            return Response(status=308, headers={"Location": PREFIX})
        if not wsgi.path.startswith(PREFIX):
            return self._respond(wsgi)
        try:
            response = self._controlled(wsgi)
        except ControlError as error:
            response = _json({"error": str(error)}, error.status)
            response.headers.update(error.headers)
        logger.info("%s %s %s", wsgi.method, wsgi.path.encode("unicode_escape").decode(), response.status_code)
        return response

    def _controlled(self, wsgi: WSGIRequest) -> Response:
        self._check_sender(wsgi)
        name = wsgi.path.removeprefix(PREFIX)
        views: dict[str, Callable[[WSGIRequest], Response]] = {
            "": _page,
            "state": self._state,
            "deliveries": self._deliveries,
        }
        if name in views:
            _check_method(wsgi, "GET", "HEAD")
            return views[name](wsgi)
        if name.startswith("media/"):
            _check_method(wsgi, "GET", "HEAD")
            return self._media(f"/{name}")
        if name not in ACTIONS:
            known = ", ".join((*ACTIONS, *filter(None, views)))
            raise ControlError(404, f"{PREFIX}{name} does not exist. Use one of: {known}.")
        _check_method(wsgi, "POST")
        self._act(name, _arguments(wsgi))
        return _json({"ok": True})

    def _check_sender(self, wsgi: WSGIRequest) -> None:
        host = _host_name(wsgi.headers.get("Host", ""))
        if host not in self._hosts:
            raise ControlError(403, f"The host {host!r} is not allowed: start the stand-in with --allow-host {host}.")
        origin = wsgi.headers.get("Origin")
        if origin is not None and origin != f"http://{wsgi.headers.get('Host')}":
            raise ControlError(403, f"Pages from {origin!r} may not control the stand-in.")

    def _act(self, name: str, arguments: dict[str, Any]) -> None:
        adapted = ADAPTED.get(name)
        action = partial(adapted, self._fake) if adapted else getattr(self._fake, name)
        signature = inspect.signature(action)
        try:
            signature.bind(**arguments)
        except TypeError as error:
            known = ", ".join(signature.parameters) or "none"
            raise ControlError(400, f"{name}: {error}. Arguments: {known}.") from error
        try:
            action(**arguments)
        except (ValueError, WaveSpeedError) as error:
            raise ControlError(400, f"{name}: {error}") from error

    def _state(self, wsgi: WSGIRequest) -> Response:
        last = _last(wsgi)
        fake = self._fake
        return _json(
            {
                "requests": [_request(one) for one in list(fake.requests)[-last:]],
                "tasks": self._service.states(last),
                "violations": list(fake.violations)[-last:],
                "deliveries": [_delivery(one) for one in list(fake.deliveries)[-last:]],
            }
        )

    def _media(self, path: str) -> Response:
        content = self._service.file(path)
        if content is None:
            raise ControlError(404, f"{path} does not exist.")
        # Sent as an image, so that a browser does not run an uploaded page or script.
        return _uncached(Response(content, content_type="image/jpeg"))

    def _deliveries(self, wsgi: WSGIRequest) -> Response:
        return _json([_delivery(one) for one in list(self._fake.deliveries)[-_last(wsgi) :]])


def _page(_: WSGIRequest) -> Response:
    nonce = secrets.token_urlsafe(16)
    html = files("wavespeed_client.testing").joinpath("page.html").read_text("utf-8").replace("{nonce}", nonce)
    response = Response(html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = CSP.replace("{nonce}", nonce)
    response.headers["Referrer-Policy"] = "no-referrer"
    return _uncached(response)


def _json(value: object, status: int = 200) -> Response:
    return _uncached(Response(json.dumps(value), status, content_type="application/json"))


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _check_method(wsgi: WSGIRequest, *methods: str) -> None:
    if wsgi.method not in methods:
        allowed = ", ".join(methods)
        raise ControlError(405, f"{wsgi.path} allows only {allowed}.", Allow=allowed)


def _arguments(wsgi: WSGIRequest) -> dict[str, Any]:
    if wsgi.mimetype != "application/json":
        raise ControlError(415, "Send the arguments as JSON, with Content-Type: application/json.")
    try:
        arguments: object = read_json(wsgi.get_data())
    except ValueError as error:
        raise ControlError(400, f"{error}") from error
    if not isinstance(arguments, dict):
        raise ControlError(400, "The arguments must be a JSON object, such as {}.")
    return cast("dict[str, Any]", arguments)


def _last(wsgi: WSGIRequest) -> int:
    """Return the number of records to show, from the query parameter `last`; by default all."""
    given = parse_qs(wsgi.query_string.decode("latin-1"), keep_blank_values=True).get("last", ["1000000"])[-1]
    if not given.isascii() or not given.isdigit() or not int(given[:8]) >= 1 or len(given) > 8:
        raise ControlError(400, f"last must be a whole number from 1 to 99999999, not {given!r}.")
    return int(given)


def _host_name(host: str) -> str:
    """Return a Host header without its port; unchanged if it is malformed."""
    found = HOST.fullmatch(host)
    return found["v6"] or found["name"].lower() if found else host


def _request(request: Request) -> dict[str, Any]:
    headers = {name: "***" if name.lower() == "authorization" else value for name, value in request.headers.items()}
    body = request.body[:SHOWN_BODY_BYTES].decode("utf-8", "replace")
    return {
        "method": request.method,
        "target": request.target,
        "status": request.status,
        "headers": headers,
        "body": body,
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "url": delivery.url,
        "headers": delivery.headers,
        "body": delivery.body.decode(),
        "statuses": list(delivery.statuses),
        "arrived": delivery.arrived,
    }


def _script(fake: FakeWaveSpeed, model: str, statuses: object, outputs: Any = None) -> None:
    if not isinstance(statuses, list):
        raise ValueError('statuses must be a list of strings, such as ["created", "completed"].')
    fake.script(model, *cast("list[str]", statuses), outputs=outputs)


def _raw(
    fake: FakeWaveSpeed,
    status: int,
    body: object,
    content_type: str = "application/json",
    times: int = 1,
    on: Kind = "submit",
) -> None:
    if not isinstance(body, str):
        raise ValueError(f"body must be a string, not {body!r}.")
    fake.raw(status, body.encode("utf-8", "surrogatepass"), content_type, times=times, on=on)


# Actions whose JSON arguments differ from the method's.
ADAPTED: dict[str, Callable[..., None]] = {"script": _script, "raw": _raw}
ACTIONS = ("script", "fail", "refuse", "drop", "delay", "raw", "load", "reset")
