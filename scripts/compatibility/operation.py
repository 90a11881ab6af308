"""The operations and webhooks of a document, as lists that can be walked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import frozen

from .change import Flow
from .document import Document, Json, mapping, sequence
from .shape import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@frozen(eq=False)
class Part:
    """A parameter, body, answer or header, and where it is."""

    data: Json
    label: str

    @property
    def name(self) -> str:
        return str(self.data.get("name"))

    @property
    def place(self) -> str:
        return str(self.data.get("in"))

    @property
    def required(self) -> bool:
        return self.data.get("required") is True


@frozen(eq=False)
class Operation:
    """An operation, or a webhook: a call that comes instead of going out."""

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
    def address(self) -> tuple[str, str]:
        """What is on the wire: the path without the names of its parameters."""
        return re.sub(r"\{[^}]*\}", "{}", self.path), self.method

    @property
    def names_in_path(self) -> list[str]:
        return re.findall(r"\{([^}]*)\}", self.path)

    def part(self, data: Any, label: str) -> Part:
        return Part(*self.document.resolve(mapping(data), label))

    def parameters(self) -> list[Part]:
        found: dict[tuple[str, str], Part] = {}
        for each in (*sequence(self.item.get("parameters")), *sequence(self.data.get("parameters"))):
            bare = self.document.resolve(mapping(each), "")[0]
            part = self.part(each, f"{self.label}/{bare.get('in')} {bare.get('name')}")
            found[part.place, part.name] = part
        return list(found.values())

    def body(self) -> Part | None:
        return self.part(self.data["requestBody"], f"{self.label}/body") if "requestBody" in self.data else None

    def responses(self) -> dict[str, Part]:
        answers = mapping(self.data.get("responses"))
        return {str(status): self.part(each, f"{self.label}/{status}") for status, each in answers.items()}

    def headers(self, response: Part) -> dict[str, Part]:
        named = mapping(response.data.get("headers")).items()
        return {name: self.part(each, f"{response.label}/header {name}") for name, each in named}

    def schemas(self, part: Part) -> dict[str, Node]:
        """The schemas of a parameter, body or answer, by media type; a parameter's plain schema has none."""
        found = {str(kind): mapping(each) for kind, each in mapping(part.data.get("content")).items()}
        if "schema" in part.data:
            found[""] = part.data
        return {kind: Node(self.document, each.get("schema", True), part.label) for kind, each in found.items()}


def operations(document: Document) -> Iterator[Operation]:
    """Every operation, with the callbacks that belong to it."""
    for path, raw in mapping(document.data["paths"]).items():
        item = document.resolve(mapping(raw), "")[0]
        for method, data in methods(item):
            name = str(data.get("operationId", f"{method.upper()} {path}"))
            yield Operation(document, path, method, item, data, f"operations/{name}")


def webhooks(document: Document) -> Iterator[Operation]:
    """Every call that the service makes: the document's webhooks, and the callbacks of its operations."""
    for name, raw in mapping(document.data.get("webhooks")).items():
        item = document.resolve(mapping(raw), "")[0]
        for method, data in methods(item):
            yield Operation(document, name, method, item, data, f"webhooks/{name}", Flow.RECEIVED)
    for caller in operations(document):
        for name, raw in mapping(caller.data.get("callbacks")).items():
            label = f"{caller.label}/callback {name}"
            for item in document.resolve(mapping(raw), "")[0].values():
                for method, data in methods(mapping(item)):
                    yield Operation(document, label, method, mapping(item), data, label, Flow.RECEIVED)


def methods(item: Json) -> Iterator[tuple[str, Json]]:
    for method in METHODS:
        if method in item:
            yield method, mapping(item[method])
