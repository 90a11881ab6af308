"""Random schemas: hostile ones, and plain ones with a mutation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

# Quotes, line breaks, escapes, reversals of direction, halves of surrogate pairs, and letters.
HOSTILE = "ab\"'\\\n\r\t{}%$#;()_ \x00\x7f\u2028\u202e\u200bé中😀\u3000" + chr(0xD800)
TYPES: list[Any] = [
    *("string", "integer", "number", "boolean", "null", "array", "object", "file", None, 3),
    *(["string", "null"], ["array", "object", "string"], []),
]


def words(random: Random, most: int = 8) -> str:
    return "".join(random.choices(HOSTILE, k=random.randint(0, most)))


def value(random: Random) -> Any:
    return random.choice([words(random), 1, 2.5, None, True, [words(random)], {"a": words(random)}, float("nan")])


def hostile(random: Random, depth: int = 0) -> Any:
    """Draw a schema whose names, words and values try to act as code."""

    def inner() -> Any:
        return hostile(random, depth + 1)

    names = [words(random) for _ in range(random.randint(0, 3))]
    more = 0.3 if depth < 3 else 0
    keywords: list[tuple[float, str, Callable[[], Any]]] = [
        (0.8, "type", lambda: random.choice(TYPES)),
        (0.3, "enum", lambda: [value(random) for _ in range(random.randint(0, 3))]),
        (0.1, "const", lambda: value(random)),
        (0.5, "description", lambda: words(random, 30)),
        (0.3, "default", lambda: value(random)),
        (0.1, "pattern", lambda: words(random)),
        (0.1, "format", lambda: "uri"),
        (0.1, "nullable", lambda: True),
        (0.3, "required", lambda: [*names[:1], words(random)]),
        (0.2, "x-order-properties", lambda: [*names, 3]),
        (more, "items", inner),
        (more, "properties", lambda: {name: inner() for name in names}),
        (more / 3, "additionalProperties", lambda: random.choice([False, True, inner()])),
        (more / 2, random.choice(["anyOf", "oneOf", "allOf"]), lambda: [inner() for _ in names]),
        (more / 3, random.choice(["not", "if", "then", "else"]), inner),
    ]
    return {key: make() for chance, key, make in keywords if random.random() < chance}


def plain(random: Random, depth: int = 0) -> dict[str, Any]:
    """Draw a schema such as people write."""
    kind = random.choice(["string", "integer", "number", "boolean", "array", "object"][: 6 if depth < 3 else 4])
    schema: dict[str, Any] = {"type": kind}
    if kind == "object" or depth == 0:
        names = random.sample("abcdef", random.randint(1, 4))
        schema = {"type": "object", "properties": {name: plain(random, depth + 1) for name in sorted(names)}}
        schema["required"] = sorted(random.sample(names, random.randint(0, len(names))))
    elif kind == "array":
        schema["items"] = plain(random, depth + 1)
    if random.random() < 0.5:
        schema.pop("required", None)
    for _ in range(random.randint(0, 2)):
        limit(random, schema)
    return schema


def limit(random: Random, schema: dict[str, Any]) -> None:
    """Set, change or drop one keyword."""
    number = random.randint(0, 9)
    choices: dict[str, dict[str, Any]] = {
        "string": {
            "minLength": number,
            "maxLength": number,
            "pattern": f"^{number}",
            "enum": list("abc"[: 1 + number % 3]),
        },
        "integer": {"minimum": number, "maximum": number, "multipleOf": 1 + number, "enum": [number, number + 1]},
        "number": {"minimum": number / 2, "exclusiveMaximum": number, "type": "integer"},
        "boolean": {"default": number > 4, "description": f"Words {number}."},
        "array": {"minItems": number, "maxItems": number, "uniqueItems": True},
        "object": {"additionalProperties": False, "minProperties": number},
    }
    keyword, value = random.choice(list(choices[schema["type"]].items()))
    if keyword in schema and random.random() < 0.5 and keyword != "type":
        del schema[keyword]
    else:
        schema[keyword] = value


def mutate(random: Random, schema: dict[str, Any]) -> None:
    """Change something, somewhere in the schema."""
    inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    if inner and random.random() < 0.6:
        return mutate(random, random.choice(inner))
    properties = schema.get("properties", {})
    name = random.choice("abcdef")
    required = set(schema.get("required", ()))
    match random.choice(["limit", "limit", "field", "required", "type"]):
        case "field" if name in properties and len(properties) > 1:
            del properties[name]
            required.discard(name)
        case "field" if schema["type"] == "object":
            properties[name] = plain(random, 3)
        case "required" if name in properties:
            required ^= {name}
        case "type" if schema["type"] == "integer" and "enum" not in schema:
            schema["type"] = random.choice(["number", "string", ["integer", "null"]])
            if schema["type"] == "string":
                for key in ("minimum", "maximum", "multipleOf"):
                    schema.pop(key, None)
        case _ if isinstance(schema["type"], str):
            limit(random, schema)
        case _:
            schema["description"] = "Other words."
    if "required" in schema or required:
        schema["required"] = sorted(required)
    return None
