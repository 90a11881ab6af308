"""What a schema allows, in a form that does not depend on how it is written: alternatives of one type each."""

from __future__ import annotations

from typing import Any

from attrs import define, evolve, field, frozen

from .document import Document, Json, mapping, sequence

# Keywords for people, and keywords that are fields of an alternative.
WORDS = {
    *("title", "description", "summary", "example", "examples", "externalDocs", "$comment", "xml", "$schema", "$id"),
    *("info", "tags", "openapi", "bearerFormat"),  # in a document, and in a security scheme
}
CARRIED = {
    *("$ref", "type", "enum", "const", "allOf", "anyOf", "oneOf", "properties", "required", "items"),
    *("additionalProperties", "discriminator", "deprecated", "default"),
}
# Keywords that apply to only one type of values.
ONLY_FOR = {
    "string": {"minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"},
    "array": {"minItems", "maxItems", "uniqueItems", "contains", "prefixItems"},
    "object": {"minProperties", "maxProperties", "patternProperties", "propertyNames"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"},
}
ONLY_FOR["integer"] = ONLY_FOR["number"]
BOUND = set[str]().union(*ONLY_FOR.values())
LOWEST = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
HIGHEST = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}


def is_word(key: str) -> bool:
    return key in WORDS or key.startswith("x-")


def words(data: Json) -> Json:
    """Return what an object says only to people."""
    return {key: value for key, value in data.items() if is_word(key)}


def matters(data: object) -> Json:
    """Return what an object says to programs."""
    return {key: value for key, value in mapping(data).items() if not is_word(key)}


@frozen(eq=False)
class Node:
    """A schema and its place, which is the same for all references to it."""

    document: Document
    schema: Any
    label: str

    def target(self) -> Node:
        if "$ref" not in mapping(self.schema):
            return self
        return Node(self.document, *self.document.resolve(mapping(self.schema), self.label))

    def child(self, schema: Any, step: str) -> Node:
        return Node(self.document, schema, f"{self.label}{step}")


@define(eq=False)
class Alternative:
    """Values of one type, or of any type if it is None."""

    label: str
    type: str | None
    enum: list[Any] | None = None
    keywords: Json = field(factory=dict[str, Any])
    properties: dict[str, Node] = field(factory=dict[str, Node])
    required: set[str] = field(factory=set[str])
    items: Node | None = None
    # The schema of further keys, or whether they are allowed.
    values: Node | bool = True
    # The components of which it is composed.
    bases: set[str] = field(factory=set[str])

    @property
    def free(self) -> bool:
        return self.enum is None and not self.keywords.keys() & BOUND

    def covers(self, other: Alternative) -> bool:
        """Return whether this allows every value that the other allows, without a look into objects and lists."""
        kinds = {other.type, None} | ({"number"} if other.type == "integer" else set[str | None]())
        return self is not other and self.free and self.type in kinds and self.type not in ("object", "array")


def alternatives(node: Node, seen: tuple[int, ...] = ()) -> list[Alternative]:
    """Return what a schema allows. A direct reference to itself adds nothing."""
    target = node.target()
    if target.schema is False:
        return []
    schema = mapping(target.schema)
    if id(schema) in seen:
        return []
    seen = (*seen, id(schema))
    found = [one_type(target, schema, kind) for kind in types(schema)]
    for part in sequence(schema.get("allOf")):
        found = both(found, alternatives(Node(node.document, part, target.label), seen), node.document)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            branches = [Node(node.document, branch, target.label) for branch in sequence(schema[choice])]
            either = [each for branch in branches for each in alternatives(branch, seen)]
            found = either if plain(schema) else both(found, either, node.document)
    rest = {key: value for key, value in matters(node.schema).items() if key != "$ref"}
    if target is not node and rest:
        found = both(found, alternatives(Node(node.document, rest, node.label), seen), node.document)
    for each in found:
        each.bases.add(target.label)
    return found


def plain(schema: Json) -> bool:
    """Return whether a schema consists only of its alternatives."""
    said = matters(schema).keys() - {"anyOf", "oneOf", "discriminator", "deprecated", "default"}
    return not said and not {"anyOf", "oneOf"} <= schema.keys()


def types(schema: Json) -> list[str | None]:
    said = schema.get("type")
    if said is not None:
        return [str(each) for each in sequence(said)] or [str(said)]
    if "properties" in schema:
        return ["object"]
    return [*sorted({type_of(value) for value in enum(schema) or []})] or [None]


def enum(schema: Json) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


NAMES = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"))


def type_of(value: object) -> str:
    return next((name for kind, name in NAMES if isinstance(value, kind)), "null")


def one_type(node: Node, schema: Json, kind: str | None) -> Alternative:
    if kind == "null":
        return Alternative(node.label, "null")
    passed_over = CARRIED | (BOUND - ONLY_FOR.get(kind, set()) if kind else set[str]())
    passed_over |= set() if schema.get("uniqueItems") else {"uniqueItems"}  # false is the same as nothing
    keywords = {key: each for key, each in matters(schema).items() if key not in passed_over}
    values = enum(schema)
    if values is not None and kind is not None:
        fitting = {kind, "integer"} if kind == "number" else {kind}
        values = [value for value in values if type_of(value) in fitting]
    alternative = Alternative(node.label, kind, values, keywords)
    if kind in ("object", None):
        named = mapping(schema.get("properties")).items()
        alternative.properties = {name: node.child(value, f"/{name}") for name, value in named}
        alternative.required = set(map(str, sequence(schema.get("required"))))
        values_of_keys = schema.get("additionalProperties", True)
        is_described = bool(mapping(values_of_keys))
        alternative.values = node.child(values_of_keys, "/{}") if is_described else values_of_keys is not False
    if kind in ("array", None) and "items" in schema:
        alternative.items = node.child(schema["items"], "/[]")
    return alternative


def both(left: list[Alternative], right: list[Alternative], document: Document) -> list[Alternative]:
    joined = [join(one, two, document) for one in left for two in right]
    return [each for each in joined if each is not None]


def join(one: Alternative, two: Alternative, document: Document) -> Alternative | None:
    """Return the values that both allow."""
    if one.type == two.type or two.type is None:
        kind = one.type
    elif one.type is None or {one.type, two.type} == {"integer", "number"}:
        kind = two.type if one.type is None else "integer"
    else:
        return None
    properties = dict(one.properties)
    for name, node in two.properties.items():
        properties[name] = join_nodes(properties[name], node, document) if name in properties else node
    enums = [each for each in (one.enum, two.enum) if each is not None]
    items = [each for each in (one.items, two.items) if each is not None]
    return evolve(
        one,
        type=kind,
        enum=[value for value in enums[0] if value in enums[-1]] if enums else None,
        keywords=join_keywords(one.keywords, two.keywords),
        properties=properties,
        required=one.required | two.required,
        items=join_nodes(items[0], items[-1], document) if items else None,
        values=two.values if one.values is True else one.values,
        bases=one.bases | two.bases,
    )


def join_keywords(one: Json, two: Json) -> Json:
    joined = one | two
    for key in one.keys() & two.keys():
        if key in LOWEST:
            joined[key] = min(one[key], two[key])
        elif key in HIGHEST:
            joined[key] = max(one[key], two[key])
        elif one[key] != two[key]:
            joined[key] = [one[key], two[key]]
    return joined


def join_nodes(one: Node, two: Node, document: Document) -> Node:
    if one.schema is two.schema:
        return one
    key = (id(one.schema), id(two.schema))
    schema = document.joined.setdefault(key, {"allOf": [one.schema, two.schema]})
    return Node(document, schema, one.label)
