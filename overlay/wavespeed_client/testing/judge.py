"""Find how a request or a response breaks the contract."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_cookie, parse_options_header

from .routes import resolved
from .schemas import Schemas
from .wire import is_json, media_type, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .wire import Request, Response

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
# OpenAPI ignores header parameters of these names.
DESCRIBED_ELSEWHERE = ("accept", "content-type", "authorization")
READS = ("GET", "HEAD", "OPTIONS", "TRACE")
ANYTHING: dict[str, Any] = {}

Given = dict[str, dict[str, list[str]]]


class Judge:
    """A judge of requests and responses by an OpenAPI document. It ignores a response's headers except Content-Type.

    Args:
        document: The OpenAPI document.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._schemas = Schemas(document)

    def faults_of_request(self, operation: dict[str, Any], path: Mapping[str, str], request: Request) -> Iterator[str]:
        """Yield the errors of a request.

        Args:
            operation: The operation.
            path: The path parameters, as sent.
            request: The request.
        """
        given = _given(path, request)
        if request.method not in READS:  # the service ignores unknown parameters of reads
            known = [one["name"] for one in operation["parameters"] if one["in"] == "query"]
            for name in [name for name in given["query"] if name not in known]:
                yield f"unknown query parameter {name!r} (known: {', '.join(known) or 'none'})"
        yield from self._faults_of_call(operation, given, request)

    def faults_of_webhook(self, operation: dict[str, Any], request: Request) -> Iterator[str]:
        """Yield the errors of a webhook's request. Its URL and query belong to the receiver, and are not checked."""
        yield from self._faults_of_call(operation, _given({}, request), request)

    def faults_of_response(self, operation: dict[str, Any], response: Response) -> Iterator[str]:
        """Yield the errors of a response. A non-JSON error comes from a gateway, and is always accepted."""
        if response.status >= 400 and not is_json(response.content_type):
            return
        wanted: dict[str, Any] = operation["responses"]
        keys = (str(response.status), f"{response.status // 100}XX", "default")
        found = next((wanted[key] for key in keys if key in wanted), None)
        if found is None:
            yield f"the status must be one of: {', '.join(wanted)}"
        elif "content" in found:
            yield from self._faults_of_body(found["content"], response.content_type, response.body)

    def _faults_of_call(self, operation: dict[str, Any], given: Given, request: Request) -> Iterator[str]:
        yield from self._faults_of_key(operation, given)
        for parameter in operation["parameters"]:
            yield from self._faults_of_parameter(parameter, given)
        wanted = operation.get("requestBody")
        if wanted and (request.body or wanted.get("required")):
            yield from self._faults_of_body(wanted["content"], request.header("Content-Type"), request.body)

    def _faults_of_key(self, operation: dict[str, Any], given: Given) -> Iterator[str]:
        wanted: list[dict[str, Any]] = operation.get("security", self._document.get("security")) or [{}]
        schemes = self._document.get("components", {}).get("securitySchemes", {})
        if not any(all(_has_key(resolved(self._document, schemes[name]), given) for name in one) for one in wanted):
            yield f"the API key is missing ({' or '.join(' and '.join(one) for one in wanted)})"

    def _faults_of_parameter(self, parameter: dict[str, Any], given: Given) -> Iterator[str]:
        where, name, schema = parameter["in"], parameter["name"], parameter["schema"]
        if where == "header" and name.lower() in DESCRIBED_ELSEWHERE:
            return
        texts = given[where].get(name.lower() if where == "header" else name)
        if texts and self._schemas.is_array(schema) and (where != "query" or not parameter.get("explode", True)):
            texts = [text.strip() for text in texts[0].split(",")]
        what = f"{where} parameter {name!r}"
        if texts is None:
            if parameter.get("required"):
                yield f"the {what} is missing"
        elif where == "query" and texts == [""] and not parameter.get("allowEmptyValue"):
            yield f"the {what} is empty"
        else:
            try:
                value = self._schemas.read(schema, texts, what)
            except ValueError as error:
                yield str(error)
            else:
                yield from (f"{what}: {fault}" for fault in self._schemas.faults(schema, value))

    def _faults_of_body(self, content: dict[str, Any], content_type: str | None, body: bytes) -> Iterator[str]:
        media = _media(content, media_type(content_type))
        if not body:
            yield f"the body is missing ({' or '.join(content)})"
        elif media is None:
            yield f"Content-Type must be one of: {', '.join(content)}; it is {content_type or 'missing'}"
        else:
            schema = media.get("schema", ANYTHING)
            try:
                value = self._value(schema, content_type, body)
            except ValueError as error:
                yield str(error)
            else:
                yield from self._schemas.faults(schema, value)

    def _value(self, schema: dict[str, Any], content_type: str | None, body: bytes) -> object:
        """Return the value of a body.

        Raises:
            ValueError: The body cannot be read.
        """
        if is_json(content_type):
            return read_json(body)
        if media_type(content_type) not in FORMS:
            return body.decode(errors="replace")
        known = resolved(self._document, schema).get("properties", {})
        return {
            name: self._schemas.read(known[name], texts, f"part {name!r} of the form") if name in known else texts[-1]
            for name, texts in _parts(content_type, body).items()
        }


def _given(path: Mapping[str, str], request: Request) -> Given:
    """Return a request's parameters of each kind, by name."""
    headers = {name.lower(): [value] for name, value in request.headers.items()}
    return {
        "path": {name: [value] for name, value in path.items()},
        "query": parse_qs(request.query, keep_blank_values=True),
        "header": headers,
        "cookie": parse_cookie("; ".join(headers.get("cookie", ()))).to_dict(flat=False),
    }


def _has_key(scheme: dict[str, Any], given: Given) -> bool:
    """Return whether a request has a key for a security scheme, right or wrong."""
    if scheme["type"] == "mutualTLS":
        return True
    if scheme["type"] == "apiKey":
        where, name = scheme["in"], scheme["name"]
        return any(given[where].get(name.lower() if where == "header" else name, ()))
    kind, _, key = given["header"].get("authorization", [""])[0].partition(" ")
    return kind.lower() == scheme.get("scheme", "bearer").lower() and key.strip() != ""


def _media(content: dict[str, Any], kind: str) -> dict[str, Any] | None:
    """Return the description of bodies of this type; None if the operation does not accept the type."""
    known = {media_type(name): media for name, media in content.items()}
    return next((known[one] for one in (kind, f"{kind.partition('/')[0]}/*", "*/*") if one in known), None)


def _parts(content_type: str | None, body: bytes) -> dict[str, list[str]]:
    """Return the parts of a form by name; files are decoded as text."""
    kind, options = parse_options_header(content_type)
    try:
        _, fields, files = FormDataParser(_in_memory, silent=False).parse(BytesIO(body), kind, len(body), options)
    except (ValueError, AssertionError) as error:  # werkzeug uses assert for some errors
        raise ValueError("the form cannot be read") from error
    parts = fields.to_dict(flat=False)
    for name, file in files.items(multi=True):
        parts.setdefault(name, []).append(file.stream.read().decode(errors="replace"))
    return parts


def _in_memory(*_: object, **__: object) -> BytesIO:
    return BytesIO()
