"""Which values the generated code writes, and reads, as OpenAPI says: by the kinds of values that the parser found.

The templates write a value by its kind and place. In JSON every kind but a file has its form; elsewhere some kinds
come out as Python shows them (`True`, `{'a': 1}`), or break when they are sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openapi_python_client.parser.openapi import Endpoint

    from .reading import Reading

# The parser's classes, each by the word for its kind here. Words and constants are of the kind of their values.
KINDS = {
    "AnyProperty": "any",
    "BooleanProperty": "boolean",
    "DateProperty": "date",
    "DateTimeProperty": "date-time",
    "FileProperty": "file",
    "FloatProperty": "number",
    "IntProperty": "number",
    "ListProperty": "array",
    "ModelProperty": "object",
    "NoneProperty": "null",
    "StringProperty": "string",
    "UuidProperty": "uuid",
}
CONSTANTS = {str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}

WRITTEN_AS_TEXT = frozenset({"any", "string", "number", "date", "date-time", "uuid"})
PLAIN = WRITTEN_AS_TEXT | {"boolean", "null"}
JSON = PLAIN | {"array", "object"}

# What may stand in a place by itself, and what may stand in an array or an object there, at whatever depth.
PLACES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "path": (frozenset({"string", "number", "date", "uuid"}), frozenset()),
    "cookie": (frozenset({"string"}), frozenset()),
    "header": (frozenset({"string", "number", "boolean"}), frozenset()),
    "query": (PLAIN | {"array", "object"}, PLAIN),
    "body as json": (JSON, JSON),
    "body as data": (frozenset({"object"}), PLAIN | {"array"}),
    "body as files": (frozenset({"object"}), WRITTEN_AS_TEXT | {"array", "file"}),
    "body as content": (frozenset({"file"}), frozenset()),
    "response as json": (JSON, JSON),
    "response as text": (WRITTEN_AS_TEXT - {"number"}, frozenset()),
    "response as content": (frozenset({"any", "file"}), frozenset()),
    "response as nothing": (frozenset({"any"}), frozenset()),
}
SOURCES = {"response.json()": "json", "response.text": "text", "response.content": "content", "None": "nothing"}


def wrong_values(reading: Reading) -> Iterator[str]:
    """Values that the generated code would write or read in another way than OpenAPI says."""
    for collection in reading.result.endpoint_collections_by_tag.values():
        for endpoint in collection.endpoints:
            for problem in (*in_request(endpoint), *in_responses(endpoint)):
                yield f"operation {endpoint.name}, {problem}"


def in_request(endpoint: Endpoint) -> Iterator[str]:
    for location, parameter in endpoint.iter_all_parameters():
        name = f"{location} parameter {parameter.name.get_untrusted_value()}"
        yield from (f"{name}: {problem}" for problem in misplaced(parameter, str(location)))
    types: dict[object, str] = {}
    for body in endpoint.bodies:
        name = body.content_type.get_untrusted_value()
        yield from (f"body {name}: {problem}" for problem in misplaced(body.prop, f"body as {body.body_type}"))
        other = types.setdefault(body.prop.get_type_string(no_optional=True), name)
        if other != name:
            yield f"body {name}: has the type of {other}, so that both would be sent; give each its own schema"


def in_responses(endpoint: Endpoint) -> Iterator[str]:
    for response in endpoint.responses:
        place = f"response as {SOURCES[response.source['attribute']]}"
        status = response.status_code.pattern
        yield from (f"response {status}: {problem}" for problem in misplaced(response.prop, place))


def misplaced(value: Any, place: str) -> Iterator[str]:
    outside, inside = PLACES[place]
    for kind, steps in kinds(value, (), frozenset()):
        if kind not in (inside if steps else outside) or (steps.count("array") > 1 and "array" not in inside):
            within = f" in an {' in an '.join(reversed(steps))}" if steps else ""
            yield f"the generated code does not carry out {kind}{within} as {place}"


def kinds(value: Any, steps: tuple[str, ...], seen: frozenset[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The kinds of a value and of what it holds, with what each is held in. A union is each of its members."""
    name = type(value).__name__
    if name == "UnionProperty":
        for each in value.inner_properties:
            yield from kinds(each, steps, seen)
        return
    if name in ("EnumProperty", "LiteralEnumProperty"):
        found: Any = value.values
        values: list[Any] = list(found.values() if hasattr(found, "values") else found)
        types: set[type[Any]] = {type(each) for each in values}
        yield from ((CONSTANTS[each], steps) for each in sorted(types, key=str))
        return
    kind = CONSTANTS[type(value.value.raw_value)] if name == "ConstProperty" else KINDS[name]
    yield kind, steps
    if kind == "array":
        yield from kinds(value.inner_property, (*steps, kind), seen)
    elif kind == "object" and value.class_info.name not in seen:
        held: list[Any] = [*(value.required_properties or []), *(value.optional_properties or [])]
        held += [value.additional_properties] if value.additional_properties else []
        for each in held:
            yield from kinds(each, (*steps, kind), seen | {value.class_info.name})
