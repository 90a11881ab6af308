"""Find values that the generated code does not write or read as OpenAPI says, by their kinds.

How the templates write a value depends on its kind and place. In JSON every kind except a file is written correctly;
elsewhere some kinds are written in Python's form (`True`, `{'a': 1}`), or fail when they are sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from openapi_python_client import schema as oai

from .reading import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openapi_python_client.parser.openapi import Endpoint

    from .reading import Reading

# The kinds of the parser's classes. Enums and constants are of the kind of their values.
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

WRITTEN_AS_TEXT = frozenset({"string", "number", "date", "date-time", "uuid"})
PLAIN = WRITTEN_AS_TEXT | {"boolean", "null"}
JSON = PLAIN | {"any", "array", "object"}

# The kinds that are correct in each place: directly, and at any depth in an array or an object there.
PLACES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "path": (frozenset({"string", "number", "date", "uuid"}), frozenset()),
    "cookie": (frozenset({"string"}), frozenset()),
    "header": (frozenset({"string", "number", "boolean"}), frozenset()),
    "query": (PLAIN | {"array", "object"}, PLAIN),
    "body as json": (JSON - {"any", "null"}, JSON),
    "body as data": (frozenset({"object"}), PLAIN | {"array"}),
    "body as files": (frozenset({"object"}), WRITTEN_AS_TEXT | {"array", "file"}),
    "body as content": (frozenset({"file"}), frozenset()),
    "response as json": (JSON - {"any"}, JSON),
    "response as text": (WRITTEN_AS_TEXT - {"number"}, frozenset()),
    "response as content": (frozenset({"file"}), frozenset()),
    "response as nothing": (frozenset({"any"}), frozenset()),
}
SOURCES = {"response.json()": "json", "response.text": "text", "response.content": "content", "None": "nothing"}
# Headers that OpenAPI ignores as parameters, and statuses whose responses have no body.
OTHERWISE_SENT = frozenset({"accept", "authorization", "content-type"})
EMPTY = re.compile("1..|204|205|304")


def wrong_values(reading: Reading, origins: dict[str, str]) -> Iterator[str]:
    """Yield values that the generated code would not write or read as OpenAPI says."""
    for collection in reading.result.endpoint_collections_by_tag.values():
        for endpoint in collection.endpoints:
            for problem in (*in_request(endpoint), *in_responses(endpoint)):
                yield f"{origins[f'api.{endpoint.name}']}: {problem}"
    for model in reading.result.models:
        known = {each.name.get_untrusted_value() for each in model.required_properties or []}
        for schema in (model.data, *(model.data.allOf or [])):
            required = schema.required if isinstance(schema, oai.Schema) else None
            for name in sorted({each.get_untrusted_value() for each in required or []} - known):
                yield f"{place_of(schema)}/required: {name} is required, and is no property here"


def in_request(endpoint: Endpoint) -> Iterator[str]:
    for location, parameter in endpoint.iter_all_parameters():
        name = f"{location} parameter {parameter.name.get_untrusted_value()}"
        yield from (f"{name}: {problem}" for problem in misplaced(parameter, str(location)))
        if location == "header" and parameter.name.get_untrusted_value().lower() in OTHERWISE_SENT:
            yield f"{name}: OpenAPI passes over parameters of this name"
    sent = {each.name.get_untrusted_value() for each in endpoint.query_parameters}
    for parameter in endpoint.query_parameters:
        if type(parameter).__name__ == "ModelProperty":
            names = {each.name.get_untrusted_value() for each in properties(parameter)}
            for name in sorted(names & sent):
                own = parameter.name.get_untrusted_value()
                yield f"query parameter {own}: its property {name} is sent by the name of another parameter"
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
        content = isinstance(response.data, oai.Response) and response.data.content
        if content and (endpoint.method == "head" or EMPTY.fullmatch(status)):
            yield f"response {status}: HTTP lets it have no content"
        elif content and place == "response as nothing":
            yield f"response {status}: has content of no type, which would not be read"


def misplaced(value: Any, place: str) -> Iterator[str]:
    outside, inside = PLACES[place]
    found = list(kinds(value, (), frozenset()))
    if place == "query" and type(value).__name__ == "UnionProperty" and ("object", ()) in found:
        yield "the generated code does not support object in a union as query"
    for kind, steps in found:
        if kind not in (inside if steps else outside) or (steps.count("array") > 1 and "array" not in inside):
            within = f" in an {' in an '.join(reversed(steps))}" if steps else ""
            yield f"the generated code does not support {kind}{within} as {place}"


def properties(value: Any) -> list[Any]:
    return [*(value.required_properties or []), *(value.optional_properties or [])]


def kinds(value: Any, steps: tuple[str, ...], seen: frozenset[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the kinds of a value and of the values in it, with their containers. A union has its members' kinds."""
    name = type(value).__name__
    if name == "UnionProperty":
        for each in value.inner_properties:
            yield from kinds(each, steps, seen)
        arrays = [
            set(kinds(each, (), seen)) for each in value.inner_properties if type(each).__name__ == "ListProperty"
        ]
        if any(each != arrays[0] for each in arrays):  # the code treats any list as the first
            yield "arrays of different kinds", steps
        names = [type(each).__name__ for each in value.inner_properties]
        if "ConstProperty" in names and len(names) - names.count("NoneProperty") > 1:  # any other value is an error
            yield "const in a union", steps
        return
    if name in ("EnumProperty", "LiteralEnumProperty"):
        found: Any = value.values
        values: list[Any] = list(found.values() if hasattr(found, "values") else found)
        yield from ((word, steps) for word in sorted({CONSTANTS[type(each)] for each in values}))
        return
    kind = CONSTANTS[type(value.value.raw_value)] if name == "ConstProperty" else KINDS[name]
    yield kind, steps
    if kind == "array":
        yield from kinds(value.inner_property, (*steps, kind), seen)
    elif kind == "object" and value.class_info.name not in seen:
        held = properties(value)
        yield from (("null alone", (*steps, kind)) for each in held if type(each).__name__ == "NoneProperty")
        others = value.additional_properties
        if others and type(others).__name__ != "AnyProperty":  # the document does not describe these
            held.append(others)
        for each in held:
            yield from kinds(each, (*steps, kind), seen | {value.class_info.name})
