"""An upload ticket: the request that will upload a file's bytes."""

from __future__ import annotations

import re
from typing import Any, Self, TypeGuard

from attrs import field, frozen

from ..catalogue.values import mapping, text

# Methods and header names that HTTP allows, and header values that our client can send.
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t -~]*")


@frozen
class UploadTicket:
    """The request that uploads one file.

    Attributes:
        url: The signed URL to send the bytes to. Anyone who has it can upload.
        download_url: The URL of the file after the upload.
        method: The HTTP method.
        headers: The headers to send, unchanged.
    """

    url: str = field(repr=False)
    download_url: str
    method: str = "PUT"
    headers: dict[str, str] = field(factory=dict[str, str], repr=False)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Read a ticket from the response's `data`.

        Raises:
            TypeError: A URL is missing, or the method or a header cannot be sent.
        """
        target = mapping(row.get("upload")) or {}
        url, download_url, method = target.get("url"), text(row.get("download_url")), target.get("method") or "PUT"
        if not isinstance(url, str) or download_url is None:
            raise TypeError("the ticket lacks upload.url or download_url")
        if not _is(method, _TOKEN):
            raise TypeError("the ticket's upload.method is not an HTTP method")
        return cls(url, download_url, method, _headers(target.get("headers")))


def _headers(given: object) -> dict[str, str]:
    headers = {} if given is None else mapping(given)
    if headers is None:
        raise TypeError("the ticket's upload.headers is not an object")
    present = {name: value for name, value in headers.items() if value is not None}
    for name, value in present.items():
        if not _is(name, _TOKEN) or not _is(value, _VALUE):
            raise TypeError("one of the ticket's upload.headers is not a valid header")
    return {name: value.strip() for name, value in present.items()}


def _is(value: object, kind: re.Pattern[str]) -> TypeGuard[str]:
    return isinstance(value, str) and kind.fullmatch(value) is not None
