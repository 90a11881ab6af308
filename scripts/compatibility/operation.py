"""The operations and webhooks of a document, with their parameters, bodies, responses and headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import frozen

from .change import Flow, canonical
from .document import Document, Json, mapping, sequence
from .shape import WORDS, Node

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@frozen(eq=False)
class Part:
    """A parameter, body, response or header, and where it is."""

    data: Json
    label: str
    # Which of the path's parameters it is.
    position: int | None = None

    @property
    def name(self) -> str:
        return str(self.data.get("name"))

    @property
    def place(self) -> str:
        return str(self.data.get("in"))

    @property
    def name_and_place(self) -> tuple[str, str]:
        return self.name, self.place

    @property
    def form(self) -> str:
        """Everything that matters but the name, as text."""
        return canonical({key: value for key, value in self.data.items() if key not in WORDS | {"name"}})

    @property
    def required(self) -> bool:
        return self.data.get("required") is True


@frozen(eq=False)
class Operation:
    """An operation, or a webhook: a call that comes in instead of going out."""

    document: Document
    path: str
    method: str
    item: Json
    data: Json
    label: str
    flow: Flow = Flow.SENT

    @property
    def id(self) -> str:
        return str(self.data.get("operationId", f"{self.method.upper()} {self.path}"))

    @property
    def given_id(self) -> object:
        return self.data.get("operationId")

    @property
    def address(self) -> tuple[str, str]:
        """What is sent: the path without the names of its parameters, and the method."""
        return re.sub(r"\{[^}]*\}", "{}", self.path), self.method

    @property
    def names_in_path(self) -> list[str]:
        return re.findall(r"\{([^}]*)\}", self.path)

    def part(self, data: Any, label: str) -> Part:
        return Part(*self.document.resolve(mapping(data), label))

    def parameters(self) -> list[Part]:
        found: dict[tuple[str, str], Part] = {}
        for each in (*sequence(self.item.get("parameters")), *sequence(self.data.get("parameters"))):
            data, shared = self.document.resolve(mapping(each), "")
            part = Part(data, shared or f"{self.label}/{data.get('in')} {data.get('name')}", self.position(data))
            found[part.name_and_place] = part
        return list(found.values())

    def position(self, parameter: Json) -> int | None:
        names = self.names_in_path if parameter.get("in") == "path" else []
        return names.index(parameter["name"]) if parameter.get("name") in names else None

    def body(self) -> Part | None:
        return self.part(self.data["requestBody"], f"{self.label}/body") if "requestBody" in self.data else None

    def responses(self) -> dict[str, Part]:
        found = mapping(self.data.get("responses"))
        return {str(status): self.part(each, f"{self.label}/{status}") for status, each in found.items()}

    def headers(self, response: Part) -> dict[str, Part]:
        named = mapping(response.data.get("headers")).items()
        return {name: self.part(each, f"{response.label}/header {name}") for name, each in named}

    def schemas(self, part: Part) -> dict[str, Node]:
        """Return the schemas of a part by media type; a parameter's plain schema has none."""
        found = {str(kind): mapping(each) for kind, each in mapping(part.data.get("content")).items()}
        if "schema" in part.data:
            found[""] = part.data
        return {kind: Node(self.document, each.get("schema", True), part.label) for kind, each in found.items()}


def operations(document: Document) -> Iterator[Operation]:
    for path, raw in mapping(document.data["paths"]).items():
        item = document.resolve(mapping(raw), "")[0]
        for method, data in methods(item):
            name = str(data.get("operationId", f"{method.upper()} {path}"))
            yield Operation(document, path, method, item, data, f"operations/{name}")


def webhooks(document: Document) -> Iterator[Operation]:
    """Yield every call that the service makes: the document's webhooks, and the callbacks of its operations."""
    incoming = {f"webhooks/{name}": raw for name, raw in mapping(document.data.get("webhooks")).items()}
    for caller in operations(document):
        for name, raw in mapping(caller.data.get("callbacks")).items():
            for item in document.resolve(mapping(raw), "")[0].values():
                incoming[f"{caller.label}/callback {name}"] = item
    for label, raw in incoming.items():
        item = document.resolve(mapping(raw), "")[0]
        for method, data in methods(item):
            yield Operation(document, label, method, item, data, label, Flow.RECEIVED)


def methods(item: Json) -> Iterator[tuple[str, Json]]:
    return ((method, mapping(item[method])) for method in METHODS if method in item)
