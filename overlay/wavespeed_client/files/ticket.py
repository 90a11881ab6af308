"""An upload ticket: where the service wants a file's bytes to be sent."""

from __future__ import annotations

from typing import Any, Self

from attrs import field, frozen

from ..values import mapping, text


@frozen
class UploadTicket:
    """Where to send a file's bytes, once.

    Attributes:
        url: The signed URL to send them to. Anybody who has it can upload.
        download_url: The URL under which the file can be used then.
        method: The HTTP method.
        headers: The headers to send, as they are.
    """

    url: str = field(repr=False)
    download_url: str
    method: str = "PUT"
    headers: dict[str, str] = field(factory=dict[str, str], repr=False)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Read the response's data.

        Raises:
            TypeError: It lacks a URL, or its method or a header is no text.
        """
        target = mapping(row.get("upload")) or {}
        url, download_url, method = target.get("url"), text(row.get("download_url")), target.get("method")
        if not isinstance(url, str) or download_url is None:
            raise TypeError("the ticket lacks its upload.url or its download_url")
        if not isinstance(method, str | None):
            raise TypeError("the ticket's method is no text")
        return cls(url, download_url, method or "PUT", _headers(target.get("headers")))


def _headers(given: object) -> dict[str, str]:
    headers = {} if given is None else mapping(given)
    if headers is None or not all(isinstance(value, str | None) for value in headers.values()):
        raise TypeError("the ticket's headers are no texts")
    return {name: value for name, value in headers.items() if value is not None}
