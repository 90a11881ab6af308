"""Routes: which operation of the document a request is for."""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen

from ..errors import ConfigurationError

_NAME = re.compile(r"\{([^{}]+)\}")
# A segment that a parameter can stand for: the two dotted ones name other paths.
_VALUE = r"((?!\.{1,2}(?:/|$))[^/]+)"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# How a parameter is written unless it says otherwise, which is the only way that is judged.
STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}


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
    """The document's paths, as a map from requests to operations.

    Attributes:
        webhooks: The operations of each webhook, by its name and by method.

    Raises:
        ConfigurationError: A parameter is written in a way that is not judged.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._templates = [
            (re.compile(_pattern(template)), _NAME.findall(template), _operations(document, item))
            for template, item in _by_precedence(document)
        ]
        webhooks: dict[str, dict[str, Any]] = document.get("webhooks", {})
        self.webhooks = {name: _operations(document, item) for name, item in webhooks.items()}

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
    return sorted(document.get("paths", {}).items(), key=lambda pair: pair[0].count("{"))


def _pattern(template: str) -> str:
    return _VALUE.join(map(re.escape, _NAME.split(template)[::2]))


def _operations(document: dict[str, Any], item: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A path's operations by method."""
    return {method.upper(): _written_out(document, item, item[method]) for method in METHODS if method in item}


def _written_out(document: dict[str, Any], item: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    """An operation of a path with its parameters, body and answers in place of their `$ref`.

    A parameter of the operation takes the place of the path's parameter of its name.
    """
    given = [resolved(document, one) for one in (*item.get("parameters", ()), *operation.get("parameters", ()))]
    parameters = {(one["in"], one["name"]): _judged(document, one) for one in given}
    answers = {status: resolved(document, answer) for status, answer in operation["responses"].items()}
    whole = {**operation, "parameters": list(parameters.values()), "responses": answers}
    if "requestBody" in operation:
        whole["requestBody"] = resolved(document, operation["requestBody"])
    return whole


def _judged(document: dict[str, Any], parameter: dict[str, Any]) -> dict[str, Any]:
    usual = STYLES[parameter["in"]]
    if "schema" not in parameter or parameter.get("style", usual) != usual:
        problem = f"only style: {usual} with a schema is"
    elif resolved(document, parameter["schema"]).get("type") == "object":
        problem = "objects are not"
    else:
        return parameter
    raise ConfigurationError(f"The {parameter['in']} parameter {parameter['name']!r} cannot be judged: {problem}.")
