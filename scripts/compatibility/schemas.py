"""The types that a schema allows, as parts of the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .change import canonical, show
from .document import Json, mapping
from .parts import Part, flags
from .shape import Alternative, Node, alternatives, matters

if TYPE_CHECKING:
    from collections.abc import Iterator


def types(node: Node, place: str) -> list[Part]:
    """Return a part for each type that a schema allows in a place."""
    found = alternatives(node)
    return [type_part(each, place, any(other.covers(each) for other in found)) for each in found]


def type_part(each: Alternative, place: str, open: bool) -> Part:
    """Return the part of a type. It is recognised by its place and kind, by its kind, and by its type."""
    form = (each.type, each.enum is None, each.keywords.get("format"))
    number = "number" if each.type in ("integer", "number") else None
    values = "described" if isinstance(each.values, Node) else "allowed" if each.values else "refused"
    facets: Json = {"type": each.type or "anything", "further keys": values}
    facets |= {"enum": each.enum} if each.enum is not None else {}
    facets |= {"items": "described"} if each.items else {}
    inner = {"items": each.items, "further": each.values if isinstance(each.values, Node) else None}
    parts = [Part(kind, kind, node.label, node.label, {}, (kind,), node=node) for kind, node in inner.items() if node]
    return Part(
        "null" if each.type == "null" else "type",
        name_of(each),
        place,
        each.label,
        facets | each.keywords,
        ((each.label, form), form, (each.type,), number),
        [*properties(each), *parts],
        bases=each.bases,
        open=open,
    )


def properties(holder: Alternative) -> Iterator[Part]:
    """Yield the properties of an object. They are recognised by name, or by everything else that matters."""
    for name, node in sorted(holder.properties.items()):
        required = {"required": True} if name in holder.required else {}
        facets = {"name": name, **required, **flags(said(node, "deprecated"), "deprecated")}
        likenesses = (name, f"{required} {canonical(matters(node.schema))}")
        yield Part("property", name, node.label, node.label, facets, likenesses, node=node)


def component(label: str) -> str:
    """Return the name of the schema that a label means, or an empty string if it means a place in a schema."""
    kind, _, name = label.partition("/")
    return name if kind == "schemas" and "/" not in name else ""


def name_of(alternative: Alternative) -> str:
    name = component(alternative.label)
    if name and alternative.type == "object":
        return name
    if alternative.enum is not None:
        return f"one of {', '.join(map(show, alternative.enum))}"
    kind = alternative.type or "anything"
    return f"{kind} ({alternative.keywords['format']})" if "format" in alternative.keywords else kind


def said(node: Node, key: str) -> Json:
    """Return a keyword with its value in a schema: next to its reference, or in the schema it refers to."""
    both = mapping(node.target().schema) | mapping(node.schema)
    return {key: both[key]} if key in both else {}
