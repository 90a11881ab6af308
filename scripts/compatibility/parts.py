"""What a document describes besides schemas, as a tree of parts: calls, parameters, bodies, responses, headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from generation.document import METHODS

from .change import canonical
from .document import Document, Json, mapping, sequence
from .shape import Node, matters, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# How a parameter is written.
STYLE = ("style", "explode", "allowReserved", "allowEmptyValue")


@frozen(eq=False)
class Part:
    """A part of a document, which may be added, removed or changed.

    Attributes:
        kind: Its kind: operation, webhook, parameter, property, body, success, failure, header, form, and so on.
        name: Its name among parts of its kind.
        place: Where it is used.
        label: Where a person finds it in the spec; a component is not where it is used.
        facets: Its properties that may change.
        likenesses: Keys to recognise it in the other document, the most reliable first; None matches nothing.
        parts: The parts in it.
        node: Its schema.
        ways: For security: the sets of secrets of which one is enough.
        bases: For the type of a schema: the components of which it is composed.
        open: Whether any other value of its type may stand in its place, too.
    """

    kind: str
    name: str
    place: str
    label: str
    facets: Json = field(factory=dict[str, Any])
    likenesses: tuple[object, ...] = ()
    parts: list[Part] = field(factory=list["Part"])
    node: Node | None = None
    ways: set[frozenset[str]] = field(factory=set[frozenset[str]])
    bases: set[str] = field(factory=set[str])
    open: bool = False

    @property
    def is_response(self) -> bool:
        return self.kind in ("success", "failure")

    @property
    def is_type(self) -> bool:
        return self.kind in ("type", "null")


@frozen(eq=False)
class Reader:
    """Reads the parts of a document."""

    document: Document

    def whole(self) -> Part:
        """Return the document, with the calls to the service, the calls that it makes, and all schemas."""
        parts = [*self.operations(), *self.webhooks(), *self.schemas()]
        return Part("document", "document", "document", "document", words(self.document.data), parts=parts)

    def schemas(self) -> Iterator[Part]:
        for name, schema in sorted(self.document.component("schemas").items()):
            label = f"schemas/{name}"
            yield Part("schema", name, label, label, {}, (name,), node=Node(self.document, schema, label))

    def operations(self) -> Iterator[Part]:
        for path, raw in self.document.data["paths"].items():
            for method, item, data in self.methods(raw):
                name = str(data.get("operationId", f"{method.upper()} {path}"))
                address, tags = f"{method.upper()} {re.sub('{[^}]*}', '{}', path)}", sequence(data.get("tags"))
                facets = {"address": address, "operationId": name, "first tag": tags[:1], "further tags": tags[1:]}
                facets |= words(item) | words(data) | flags(data, "deprecated")
                facets.pop("tags", None)
                label = f"operations/{name}"
                parts = [*self.held(path, label, item, data), *self.servers(label, item, data)]
                parts.append(self.security(label, data, self.document.data.get("security")))
                likenesses = (address, data.get("operationId"))
                yield Part("operation", name, label, label, facets, likenesses, parts)

    def webhooks(self) -> Iterator[Part]:
        """Yield every call that the service makes: the document's webhooks and the callbacks of its operations."""
        incoming = {f"webhooks/{name}": raw for name, raw in mapping(self.document.data.get("webhooks")).items()}
        for path, raw in self.document.data["paths"].items():
            for method, _, data in self.methods(raw):
                caller = f"operations/{data.get('operationId', f'{method.upper()} {path}')}"
                for name, callback in mapping(data.get("callbacks")).items():
                    for item in self.resolve(callback)[0].values():
                        incoming[f"{caller}/callback {name}"] = item
        for label, raw in incoming.items():
            for method, item, data in self.methods(raw):
                name = str(data.get("operationId", f"{method.upper()} {label}"))
                parts = [*self.held(label, label, item, data), self.security(label, data, None)]
                facets = {"method": method, **words(item), **words(data), **flags(data, "deprecated")}
                yield Part("webhook", name, label, label, facets, ((label, method), data.get("operationId")), parts)

    def methods(self, raw: object) -> Iterator[tuple[str, Json, Json]]:
        item = self.resolve(raw)[0]
        return ((method, item, mapping(item[method])) for method in METHODS if method in item)

    def resolve(self, raw: object, label: str = "") -> tuple[Json, str]:
        return self.document.resolve(mapping(raw), label)

    def held(self, path: str, label: str, item: Json, data: Json) -> Iterator[Part]:
        yield from self.parameters(path, label, item, data)
        if "requestBody" in data:
            yield self.described("body", "body", f"{label}/body", data["requestBody"])
        for status, raw in mapping(data.get("responses")).items():
            kind, there = "success" if str(status)[0] in "123" else "failure", f"{label}/{status}"
            shared = self.resolve(raw, there)
            headers = mapping(shared[0].get("headers")).items()
            parts = [self.described("header", name, f"{shared[1]}/header {name}", each) for name, each in headers]
            likenesses = (str(status), kind == "success" or None)
            yield self.described(kind, str(status), there, raw, likenesses, parts)

    def parameters(self, path: str, label: str, *holders: Json) -> Iterable[Part]:
        names = re.findall(r"\{([^}]*)\}", path)
        found: dict[tuple[str, str], Part] = {}
        for raw in (each for holder in holders for each in sequence(holder.get("parameters"))):
            data = self.resolve(raw)[0]
            name, place = str(data.get("name")), str(data.get("in"))
            position = names.index(name) if place == "path" and name in names else None
            form = canonical(matters(data) | {"name": ""})
            likenesses = ((name, place), position, name, form)
            part = self.described("parameter", name, f"{label}/{place} {name}", raw, likenesses)
            named = {"name": name} if position is None else {"argument": name, "position": position}
            part.facets.update({"in": place, **named})
            part.facets.update({key: data[key] for key in STYLE if key in data})
            found[name, place] = part
        return found.values()

    def described(
        self,
        kind: str,
        name: str,
        label: str,
        raw: object,
        likenesses: tuple[object, ...] = (),
        parts: Iterable[Part] = (),
    ) -> Part:
        """Return the parts of something that has a schema, or one schema for each media type."""
        data, found = self.resolve(raw, label)
        forms = [
            Part(
                "form", str(form), found, found, words(mapping(each)), (form,), node=Node(self.document, schema, found)
            )
            for form, each in mapping(data.get("content")).items()
            for schema in [mapping(each).get("schema", True)]
        ]
        node = Node(self.document, data["schema"], found) if "schema" in data else None
        facets = words(data) | flags(data, "required", "deprecated")
        facets |= {"status": name} if kind == "success" else {}
        return Part(kind, name, label, found, facets, likenesses or (name,), [*parts, *forms], node)

    # Security and servers

    def security(self, label: str, data: Json, for_all: object) -> Part:
        """Return the sets of secrets of which one is enough, and how each is sent. A scope counts as a secret."""
        where = f"{label}/security" if "security" in data else "security"
        said = [mapping(each) for each in sequence(data.get("security", for_all))] or [{}]
        ways = {frozenset(secrets(way)) for way in said}
        named = self.document.component("securitySchemes").items()
        used = {name: mapping(raw) for name, raw in named if any(name in way for way in ways)}
        schemes = [
            Part("scheme", name, where, f"securitySchemes/{name}", {"scheme": form, **words(raw)}, (name, form))
            for name, raw in used.items()
            for form in [canonical(matters(raw))]
        ]
        return Part("security", "security", where, where, {}, ("security",), schemes, ways=ways)

    def servers(self, label: str, item: Json, data: Json) -> Iterator[Part]:
        holders = (each for each in (data, item, self.document.data) if "servers" in each)
        listed = next(holders, {"servers": [{"url": "/"}]})["servers"]
        where = f"{label}/servers" if "servers" in data or "servers" in item else "servers"
        for url, server in {str(mapping(each).get("url")): mapping(each) for each in sequence(listed)}.items():
            facets = {"variables": matters(server.get("variables")), **words(server)}
            yield Part("server", url, where, where, facets, (url,))


def secrets(way: Json) -> Iterator[str]:
    """Yield the secrets that one security scheme requires."""
    for name, scopes in way.items():
        yield from (name, *(f"{name} {scope}" for scope in sequence(scopes)))


def flags(data: Json, *names: str) -> Json:
    return {name: True for name in names if data.get(name) is True}
