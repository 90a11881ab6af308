"""Routes: which operation of the document a request is for."""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen

_NAME = re.compile(r"\{([^{}]+)\}")
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class NoRouteError(LookupError):
    """No operation is for such a request.

    Attributes:
        methods: What can be asked of its path; nothing, where there is no such path.
    """

    def __init__(self, method: str, path: str, methods: tuple[str, ...]) -> None:
        super().__init__(f"{method} {path}: " + (f"only {', '.join(methods)}" if methods else "no such path"))
        self.methods = methods


@frozen
class Route:
    """An operation of the document, and the path parameters of a request for it.

    Attributes:
        operation: The operation as the document has it, without any `$ref`.
        values: The path parameters, as they were sent.
    """

    operation: dict[str, Any]
    values: dict[str, str]

    @property
    def id(self) -> str:
        """The operation's id."""
        found: str = self.operation["operationId"]
        return found


class Routes:
    """The document's paths, as a map from requests to operations."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._templates = [
            (re.compile(_pattern(template)), _NAME.findall(template), _operations(document, item))
            for template, item in _by_precedence(document)
        ]

    def find(self, method: str, path: str) -> Route:
        """The operation that a request is for. Where several paths match, OpenAPI takes the most concrete one.

        Raises:
            NoRouteError: There is none.
        """
        for pattern, names, operations in self._templates:
            match = pattern.fullmatch(path)
            if match:
                if method in operations:
                    return Route(operations[method], dict(zip(names, match.groups(), strict=True)))
                raise NoRouteError(method, path, tuple(operations))
        raise NoRouteError(method, path, ())


def resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """What a node of the document stands for, when it is a `$ref`."""
    while "$ref" in node:
        reference, node = node["$ref"], document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
    return node


def _by_precedence(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The paths, the most concrete ones first."""
    return sorted(document["paths"].items(), key=lambda pair: pair[0].count("{"))


def _pattern(template: str) -> str:
    return "([^/]+)".join(map(re.escape, _NAME.split(template)[::2]))


def _operations(document: dict[str, Any], item: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A path's operations by method."""
    return {method.upper(): written_out(document, item, item[method]) for method in METHODS if method in item}


def written_out(document: dict[str, Any], item: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    """An operation of a path with its parameters, body and answers in place of their `$ref`."""
    parameters = [*operation.get("parameters", ()), *item.get("parameters", ())]
    answers = {status: resolved(document, answer) for status, answer in operation["responses"].items()}
    whole = {**operation, "parameters": [resolved(document, one) for one in parameters], "responses": answers}
    if "requestBody" in operation:
        whole["requestBody"] = resolved(document, operation["requestBody"])
    return whole
