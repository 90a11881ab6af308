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
from typing import TYPE_CHECKING, Any

from werkzeug import Response

from ..errors import WaveSpeedError
from .application import to_werkzeug
from .arguments import checked
from .errors import RefusedError
from .wire import read_json, without_key

if TYPE_CHECKING:
    from collections.abc import Collection

    from werkzeug import Request as WSGIRequest

    from .application import Application
    from .deliveries import Delivery
    from .fake import FakeWaveSpeed
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


class Control:
    """A WSGI layer that handles control requests, and passes all others on.

    Args:
        fake: The stand-in.
        application: Handles all other requests.
        hosts: Allowed host names besides those of this machine.
    """

    def __init__(self, fake: FakeWaveSpeed, application: Application, hosts: Collection[str]) -> None:
        self._fake = fake
        self._application = application
        self._hosts = {name.lower() for name in (*LOOPBACK_NAMES, *hosts)}
        self._views = {"": _page, "state": self._state, "deliveries": self._deliveries}

    def respond(self, wsgi: WSGIRequest) -> Response:
        """Respond to any request."""
        if wsgi.path == "/favicon.ico":
            return Response(status=204)
        if f"{wsgi.path}/" == PREFIX:
            return Response(status=308, headers={"Location": PREFIX})
        if not wsgi.path.startswith(PREFIX):
            return self._application.respond(wsgi)
        try:
            response = self._controlled(wsgi)
        except RefusedError as error:
            response = _json({"error": str(error)}, error.response.status)
            response.headers.update(error.response.headers)
        response.headers.update({"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
        logger.info("%s %s %s", wsgi.method, wsgi.path.encode("unicode_escape").decode(), response.status_code)
        return response

    def _controlled(self, wsgi: WSGIRequest) -> Response:
        self._check_sender(wsgi)
        name = wsgi.path.removeprefix(PREFIX)
        view = self._media if name.startswith("media/") else self._views.get(name)
        if view is None and name not in ACTIONS:
            known = ", ".join((*ACTIONS, *filter(None, self._views)))
            raise RefusedError(404, f"{PREFIX}{name} does not exist. Use one of: {known}.")
        allowed = "GET, HEAD" if view else "POST"
        if wsgi.method not in allowed.split(", "):
            raise RefusedError(405, f"{wsgi.path} allows only {allowed}.", Allow=allowed)
        if view:
            return view(wsgi)
        self._act(name, _arguments(wsgi))
        return _json({"ok": True})

    def _check_sender(self, wsgi: WSGIRequest) -> None:
        host = _host_name(wsgi.headers.get("Host", ""))
        if host not in self._hosts:
            raise RefusedError(403, f"The host {host!r} is not allowed: start the stand-in with --allow-host {host}.")
        origin = wsgi.headers.get("Origin")
        if origin is not None and origin != f"http://{wsgi.headers.get('Host')}":
            raise RefusedError(403, f"Pages from {origin!r} may not control the stand-in.")

    def _act(self, name: str, arguments: dict[str, Any]) -> None:
        action = partial(_script, self._fake) if name == "script" else getattr(self._fake, name)
        signature = inspect.signature(action)
        try:
            signature.bind(**arguments)
        except TypeError as error:
            known = ", ".join(signature.parameters) or "none"
            raise RefusedError(400, f"{name}: {error}. Arguments: {known}.") from error
        try:
            action(**arguments)
        except (ValueError, WaveSpeedError) as error:
            raise RefusedError(400, f"{name}: {error}") from error

    def _state(self, wsgi: WSGIRequest) -> Response:
        last, fake = _last(wsgi), self._fake
        return _json(
            {
                "requests": [_request(one) for one in fake.requests[-last:]],
                "tasks": self._application.service.states(last),
                "violations": fake.violations[-last:],
                "deliveries": [_delivery(one) for one in fake.deliveries[-last:]],
            }
        )

    def _deliveries(self, wsgi: WSGIRequest) -> Response:
        return _json([_delivery(one) for one in self._fake.deliveries[-_last(wsgi) :]])

    def _media(self, wsgi: WSGIRequest) -> Response:
        return to_werkzeug(self._application.service.file(wsgi.path.removeprefix(PREFIX.rstrip("/"))))


def _page(_: WSGIRequest) -> Response:
    nonce = secrets.token_urlsafe(16)
    html = files("wavespeed_client.testing").joinpath("page.html").read_text("utf-8").replace("{nonce}", nonce)
    headers = {"Content-Security-Policy": CSP.replace("{nonce}", nonce), "Referrer-Policy": "no-referrer"}
    return Response(html, headers=headers, content_type="text/html; charset=utf-8")


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")


def _arguments(wsgi: WSGIRequest) -> dict[str, Any]:
    if wsgi.mimetype != "application/json":
        raise RefusedError(415, "Send the arguments as JSON, with Content-Type: application/json.")
    try:
        return checked(read_json(wsgi.get_data()), "The arguments", dict, "a JSON object, such as {}")
    except ValueError as error:
        raise RefusedError(400, str(error)) from error


def _last(wsgi: WSGIRequest) -> int:
    """Return the number of records to show, from the query parameter `last`; by default all."""
    given = wsgi.args.get("last", "99999999")
    if not re.fullmatch("0{0,7}[1-9][0-9]{0,7}", given):
        raise RefusedError(400, f"last must be a whole number from 1 to 99999999, not {given!r:.80}.")
    return int(given)


def _host_name(host: str) -> str:
    """Return a Host header without its port; unchanged if it is malformed."""
    found = HOST.fullmatch(host)
    return found["v6"] or found["name"].lower() if found else host


def _request(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "target": request.target,
        "status": request.status,
        "headers": without_key(request.headers),
        "body": request.body[:SHOWN_BODY_BYTES].decode("utf-8", "replace"),
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "url": delivery.url,
        "headers": delivery.headers,
        "body": delivery.body.decode(),
        "statuses": list(delivery.statuses),
        "arrived": delivery.arrived,
    }


def _script(fake: FakeWaveSpeed, model: str, statuses: list[str], outputs: Any = None) -> None:
    checked(statuses, "statuses", list, 'a list of strings, such as ["created", "completed"]')
    fake.script(model, *statuses, outputs=outputs)


ACTIONS = ("script", "fail", "refuse", "drop", "delay", "raw", "load", "reset")
