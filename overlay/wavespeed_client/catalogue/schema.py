"""Reduce a model's published input schema to canonical facts, and find its fields that take files.

Facts are JSON Schema in one canonical form: references are resolved, and keywords for web pages are removed, except
`description`. Two keywords are our own: `file` marks a string that a file may replace, and `order` lists an object's
fields in the order of the web page. Invalid keywords are left out, so facts never refuse an input that the schema
accepts. Reading facts again does not change them.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, cast

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Facts: TypeAlias = dict[str, Any]

TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
# Keywords that apply to values of some types only.
LIMITS = {
    "string": ("minLength", "maxLength", "pattern", "format", "file"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("minItems", "maxItems", "uniqueItems", "items"),
    "object": ("minProperties", "maxProperties", "properties", "required", "additionalProperties"),
}
LIMITS["integer"] = LIMITS["number"]
# Keywords that a type alone cannot express: their values are lists of schemas, schemas, or schemas by name.
_RULES_OF_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_RULES_OF_ONE = ("not", "if", "then", "else", "contains", "propertyNames")
_RULES_BY_NAME = ("patternProperties", "dependentSchemas")
RULES = (*_RULES_OF_LISTS, *_RULES_OF_ONE, *_RULES_BY_NAME, "dependentRequired")

# Limits for schemas that cannot be real. Anything beyond them is accepted.
DEEPEST = 16
MOST_SCHEMAS = 10_000
# Up to here, floats represent whole numbers exactly.
LARGEST_WHOLE = 2**53

_MEDIA = r"(image|img|picture|photo|frame|mask|video|audio|file)s?"
_MEDIA_NAME = re.compile(rf"(.*_)?{_MEDIA}(_ur[il]s?|_files?|_paths?)?(_?\d+)?")
_HALF = re.compile("[\ud800-\udfff]")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def input_facts(row: Mapping[str, Any]) -> Facts | None:
    """Return the facts of a model's input from its row of the catalogue; None if the row has no input schema."""
    holder = row.get("api_schema")
    forms = _items(_fields(holder).get("api_schemas"))
    described = [form for form in map(_fields, forms) if isinstance(form.get("request_schema"), dict)]
    runs = [form for form in described if form.get("type") == "model_run"] or described
    return facts_of(runs[0]["request_schema"]) if runs else None


def facts_of(schema: object) -> Facts | None:
    """Return the facts of an input's schema; None if it does not describe an object."""
    root = _fields(schema)
    kind = root["type"] if _types(root.get("type")) else "object"
    facts = _Reader(root).described({**root, "type": kind}, 0)
    return facts if isinstance(schema, dict) and "object" in types_of(facts) else None


def without_words(facts: Facts) -> Facts:
    """Return the facts without descriptions."""
    return with_inner({key: value for key, value in facts.items() if key != "description"}, without_words)


def with_inner(facts: Facts, change: Callable[[Facts], Facts]) -> Facts:
    """Return facts with their direct subschemas changed."""
    return {key: _changed(key, value, change) for key, value in facts.items()}


def _changed(key: str, value: Any, change: Callable[[Facts], Facts]) -> Any:
    if key in ("properties", *_RULES_BY_NAME):
        return {name: change(each) for name, each in value.items()}
    if key in _RULES_OF_LISTS:
        return [change(each) for each in value]
    return change(value) if key in ("items", "additionalProperties", *_RULES_OF_ONE) and value is not False else value


def types_of(facts: Facts) -> list[str]:
    """Return the types of values that facts allow; empty if they have no type."""
    said = facts.get("type", [])
    return [said] if isinstance(said, str) else said


def type_of_value(value: object) -> str:
    """Return the type of a JSON value."""
    kinds = ((bool, "boolean"), (str, "string"), (int | float, "number"), (list, "array"), (dict, "object"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def is_file(facts: Facts) -> bool:
    """Return whether a field takes a file, or a list of files."""
    inner = [facts["items"]] if "items" in facts else []
    inner += [branch for key in ("anyOf", "oneOf") for branch in facts.get(key, ())]
    return "file" in facts or any(map(is_file, inner))


def says_file(name: str, schema: Mapping[str, Any]) -> bool:
    """Return whether a field takes files, judged by its uploader on the web page, its format or its name."""
    component = schema.get("x-ui-component")
    uploaded = isinstance(component, str) and component.startswith("upload")
    named = _MEDIA_NAME.fullmatch(_HUMP.sub("_", name).lower()) is not None
    return uploaded or "x-accept" in schema or schema.get("format") in ("uri", "binary") or named


@define
class _Reader:
    """A reader of one schema.

    Attributes:
        root: The whole schema, which references refer to.
    """

    root: dict[str, Any]
    _left: int = field(init=False, default=MOST_SCHEMAS)

    def described(self, schema: object, depth: int) -> Facts:
        """Read the schema of a value, and add the fields that are named only in its rules."""
        facts = self._read(schema, depth, self.described)
        if "object" not in types_of(facts):
            return facts
        said = self._resolved(_fields(schema))
        shown = _order(said.get("order", said.get("x-order-properties")))
        properties: Facts = facts.get("properties", {})
        required = {*facts.get("required", ()), *_required_by_all(facts)}
        named = _in_rules(facts)
        properties |= {name: self.described(named[name], depth + 1) for name in named if name not in properties}
        properties |= {name: {} for name in required if name not in properties}
        order = [name for name in dict.fromkeys(shown) if name in properties]
        order += [name for name in sorted(properties) if name not in order]
        found = {"properties": {name: properties[name] for name in sorted(properties)}, "required": sorted(required)}
        found["order"] = order if order != sorted(order) else []
        return {**facts, **{key: value for key, value in found.items() if value}}

    def rule(self, schema: object, depth: int) -> Facts:
        """Read a schema within a rule, without adding fields."""
        return self._read(schema, depth, self.rule)

    def _read(self, schema: object, depth: int, below: Callable[[object, int], Facts]) -> Facts:
        self._left -= 1
        if depth > DEEPEST or self._left < 0:
            return {}
        said = self._resolved(_fields(schema))
        for key in ("dependentRequired", "dependentSchemas"):  # older schemas call both "dependencies"
            said = {**said, key: {**_fields(said.get("dependencies")), **_fields(said.get(key))}}
        facts: Facts = {key: read(said[key]) for key, read in _PLAIN.items() if key in said}
        facts |= self._inner(said, depth + 1, below)
        facts = {key: value for key, value in facts.items() if value is not None}
        return _of_its_types(_with_null(facts) if said.get("nullable") is True else facts)

    def _inner(self, said: dict[str, Any], depth: int, below: Callable[[object, int], Facts]) -> Facts:
        """Read the keywords whose values are schemas."""
        named = _fields(said.get("properties"))
        names = sorted(filter(_is_name, named))
        facts: Facts = {"properties": {name: self._field(name, named[name], depth, below) for name in names} or None}
        if isinstance(said.get("items"), dict):
            facts["items"] = self._field("", said["items"], depth, below)
        if isinstance(said.get("additionalProperties"), dict):
            facts["additionalProperties"] = below(said["additionalProperties"], depth) or None
        for key in _RULES_OF_LISTS:
            facts[key] = [self.rule(each, depth) for each in _items(said.get(key))] or None
        for key in _RULES_BY_NAME:
            parts = _fields(said.get(key))
            names = [name for name in sorted(parts) if isinstance(parts[name], dict)]
            facts[key] = {name: self.rule(parts[name], depth) for name in names} or None
        for key in _RULES_OF_ONE:
            if isinstance(said.get(key), dict):
                facts[key] = self.rule(said[key], depth)
        return facts

    def _field(self, name: str, schema: object, depth: int, below: Callable[[object, int], Facts]) -> Facts:
        facts = below(schema, depth)
        return _with_files(facts) if says_file(name, self._resolved(_fields(schema))) else facts

    def _resolved(self, said: dict[str, Any]) -> dict[str, Any]:
        """Return the schema with its reference resolved, and with an allOf of one part replaced by that part."""
        for _ in range(DEEPEST):
            outer = _outer(said)
            if outer is None:
                return said
            inner = self._at(said["$ref"]) if outer == "$ref" else _fields(said["allOf"][0])
            said = {**inner, **{key: value for key, value in said.items() if key != outer}}
        return {}

    def _at(self, reference: str) -> dict[str, Any]:
        found: object = self.root
        for step in reference.removeprefix("#").split("/")[1:] if reference.startswith("#") else ("",):
            found = _fields(found).get(step.replace("~1", "/").replace("~0", "~"))
        return _fields(found)


def _outer(said: dict[str, Any]) -> str | None:
    """Return the keyword to replace with another schema: "$ref", or an "allOf" of one part without own fields."""
    if isinstance(said.get("$ref"), str):
        return "$ref"
    own = _types(said.get("type")) is not None or _names(list(_fields(said.get("properties"))))
    return "allOf" if len(_items(said.get("allOf"))) == 1 and not own else None


def _required_by_all(facts: Facts) -> Iterator[str]:
    for part in facts.get("allOf", ()):
        yield from part.get("required", ())
        yield from _required_by_all(part)


def _in_rules(facts: Facts) -> Facts:
    """Return the fields that only rules name. A field that rules describe in different ways accepts anything."""
    found: Facts = {}
    for branch in _branches(facts):
        for name, each in {**_in_rules(branch), **branch.get("properties", {})}.items():
            found[name] = each if found.get(name, each) == each else {}
    return found


def _branches(facts: Facts) -> Iterator[Facts]:
    for key in ("allOf", "anyOf", "oneOf"):
        yield from facts.get(key, ())
    yield from (facts[key] for key in ("then", "else") if key in facts)
    yield from facts.get("dependentSchemas", {}).values()


def _with_files(facts: Facts) -> Facts:
    """Mark the strings of a field, and those in its lists, as files."""
    takes = {"file": True} if "string" in types_of(facts) and not {"enum", "const"} & facts.keys() else {}
    inner: Facts = {key: facts[key] for key in ("items", "anyOf", "oneOf") if key in facts}
    return {**facts, **takes, **with_inner(inner, _with_files)}


def _with_null(facts: Facts) -> Facts:
    facts = dict(facts)
    if "type" in facts:
        facts["type"] = _types([*types_of(facts), "null"])
    if "enum" in facts and None not in facts["enum"]:
        facts["enum"] = [*facts["enum"], None]
    return facts


def _of_its_types(facts: Facts) -> Facts:
    """Return facts with their type, if it can be inferred, and without limits of other types."""
    for kind, key in (("object", "properties"), ("array", "items")):
        if key in facts:
            facts = {"type": kind, **facts}
    binding = {key for kind in types_of(facts) or TYPES for key in LIMITS.get(kind, ())}
    others = {key for keys in LIMITS.values() for key in keys} - binding
    return {key: value for key, value in facts.items() if key not in others}


# Readers of single keywords. They return None for an invalid value, which is then left out.


def _fields(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _types(value: object) -> str | list[str] | None:
    words = _items(value) or [value]
    known = sorted({word for word in words if isinstance(word, str) and word in TYPES})
    if not all(word in known for word in words):
        return None
    return known[0] if len(known) == 1 else known


def _number(value: object) -> int | float | None:
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) <= LARGEST_WHOLE
        return int(value) if whole else value if math.isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _count(value: object) -> int | None:
    number = _number(value)
    return number if isinstance(number, int) and number >= 0 else None


def _text(value: object) -> str | None:
    return _HALF.sub("\ufffd", value) if isinstance(value, str) and value else None


def _is_name(value: object) -> TypeGuard[str]:
    """Return whether a field can have this name: half of a surrogate pair cannot be sent."""
    return isinstance(value, str) and not _HALF.search(value)


def _names(value: object) -> list[str] | None:
    return sorted(set(filter(_is_name, _items(value)))) or None


def _order(value: object) -> list[str]:
    return list(filter(_is_name, _items(value)))


def _names_by_name(value: object) -> dict[str, list[str]] | None:
    lists = _fields(value)
    return {name: names for name in sorted(lists) if (names := _names(lists[name]))} or None


def _only(wanted: object) -> Callable[[object], object]:
    """Return a reader that finds every other value invalid."""
    return lambda value: wanted if value is wanted else None


def _value(value: object, depth: int = 0) -> Any:
    """Return a JSON value with canonical numbers; None for values that JSON cannot hold."""
    if depth > DEEPEST:
        return None
    if isinstance(value, dict):
        fields = _fields(cast("object", value))
        return {name: _value(fields[name], depth + 1) for name in sorted(fields)}
    if isinstance(value, list):
        return [_value(each, depth + 1) for each in _items(cast("object", value))]
    return value if isinstance(value, bool | str) else _number(value)


def _enum(value: object) -> list[Any] | None:
    values = [(each, _value(each)) for each in _items(value)]
    kept = {canonical(known): known for each, known in values if known is not None or each is None}
    return list(kept.values()) or None


def canonical(value: object) -> str:
    """Return a JSON value as text that only equal values share."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


_PLAIN: dict[str, Callable[[object], Any]] = {
    "type": _types,
    "enum": _enum,
    "const": _value,
    "default": _value,
    "description": _text,
    "pattern": _text,
    "format": _text,
    **dict.fromkeys(LIMITS["number"], _number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _count),
    "uniqueItems": _only(True),
    "file": _only(True),
    "deprecated": _only(True),
    "required": _names,
    "dependentRequired": _names_by_name,
    "additionalProperties": _only(False),
}
