"""Shortcut: a quick yes to everyday exchanges, so that a stand-in can judge hundreds of them a second."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from openapi_schema_validator import OAS31Validator, oas31_format_checker

from .routes import resolved, written_out
from .wire import is_json, read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from .routes import Route
    from .wire import Answer, Request


class Shortcut:
    """Says yes where it is sure: text parameters, a bearer key, JSON. Anything else is for openapi-core to judge.

    openapi-core walks the document anew for every request, which takes milliseconds; this compiles each schema
    once and holds it against the same validator.
    """

    def __init__(self, document: dict[str, Any], formats: dict[str, Callable[[Any], bool]]) -> None:
        self._document = document
        self._formats = deepcopy(oas31_format_checker)
        for name, check in formats.items():
            self._formats.checks(name)(check)
        self._compiled: dict[int, Callable[[Any], bool]] = {}
        self._bearer_only = _bearer_only(document)

    def accepts_request(self, route: Route, request: Request) -> bool:
        """Whether a request certainly is in the contract."""
        operation = route.operation
        if "security" in operation or not self._bearer_only or not _has_bearer(request):
            return False
        return self._accepts_parameters(operation, route.values, request) and self._accepts_body(operation, request)

    def accepts_answer(self, route: Route, answer: Answer) -> bool:
        """Whether an answer certainly is in the contract."""
        wanted = route.operation["responses"]
        exact = str(answer.status) in wanted
        if not exact and f"{answer.status // 100}XX" in wanted:
            return False
        found = wanted.get(str(answer.status) if exact else "default", {})
        return "headers" not in found and self._accepts_json(found.get("content", {}), answer.content_type, answer.body)

    def accepts_webhook(self, name: str, request: Request) -> bool:
        """Whether a webhook's call certainly is in the contract."""
        item = self._document.get("webhooks", {}).get(name, {})
        if request.method != "POST" or item.get("post", {}).get("security") != []:
            return False
        operation = written_out(self._document, item, item["post"])
        return self._accepts_parameters(operation, {}, request) and self._accepts_body(operation, request)

    def _accepts_parameters(self, operation: dict[str, Any], path: dict[str, str], request: Request) -> bool:
        headers = {name.lower(): value for name, value in request.headers.items()}
        given = {"path": path, "query": dict(parse_qsl(request.query, keep_blank_values=True)), "header": headers}
        return all(self._accepts_parameter(parameter, given) for parameter in operation["parameters"])

    def _accepts_parameter(self, parameter: dict[str, Any], given: dict[str, dict[str, str]]) -> bool:
        schema = resolved(self._document, parameter.get("schema", {}))
        if parameter["in"] not in given or schema.get("type") != "string":
            return False
        name: str = parameter["name"]
        value = given[parameter["in"]].get(name.lower() if parameter["in"] == "header" else name)
        return not parameter.get("required") if value is None else value != "" and self._valid(schema, value)

    def _accepts_body(self, operation: dict[str, Any], request: Request) -> bool:
        wanted = operation.get("requestBody")
        if wanted is None:
            return True
        return self._accepts_json(wanted["content"], request.header("Content-Type"), request.body)

    def _accepts_json(self, content: dict[str, Any], content_type: str | None, body: bytes) -> bool:
        if not is_json(content_type) or "schema" not in content.get("application/json", {}):
            return False
        try:
            value = read_json(body)
        except ValueError:
            return False
        return self._valid(content["application/json"]["schema"], value)

    def _valid(self, schema: dict[str, Any], value: Any) -> bool:
        is_valid = self._compiled.get(id(schema))
        if is_valid is None:
            whole = {**schema, "components": self._document.get("components", {})}
            is_valid = OAS31Validator(whole, format_checker=self._formats).is_valid
            self._compiled[id(schema)] = is_valid
        return is_valid(value)


def _bearer_only(document: dict[str, Any]) -> bool:
    """Whether a bearer key is all that the document asks of a request."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    security: list[dict[str, Any]] = document.get("security", [])
    kinds = [schemes.get(name, {}).get("scheme") for requirement in security for name in requirement]
    return len(security) == 1 and kinds == ["bearer"]


def _has_bearer(request: Request) -> bool:
    scheme, _, key = request.header("Authorization").partition(" ")
    return scheme == "Bearer" and key.strip() != ""
