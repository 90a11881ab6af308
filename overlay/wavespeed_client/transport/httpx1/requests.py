"""Build the requests of generated functions in a tenth of the time that httpx needs.

Delete this, and let `ApiClient` call httpx's `request`, once that is no slower than the chain below it: httpx parses
the URL three times, merges six kinds of headers and looks for cookies in every response.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx

from ...errors import ConfigurationError, InvalidInputError
from ...fields import encoded
from ..context import EXTENSION
from .headers import lines, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..context import Context

NO_HEADERS: Mapping[str, str] = {}

# A path that httpx would not change.
PLAIN_PATH = re.compile("(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
LONGEST_PLAIN_PATH = 1000  # httpx refuses very long ones
# The attribute in which httpx keeps the parts of a URL.
PARTS = "_uri_reference"


def plain_request(
    client: httpx.Client | httpx.AsyncClient,
    method: str,
    path: httpx.URL | str,
    *,
    context: Context | None = None,
    params: Mapping[str, Any] | None = None,
    json: object = None,
    headers: Mapping[str, str] = NO_HEADERS,
    **others: Any,
) -> httpx.Request | None:
    """Build the request as httpx would; return None if it needs more than a path, parameters, headers and a JSON body.

    Raises:
        ConfigurationError: The client is closed.
        InvalidInputError: The body cannot be JSON.
    """
    if client.is_closed:
        raise ConfigurationError("This client is closed: build a new one.")
    if others or client.auth or client.params or any(client.event_hooks.values()) or (json is None and method != "get"):
        return None
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//") or not isinstance(headers, dict):
        return None
    url = address(client.base_url, path)
    common = lines(client.headers)
    chosen = {line[1]: line for line in common}
    if len(chosen) < len(common):
        return None
    chosen.setdefault(b"host", (b"Host", b"host", url.netloc))
    for name, value in headers.items():
        key = name.lower().encode()
        chosen[key] = (name.encode(), key, value.encode())
    body = b""
    if json is not None:
        body = context.body if context and context.body is not None else encoded(json)
        chosen.setdefault(b"content-type", (b"Content-Type", b"content-type", b"application/json"))
        chosen[b"content-length"] = (b"Content-Length", b"content-length", b"%d" % len(body))
    stream, extensions = httpx.ByteStream(body), {EXTENSION: context} if context else {}
    request = httpx.Request(method, url, params=params or None, stream=stream, extensions=extensions)
    lines(request.headers).extend(chosen.values())
    if client.cookies:
        client.cookies.set_cookie_header(request)
    vars(request)["_content"] = body  # `read` does the same, but looks at the stream's type for longer than it reads
    return request


def in_context(*, context: Context | None = None, **options: Any) -> dict[str, Any]:
    """Return the options of a request that httpx builds, with the context of its call."""
    return {**options, "extensions": {EXTENSION: context}} if context else options


def with_cookies_kept(
    client: httpx.Client | httpx.AsyncClient, response: httpx.Response, request: httpx.Request
) -> httpx.Response:
    """Return the response to a request. Its cookies are kept, and sent with later requests."""
    response.request = request
    if value_of(response.headers, b"set-cookie"):
        client.cookies.extract_cookies(response)
    return response


def address(base_url: httpx.URL, path: str) -> httpx.URL:
    """Return the full URL of a path of the API, as httpx builds it.

    httpx is slow to parse URLs, and each task has its own path to poll. So a plain path is put into a copy of the base
    URL, which ends with a slash.

    Raises:
        InvalidInputError: httpx refuses the URL.
    """
    if len(path) > LONGEST_PLAIN_PATH or not PLAIN_PATH.fullmatch(path):
        try:
            return httpx.URL(f"{str(base_url).rstrip('/')}{path}")
        except httpx.InvalidURL as error:
            raise InvalidInputError(f"The request could not be made, nothing was sent: {error}") from error
    url = httpx.URL(base_url)
    parts = vars(url)[PARTS]
    vars(url)[PARTS] = parts._replace(path=parts.path[:-1] + path)
    return url
