"""Shortcut: a quick yes to everyday exchanges, so that a stand-in can judge hundreds of them a second."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from openapi_schema_validator import OAS31Validator, oas31_format_checker

from .routes import resolved

if TYPE_CHECKING:
    from collections.abc import Callable

    from .routes import Route


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

    def accepts_request(self, route: Route, query: str, headers: dict[str, str], body: bytes) -> bool:
        """Whether a request certainly is in the contract. Header names are in lower case."""
        operation = route.operation
        if "security" in operation or not self._bearer_only or not _has_bearer(headers):
            return False
        return self._accepts_parameters(operation, route.values, query) and self._accepts_body(operation, headers, body)

    def accepts_answer(self, route: Route, status: int, content_type: str | None, body: bytes) -> bool:
        """Whether an answer certainly is in the contract."""
        answers = route.operation["responses"]
        answer = answers.get(str(status)) or answers.get("default", {})
        return "headers" not in answer and self._accepts_content(answer.get("content", {}), content_type, body)

    def _accepts_parameters(self, operation: dict[str, Any], path: dict[str, str], query: str) -> bool:
        pairs = parse_qsl(query, keep_blank_values=True)
        given = {"path": path, "query": dict(pairs)}
        if len(given["query"]) != len(pairs):
            return False
        return all(self._accepts_parameter(parameter, given) for parameter in operation["parameters"])

    def _accepts_parameter(self, parameter: dict[str, Any], given: dict[str, dict[str, str]]) -> bool:
        schema = resolved(self._document, parameter.get("schema", {}))
        if parameter["in"] not in given or schema.get("type") != "string":
            return False
        value = given[parameter["in"]].get(parameter["name"])
        return not parameter.get("required") if value is None else value != "" and self._valid(schema, value)

    def _accepts_body(self, operation: dict[str, Any], headers: dict[str, str], body: bytes) -> bool:
        wanted = operation.get("requestBody")
        if wanted is None:
            return True
        return self._accepts_content(wanted["content"], headers.get("content-type"), body)

    def _accepts_content(self, content: dict[str, Any], content_type: str | None, body: bytes) -> bool:
        if content_type != "application/json" or "schema" not in content.get(content_type, {}):
            return False
        try:
            value = json.loads(body)
        except ValueError:
            return False
        return self._valid(content[content_type]["schema"], value)

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


def _has_bearer(headers: dict[str, str]) -> bool:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return scheme == "Bearer" and key.strip() != ""
