"""Whether each schema of a document is sent or received, and which places the generator made names from."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from attrs import define, field

from .change import Flow, Use
from .operation import Operation, Part, operations, webhooks
from .shape import Alternative, Node, alternatives

if TYPE_CHECKING:
    from .document import Document


@define(eq=False)
class Uses:
    """What walking a document from its operations and webhooks finds."""

    of: defaultdict[str, set[Use]] = field(factory=lambda: defaultdict[str, set[Use]](set))
    # Labels by the letters of the name that the generator makes from them.
    labels: dict[str, list[str]] = field(factory=dict[str, list[str]])
    _seen: set[tuple[int, str, Use | None]] = field(factory=set[tuple[int, str, Use | None]])

    def name(self, letters: str, *labels: str) -> None:
        self.labels.setdefault(bare(letters), list(labels))

    def walk_operation(self, operation: Operation) -> None:
        for parameter in operation.parameters():
            self.name(f"{operation.id} {parameter.name}", parameter.label)
            self.walk_part(operation, parameter, operation.flow)
        body = operation.body()
        if body is not None:
            self.name(f"{operation.id} body", body.label)
            self.walk_part(operation, body, operation.flow)
        responses = list(operation.responses().items())
        self.name(f"{operation.id} return", *(part.label for _, part in responses))
        for status, part in responses:
            self.name(f"{operation.id} {status}", part.label)
            self.walk_part(operation, part, operation.flow.opposite)
            for header in operation.headers(part).values():
                self.walk_part(operation, header, operation.flow.opposite)
        self.name(operation.id, operation.label)

    def walk_part(self, operation: Operation, part: Part, flow: Flow) -> None:
        self.of[part.label].add(Use(flow))
        for node in operation.schemas(part).values():
            self.walk(node, Use(flow))

    def walk(self, node: Node, use: Use | None) -> None:
        """Note the use of a schema and all below it; without a use, only their names."""
        target = node.target()
        key = (id(target.schema), node.label, use)
        if key in self._seen:
            return
        self._seen.add(key)
        self.note({node.label, target.label}, use)
        found = alternatives(node)
        for each in found:
            open_here = any(other.covers(each) for other in found)
            nested = use and Use(use.flow, use.open or open_here)
            self.note(each.bases - {node.label, target.label}, nested)
            self.walk_below(each, node, use and Use(use.flow))

    def walk_below(self, alternative: Alternative, holder: Node, use: Use | None) -> None:
        for name, child in alternative.properties.items():
            for label in (holder.label, holder.target().label, alternative.label):
                self.name(f"{letters_of(label)} {name}", child.label, child.target().label)
            self.walk(child, use)
        for child in (each for each in (alternative.items, alternative.values) if isinstance(each, Node)):
            self.name(letters_of(child.label), child.label)
            self.walk(child, use)

    def note(self, labels: set[str], use: Use | None) -> None:
        for label in labels:
            self.name(letters_of(label), label)
            if use is not None:
                self.of[label].add(use)


def uses(document: Document) -> Uses:
    found = Uses()
    for name in document.component("schemas"):
        found.name(name, f"schemas/{name}")
    for name, schema in document.component("schemas").items():
        found.walk(Node(document, schema, f"schemas/{name}"), None)
    for operation in (*operations(document), *webhooks(document)):
        found.walk_operation(operation)
    return found


def letters_of(label: str) -> str:
    """Return a label without its kind, as the generator makes names from places."""
    return label.partition("/")[2].replace("[]", "item").replace("{}", "additional_property")


def bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
