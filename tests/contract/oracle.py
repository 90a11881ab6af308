"""The oracle: openapi-core, which shares no code with our contract and must agree with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from attrs import define
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from wavespeed_client.testing import Request, Response

SERVER = "https://oracle.example"


class Oracle:
    """A judge of whether an exchange is within the contract."""

    def __init__(self, document: dict[str, Any]) -> None:
        document = {**with_untyped_bytes(document), "servers": [{"url": SERVER}]}
        config = Config(
            extra_format_validators={"uri": lambda value: not isinstance(value, str) or urlsplit(value).scheme != ""}
        )
        self._openapi = OpenAPI.from_dict(document, config=config)

    def accepts_request(self, request: Request) -> bool:
        return accepts(self._openapi.validate_request, SeenRequest.of(request))

    def accepts_response(self, request: Request, response: Response) -> bool:
        seen = SeenResponse(
            response.status, response.body or None, response.content_type or "", Headers({"X-Total": "1"})
        )
        return accepts(self._openapi.validate_response, SeenRequest.of(request), seen)

    def accepts_webhook(self, name: str, request: Request) -> bool:
        return accepts(self._openapi.validate_webhook_request, SeenWebhook.of(request, name))


@define
class SeenRequest:
    """A request in the form that openapi-core takes."""

    host_url: str
    path: str
    method: str
    body: bytes | None
    content_type: str
    parameters: RequestParameters

    @classmethod
    def of(cls, request: Request, *more: str) -> Any:
        headers = Headers(dict(request.headers))
        query = ImmutableMultiDict(parse_qsl(request.query, keep_blank_values=True))
        parameters = RequestParameters(query=query, header=headers)
        content_type = headers.get("Content-Type", "")
        return cls(SERVER, request.path, request.method.lower(), request.body or None, content_type, parameters, *more)


@define
class SeenWebhook(SeenRequest):
    """A webhook's call in the form that openapi-core takes."""

    name: str


@define
class SeenResponse:
    """A response in the form that openapi-core takes."""

    status_code: int
    data: bytes | None
    content_type: str
    headers: Headers


def is_uri(value: object) -> bool:
    return not isinstance(value, str) or urlsplit(value).scheme != ""


def accepts(validate: Callable[..., None], *seen: object) -> bool:
    try:
        validate(*seen)
    except (OpenAPIError, ValueError):  # it fails on an invalid address
        return False
    return True


def with_untyped_bytes(node: Any) -> Any:
    """Return the document as openapi-core wants it: to it a file's bytes are no string, to the generator they are."""
    if isinstance(node, list):
        return [with_untyped_bytes(item) for item in node]
    if not isinstance(node, dict):
        return node
    typed = node.get("format") != "binary"
    return {key: with_untyped_bytes(value) for key, value in node.items() if typed or key not in ("type", "format")}
