"""Check requests and responses against the OpenAPI document, without the generated code."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_cookie, parse_options_header

from .arguments import checked
from .errors import ContractError
from .routes import Routes, resolved
from .schemas import Schemas
from .wire import is_json, media_type, read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from werkzeug.datastructures import Headers

    from .wire import Request, Response

    # The parameters of a request, by their kind.
    Parameters = dict[str, MultiDict[str, str] | Headers]

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
# OpenAPI ignores header parameters of these names.
DESCRIBED_ELSEWHERE = ("accept", "content-type", "authorization")
READS = ("GET", "HEAD", "OPTIONS", "TRACE")
ANYTHING: dict[str, Any] = {}


class Contract:
    """An OpenAPI document that requests and responses are checked against.

    The check is as lenient as the service: it ignores unknown query parameters of GET requests and the headers of
    responses except Content-Type, and allows errors of any media type.

    Args:
        document: The document; by default the one that the client was generated from.

    Raises:
        ConfigurationError: A parameter has a style that cannot be checked, or a reference leads nowhere. References
            within schemas are followed when a value is first checked.
    """

    def __init__(self, document: dict[str, Any] | None = None) -> None:
        given = load_document() if document is None else document
        self.document = checked(given, "document", dict, "an OpenAPI document, read from its JSON or YAML")
        self.routes = Routes(self.document)
        self._schemas = Schemas(self.document)

    def check_request(self, request: Request) -> None:
        """Check a request.

        Raises:
            ContractError: The operation does not exist, or a parameter, a header or the body is wrong.
        """
        route = self.routes.find(request)
        faults = self._request_faults(route.operation, route.values, request)
        _raise_on(faults, f"{request.method} {request.target}", request)

    def check_response(self, request: Request, response: Response) -> None:
        """Check the response to a request.

        Raises:
            ContractError: The operation does not have this status, content type or body.
        """
        faults = self._response_faults(self.routes.find(request).operation, response)
        _raise_on(faults, f"response {response.status} to {request.method} {request.target}", request, response)

    def check_webhook(self, name: str, request: Request) -> None:
        """Check the request of a webhook, except its URL and query: they belong to the receiver.

        Args:
            name: The webhook's name in the document.
            request: The request.

        Raises:
            ContractError: The webhook does not exist, or a header or the body is wrong.
        """
        operations = self.routes.webhooks.get(name, {})
        if request.method not in operations:
            known = f"only {', '.join(operations)}" if operations else "no such webhook"
            raise ContractError(f"webhook {name}: {request.method}: {known}", request)
        faults = self._call_faults(operations[request.method], _parameters({}, request), request)
        _raise_on(faults, f"webhook {name}", request)

    def _request_faults(self, operation: dict[str, Any], path: Mapping[str, str], request: Request) -> Iterator[str]:
        given = _parameters(path, request)
        if request.method not in READS:  # the service ignores unknown parameters of reads
            known = [one["name"] for one in operation["parameters"] if one["in"] == "query"]
            for name in [name for name, _ in given["query"].items() if name not in known]:
                yield f"unknown query parameter {name!r} (known: {', '.join(known) or 'none'})"
        yield from self._call_faults(operation, given, request)

    def _response_faults(self, operation: dict[str, Any], response: Response) -> Iterator[str]:
        if response.status >= 400 and not is_json(response.content_type):  # a gateway's
            return
        wanted: dict[str, Any] = operation["responses"]
        keys = (str(response.status), f"{response.status // 100}XX", "default")
        found = next((wanted[key] for key in keys if key in wanted), None)
        if found is None:
            yield f"the status must be one of: {', '.join(wanted)}"
        elif "content" in found:
            yield from _or_unreadable(self._body_faults(found["content"], response.content_type, response.body))

    def _call_faults(self, operation: dict[str, Any], given: Parameters, request: Request) -> Iterator[str]:
        wanted: list[dict[str, Any]] = operation.get("security", self.document.get("security")) or [{}]
        if not any(all(self._has_key(name, given) for name in one) for one in wanted):
            yield f"the API key is missing ({' or '.join(' and '.join(one) for one in wanted)})"
        for parameter in operation["parameters"]:
            yield from _or_unreadable(self._parameter_faults(parameter, given))
        body = operation.get("requestBody")
        if body and (request.body or body.get("required")):
            content_type = request.headers.get("Content-Type")
            yield from _or_unreadable(self._body_faults(body["content"], content_type, request.body))

    def _has_key(self, name: str, given: Parameters) -> bool:
        """Return whether a request has a key for a security scheme, right or wrong."""
        scheme = resolved(self.document, {"$ref": f"#/components/securitySchemes/{name}"})
        if scheme["type"] == "mutualTLS":
            return True
        if scheme["type"] == "apiKey":
            return any(given[scheme["in"]].getlist(scheme["name"]))
        kind, _, key = given["header"].get("Authorization", "").partition(" ")
        return kind.lower() == scheme.get("scheme", "bearer").lower() and key.strip() != ""

    def _parameter_faults(self, parameter: dict[str, Any], given: Parameters) -> Iterator[str]:
        where, name, schema = parameter["in"], parameter["name"], parameter["schema"]
        if where == "header" and name.lower() in DESCRIBED_ELSEWHERE:
            return
        texts, what = given[where].getlist(name), f"{where} parameter {name!r}"
        if texts and self._schemas.is_array(schema) and (where != "query" or not parameter.get("explode", True)):
            texts = [text.strip() for text in texts[0].split(",")]
        if not texts:
            if parameter.get("required"):
                yield f"the {what} is missing"
        elif where == "query" and texts == [""] and not parameter.get("allowEmptyValue"):
            yield f"the {what} is empty"
        else:
            value = self._schemas.read(schema, texts, what)
            yield from (f"{what}: {fault}" for fault in self._schemas.faults(schema, value))

    def _body_faults(self, content: dict[str, Any], content_type: str | None, body: bytes) -> Iterator[str]:
        media = _media(content, media_type(content_type))
        if not body:
            yield f"the body is missing ({' or '.join(content)})"
        elif media is None:
            yield f"Content-Type must be one of: {', '.join(content)}; it is {content_type or 'missing'}"
        else:
            schema = media.get("schema", ANYTHING)
            yield from self._schemas.faults(schema, self._body_value(schema, content_type, body))

    def _body_value(self, schema: dict[str, Any], content_type: str | None, body: bytes) -> object:
        """Return the value of a body.

        Raises:
            ValueError: The body cannot be read.
        """
        if is_json(content_type):
            return read_json(body)
        if media_type(content_type) not in FORMS:
            return body.decode(errors="replace")
        known = resolved(self.document, schema).get("properties", {})
        return {
            name: self._schemas.read(known[name], texts, f"part {name!r} of the form") if name in known else texts[-1]
            for name, texts in _parts(content_type, body).lists()
        }


@cache
def client_contract() -> Contract:
    """Return the contract of the installed client. Cached, since building it takes longer than a test."""
    return Contract()


@cache
def load_document() -> dict[str, Any]:
    """Return the OpenAPI document that the installed client was generated from. Does not import that client.

    Raises:
        ContractError: The package wavespeed_api is missing.
    """
    package = find_spec("wavespeed_api")
    if package is None or package.origin is None:
        raise ContractError("The package wavespeed_api is missing: install wavespeed-client again.")
    document: dict[str, Any] = json.loads(Path(package.origin).with_name("openapi.json").read_bytes())
    return document


def _raise_on(faults: Iterable[str], exchange: str, request: Request, response: Response | None = None) -> None:
    problems = "; ".join(faults)
    if problems:
        raise ContractError(f"{exchange}: {problems}", request, response)


def _or_unreadable(faults: Iterator[str]) -> Iterator[str]:
    """Yield the errors of a value, or that it cannot be read."""
    try:
        yield from faults
    except ValueError as error:
        yield str(error)


def _parameters(path: Mapping[str, str], request: Request) -> Parameters:
    return {
        "path": MultiDict(path),
        "query": MultiDict(parse_qsl(request.query, keep_blank_values=True)),
        "header": request.headers,
        "cookie": parse_cookie("; ".join(request.headers.getlist("Cookie"))),
    }


def _media(content: dict[str, Any], kind: str) -> dict[str, Any] | None:
    """Return the description of bodies of this type; None if the operation does not accept the type."""
    known = {media_type(name): media for name, media in content.items()}
    return next((known[one] for one in (kind, f"{kind.partition('/')[0]}/*", "*/*") if one in known), None)


def _parts(content_type: str | None, body: bytes) -> MultiDict[str, str]:
    """Return the parts of a form; files are decoded as text."""
    kind, options = parse_options_header(content_type)
    try:
        _, parts, files = FormDataParser(_in_memory, silent=False).parse(BytesIO(body), kind, len(body), options)
    except (ValueError, AssertionError) as error:  # werkzeug uses assert for some errors
        raise ValueError("the form cannot be read") from error
    texts = [(name, file.stream.read().decode(errors="replace")) for name, file in files.items(multi=True)]
    return MultiDict([*parts.items(multi=True), *texts])


def _in_memory(*_: object, **__: object) -> BytesIO:
    return BytesIO()
