"""Find the operation of the document that a request is for."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ..errors import ConfigurationError
from .errors import NoOperationError

if TYPE_CHECKING:
    from .wire import Request

# The pattern of a path, the names of its parameters, and its operations by method.
Template = tuple[re.Pattern[str], list[str], dict[str, dict[str, Any]]]

_NAME = re.compile(r"\{([^{}]+)\}")
# A segment that a parameter can match: not "." or "..", which name other paths.
_VALUE = r"((?!\.{1,2}(?:/|$))[^/]+)"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# The default style of each kind of parameter. No other style can be checked.
STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}


@frozen
class Route:
    """An operation of the document, and the path parameters of a request.

    Attributes:
        operation: The operation, with its `$ref`s resolved.
        values: The path parameters, as sent.
    """

    operation: dict[str, Any]
    values: dict[str, str]


class Routes:
    """The document's operations, by method and path.

    Attributes:
        webhooks: The operations of each webhook, by name and method.

    Raises:
        ConfigurationError: A parameter has a style that cannot be checked, or a reference leads nowhere.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        # By their number of slashes, since no parameter matches one.
        self._templates: defaultdict[int, list[Template]] = defaultdict(list)
        for template, item in _by_precedence(document):
            found = re.compile(_pattern(template)), _NAME.findall(template), _operations(document, item)
            self._templates[template.count("/")].append(found)
        webhooks: dict[str, dict[str, Any]] = document.get("webhooks", {})
        self.webhooks = {name: _operations(document, item) for name, item in webhooks.items()}

    def find(self, request: Request) -> Route:
        """Return the operation of a request. If several paths match, the one with the fewest parameters wins.

        Raises:
            NoOperationError: No operation matches.
        """
        path = request.path
        for pattern, names, operations in self._templates.get(path.count("/"), ()):
            match = pattern.fullmatch(path)
            if match:
                if request.method not in operations:
                    raise NoOperationError(request, operations)
                return Route(operations[request.method], dict(zip(names, match.groups(), strict=True)))
        raise NoOperationError(request, ())


def resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Resolve a node of the document if it is a `$ref`.

    Raises:
        ConfigurationError: The reference leads nowhere, or to another file.
    """
    while "$ref" in node:
        reference, node = node["$ref"], document
        try:
            for part in reference.removeprefix("#/").split("/"):
                node = node[part.replace("~1", "/").replace("~0", "~")]
        except (KeyError, TypeError):
            raise ConfigurationError(f"The document has no {reference}; other files cannot be referred to.") from None
    return node


def _by_precedence(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the paths, those with the fewest parameters first."""
    return sorted(document.get("paths", {}).items(), key=lambda pair: pair[0].count("{"))


def _pattern(template: str) -> str:
    return _VALUE.join(map(re.escape, _NAME.split(template)[::2]))


def _operations(document: dict[str, Any], item: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a path's operations by method."""
    item = resolved(document, item)
    return {method.upper(): _written_out(document, item, item[method]) for method in METHODS if method in item}


def _written_out(document: dict[str, Any], item: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    """Return an operation with the `$ref`s of its parameters, body and responses resolved.

    An operation's parameter replaces the path's parameter of the same name.
    """
    given = [resolved(document, one) for one in (*item.get("parameters", ()), *operation.get("parameters", ()))]
    parameters = {(one["in"], one["name"]): _checked(document, one) for one in given}
    described: dict[str, Any] = operation.get("responses") or {"default": {}}
    responses = {status: resolved(document, response) for status, response in described.items()}
    whole = {**operation, "parameters": list(parameters.values()), "responses": responses}
    if "requestBody" in operation:
        whole["requestBody"] = resolved(document, operation["requestBody"])
    return whole


def _checked(document: dict[str, Any], parameter: dict[str, Any]) -> dict[str, Any]:
    default = STYLES[parameter["in"]]
    if "schema" not in parameter or parameter.get("style", default) != default:
        problem = f"use style: {default} and a schema"
    elif resolved(document, parameter["schema"]).get("type") == "object":
        problem = "its schema must not be an object"
    else:
        return parameter
    raise ConfigurationError(f"The {parameter['in']} parameter {parameter['name']!r} cannot be checked: {problem}.")
