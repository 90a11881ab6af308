"""An upload ticket: where the service wants a file's bytes to be sent."""

from __future__ import annotations

import re
from typing import Any, Self, TypeGuard

from attrs import field, frozen

from ..catalogue.values import mapping, text

# What HTTP lets a method or a header's name be, and what our client sends as a header's value.
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t -~]*")


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
            TypeError: It lacks a URL, or its method or a header cannot be sent.
        """
        target = mapping(row.get("upload")) or {}
        url, download_url, method = target.get("url"), text(row.get("download_url")), target.get("method") or "PUT"
        if not isinstance(url, str) or download_url is None:
            raise TypeError("the ticket lacks its upload.url or its download_url")
        if not _is(method, _TOKEN):
            raise TypeError("the ticket's method cannot be sent")
        return cls(url, download_url, method, _headers(target.get("headers")))


def _headers(given: object) -> dict[str, str]:
    headers = {} if given is None else mapping(given)
    if headers is None:
        raise TypeError("the ticket's headers are no object")
    told = {name: value for name, value in headers.items() if value is not None}
    for name, value in told.items():
        if not _is(name, _TOKEN) or not _is(value, _VALUE):
            raise TypeError("one of the ticket's headers cannot be sent")
    return {name: value.strip() for name, value in told.items()}


def _is(value: object, kind: re.Pattern[str]) -> TypeGuard[str]:
    return isinstance(value, str) and kind.fullmatch(value) is not None
