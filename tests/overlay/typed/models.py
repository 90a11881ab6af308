"""Synthetic models, with every keyword and oddity that schemas of the catalogue have."""

from __future__ import annotations

from typing import Any

# The models that type checkers see in these tests.
PAINT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["prompt"],
    "x-order-properties": ["prompt", "image", "images", "size", "steps"],
    "properties": {
        "prompt": {"type": "string", "description": "What to paint.", "maxLength": 2000, "x-ui-component": "textarea"},
        "image": {"type": "string", "x-ui-component": "uploader"},
        "images": {"type": "array", "items": {"type": "string"}, "maxItems": 3, "x-ui-component": "uploaders"},
        "size": {"type": "string", "enum": ["1024*1024", "1280*720"], "default": "1024*1024"},
        "steps": {"type": "integer", "enum": [4, 8], "default": 4},
        "seed": {"type": "integer", "minimum": -1, "maximum": 2147483647, "default": -1},
        "strength": {"type": "number", "minimum": 0, "maximum": 1},
        "weights": {"type": "array", "items": {"type": "number"}},
        "enable_safety_checker": {"type": "boolean", "default": True, "x-hidden": True},
        "loras": {
            "type": "array",
            "maxItems": 3,
            "x-ui-component": "loras",
            "items": {
                "type": "object",
                "required": ["path"],
                "properties": {
                    "path": {"type": "string"},
                    "scale": {"type": "number", "default": 1, "minimum": 0, "maximum": 4},
                    "kind": {"type": "string", "enum": ["low", "high"]},
                },
            },
        },
    },
}
SPEAK = {
    "type": "object",
    "required": ["text"],
    "properties": {
        "text": {"type": "string"},
        "voice": {"type": "string", "enum": ["ann", "bob"]},
        "class": {"type": "string"},
    },
}
MODELS = {"acme/paint-2.1/fast": PAINT, "acme/speak": SPEAK}


def row(model: str, schema: object, **others: Any) -> dict[str, Any]:
    """Return a model's row of the catalogue."""
    form = {"type": "model_run", "method": "POST", "api_path": f"/api/v3/{model}", "request_schema": schema}
    named = {"model_id": model, "name": model, "type": "text-to-image", "base_price": 0.01, "description": "A model."}
    return {**named, "sort_order": 1, "api_schema": {"api_schemas": [form]}, **others}


def rows(models: dict[str, Any] = MODELS) -> list[dict[str, Any]]:
    return [row(model, schema) for model, schema in models.items()]
