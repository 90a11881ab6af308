"""Which keywords a generator may ignore: they only describe, or it is for the service to enforce them.

The names come from the vocabularies of JSON Schema, as their authors publish them.
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

# In schemas: what annotates, and what a value may be refused for, which is the service's to do. Not what the generator
# makes types and arguments of elsewhere (enum, required), nor what changes with the direction (readOnly, writeOnly).
SCHEMA = (WORDS | vocabulary("validation", "meta-data", "format-annotation") | {"not", "contains", "propertyNames"}) - {
    *("enum", "required"),
    *("readOnly", "writeOnly"),
}

# In other objects: what the service does, what the overlay does (servers, security), and what the client never calls.
OTHERS = {
    "OpenAPI": {"openapi", "servers", "security", "tags", "webhooks"},
    "Components": {"securitySchemes", "headers", "links", "examples", "callbacks", "pathItems"},
    "Info": {"version", "license", "contact", "termsOfService"},
    "Operation": {"callbacks"},
    # The parser reads them together: where it does not, another keyword of the parameter is the reason.
    "Parameter": {"name", "in", "required"},
    "Response": {"headers", "links"},
}

# The default style, by where the parameter is.
STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}


def may_be_passed_over(kind: str, keyword: str) -> bool:
    if kind == "Reference":
        return keyword in SCHEMA - {"type"}
    return keyword in (SCHEMA if kind == "Schema" else WORDS | OTHERS.get(kind, set()))
