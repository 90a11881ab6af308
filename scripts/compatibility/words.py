"""The parts of a document that are only for people, by place: descriptions, summaries, examples, extensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from generation.document import METHODS

from .change import canonical
from .document import Document, mapping, sequence
from .shape import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

# Keywords that contain plain values or lists of names.
VALUES = {"default", "enum", "const", "security", "required", "scopes", "mapping"}
# Keywords that contain names with values, not further keywords.
NAMED = {
    *("paths", "webhooks", "pathItems", "responses", "content", "headers", "links", "callbacks", "parameters"),
    *("schemas", "properties", "patternProperties", "$defs", "dependentSchemas"),
    *("requestBodies", "securitySchemes", "variables"),
}
# Steps that a label leaves out, and steps that it shows in another form.
UNSAID = {"properties", "schema", "content", "responses", "parameters", "allOf", "anyOf", "oneOf", *METHODS}
SHORT = {"items": "[]", "additionalProperties": "{}", "requestBody": "body"}

# Further words for people, by their depth.
MORE_WORDS = {0: ("info", "tags", "openapi"), 3: ("bearerFormat",)}

Path = tuple[str, ...]


def changed_words(old: object, new: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield the words that differ at places that both documents have."""
    before, after = by_step(old), by_step(new)
    for step in sorted(before.keys() | after.keys()):
        one, two = before.get(step), after.get(step)
        if step in WORDS or step.startswith("x-") or step in MORE_WORDS.get(len(path), ()):
            if canonical(one) != canonical(two):
                yield path, step
        elif step in NAMED and isinstance(one, dict):
            names, new_names = mapping(cast("object", one)), mapping(two)
            for name in sorted(names.keys() & new_names.keys()):
                there = (*path, step) if step == "content" else (*path, step, name)
                yield from changed_words(names[name], new_names[name], there)
        elif step not in VALUES and step in before and step in after:
            yield from changed_words(one, two, (*path, step))


def by_step(node: object) -> dict[str, object]:
    """Return the members of an object or list by step. The step of a parameter is its location and name."""
    if not isinstance(node, list):
        return mapping(node)
    found = [(number, mapping(each), each) for number, each in enumerate(sequence(cast("object", node)))]
    return {f"{each['in']} {each['name']}" if "in" in each else f"#{number}": raw for number, each, raw in found}


def label_of(path: Path, document: Document) -> str:
    """Return the label of a place, in the form that changes on the wire use."""
    kind, *steps = path or ("document",)
    if kind == "components":
        kind, *steps = steps
    elif kind == "paths" and len(steps) > 1 and steps[1] in METHODS:
        name = document.data["paths"][steps[0]][steps[1]].get("operationId", f"{steps[1].upper()} {steps[0]}")
        kind, steps = "operations", [str(name), *steps[2:]]
    said = (SHORT.get(step, step) for step in steps if step not in UNSAID and not step.startswith("#"))
    return "/".join((kind, *said))
