"""Storage hosts: which addresses are asked, through which transport, and what they say.

They are not the API: they get no key and no cookie, and their signed URLs are in no log. So the requests go through a
bare httpx transport, one for each file.
"""

from __future__ import annotations

import httpx

from ..errors import UnexpectedResponseError
from ..transport.environment import explained, proxy_for, tls_context

REDIRECTS = (301, 302, 303, 307, 308)
MOST_OF_AN_ERROR = 64 * 1024


def web_url(url: str) -> httpx.URL:
    """Return the URL, if it is one of the web.

    Raises:
        UnexpectedResponseError: It is another kind of address.
    """
    try:
        parsed = httpx.URL(url)
        fits = parsed.scheme in ("http", "https") and bool(parsed.host.encode("idna"))
        fits = fits and (parsed.port is None or 0 < parsed.port < 65536)
    except (httpx.InvalidURL, ValueError):
        parsed, fits = httpx.URL(""), False
    if not fits:
        message = "A file's address must begin with https:// or http:// and a host."
        raise UnexpectedResponseError(message, status_code=0, body="")
    return parsed


def redirected(url: httpx.URL, response: httpx.Response) -> httpx.URL | None:
    """Return where a response sends on to, if it does.

    Raises:
        UnexpectedResponseError: To something that is not of the web.
    """
    if response.status_code not in REDIRECTS or "Location" not in response.headers:
        return None
    try:
        onward = str(url.join(response.headers["Location"]))
    except (httpx.InvalidURL, ValueError):
        onward = ""
    return web_url(onward)


def length_of(response: httpx.Response) -> int | None:
    """Return how many bytes a response's body has, if it tells.

    Raises:
        UnexpectedResponseError: It is compressed, which was not asked for: its end could not be told from a drop.
    """
    if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
        message = "The file came compressed, which was not asked for."
        raise UnexpectedResponseError(message, status_code=response.status_code, body="")
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def bounded(request: httpx.Request, timeout: float) -> httpx.Request:
    """Give a request the seconds that may pass without progress."""
    request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
    return request


def host(url: httpx.URL) -> httpx.HTTPTransport:
    """Build the transport to a file's host.

    Raises:
        ConfigurationError: A proxy variable or SSL_CERT_FILE cannot be used.
    """
    with explained():
        return httpx.HTTPTransport(verify=tls_context(), proxy=proxy_for(url))


def async_host(url: httpx.URL) -> httpx.AsyncHTTPTransport:
    """Async host."""
    with explained():
        return httpx.AsyncHTTPTransport(verify=tls_context(), proxy=proxy_for(url))


def beginning(response: httpx.Response) -> bytes:
    """Read the first 64 KiB of a body, or a little more."""
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MOST_OF_AN_ERROR:
            break
    return body


async def async_beginning(response: httpx.Response) -> bytes:
    """Async beginning."""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MOST_OF_AN_ERROR:
            break
    return body
