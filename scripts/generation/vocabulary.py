"""The keywords that a generator may ignore: those that only describe, and those that the service enforces.

The names come from the published vocabularies of JSON Schema.
"""

from __future__ import annotations

from typing import Any

import jsonschema_specifications  # type: ignore[import-untyped]  # it is only a holder of JSON

REGISTRY: Any = jsonschema_specifications.REGISTRY


def vocabulary(*names: str) -> frozenset[str]:
    """Return the keywords of vocabularies of JSON Schema 2020-12, which is OpenAPI 3.1's."""
    found = [REGISTRY.contents(f"https://json-schema.org/draft/2020-12/meta/{name}") for name in names]
    return frozenset(str(keyword) for each in found for keyword in each["properties"])


DIALECT = vocabulary("core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "content") | {
    "discriminator",
    "example",
    "externalDocs",
    "xml",
}

MAPS_OF_SCHEMAS = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
LISTS_OF_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
SCHEMAS = vocabulary("applicator", "unevaluated") - MAPS_OF_SCHEMAS - LISTS_OF_SCHEMAS | {"contentSchema"}

# For people, in any object.
WORDS = frozenset({"summary", "description", "title", "externalDocs", "deprecated", "example", "examples", "$comment"})

# In schemas: annotations, and restrictions that the service enforces. Not the keywords from which the generator makes
# types and arguments elsewhere (enum, required), nor those that depend on the direction (readOnly, writeOnly).
SCHEMA = (WORDS | vocabulary("validation", "meta-data", "format-annotation") | {"not", "contains", "propertyNames"}) - {
    *("enum", "required"),
    *("readOnly", "writeOnly"),
}

# In other objects: keywords for the service, for the overlay (servers, security), and for calls that no client makes.
OTHERS = {
    "OpenAPI": {"openapi", "servers", "security", "tags", "webhooks"},
    "Components": {"securitySchemes", "headers", "links", "examples", "callbacks", "pathItems"},
    "Info": {"version", "license", "contact", "termsOfService"},
    "Operation": {"callbacks"},
    # The parser reads these together. If it does not, the reason is another keyword of the parameter.
    "Parameter": {"name", "in", "required"},
    "Response": {"headers", "links"},
}

# The default style, by the location of the parameter.
STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}


def may_be_passed_over(kind: str, keyword: str) -> bool:
    if kind == "Reference":
        return keyword in SCHEMA - {"type"}
    return keyword in (SCHEMA if kind == "Schema" else WORDS | OTHERS.get(kind, set()))
