"""The hand-written document, read once, and the way from it to the generated code."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from io import BytesIO
from typing import Any

from tests.conftest import hand_written

SPEC = hand_written()
SCHEMAS: dict[str, Any] = SPEC["components"]["schemas"]

# What the stand-in calls the responses to each operation.
KINDS: dict[str, Any] = {
    "submit_task": "submit",
    "submit_task_variant": "submit",
    "get_result": "poll",
    "get_prediction": "poll",
    "list_predictions": "list",
    "delete_predictions": "delete",
    "create_upload": "upload",
    "upload_binary": "binary",
    "list_models": "models",
    "get_price": "price",
    "get_balance": "balance",
    "get_usage": "usage",
    "search_billings": "billings",
    "get_webhook_secret": "secret",
}


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = SPEC
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        node = target
    return node


def operations() -> Iterator[dict[str, Any]]:
    """Return every operation, with its method, its path and its parameters resolved."""
    for path, item in SPEC["paths"].items():
        for method, operation in item.items():
            parameters = [resolved(parameter) for parameter in operation.get("parameters", [])]
            yield {**operation, "method": method.upper(), "path": path, "parameters": parameters}


OPERATIONS: dict[str, dict[str, Any]] = {operation["operationId"]: operation for operation in operations()}


def values(media: dict[str, Any]) -> Iterator[Any]:
    """Return the examples of a body."""
    if "example" in media:
        yield media["example"]
    for example in media.get("examples", {}).values():
        yield example["value"]


def module(operation: str) -> Any:
    """Return the generated endpoint module."""
    (tag,) = OPERATIONS[operation]["tags"]
    return import_module(f"wavespeed_api.api.{tag}.{operation}")


def parameters(operation: str, where: str) -> dict[str, str]:
    """Return the spec's own examples of an operation's path or query parameters."""
    described = OPERATIONS[operation]["parameters"]
    return {parameter["name"]: parameter["example"] for parameter in described if parameter["in"] == where}


def bodies(operation: str) -> Iterator[dict[str, Any]]:
    """Return the arguments that hold the body, one set for each of the spec's examples of it."""
    # Imported late, so that the document can be read before any generated code.
    from wavespeed_api import models
    from wavespeed_api.types import File

    content = resolved(OPERATIONS[operation].get("requestBody", {})).get("content", {})
    for content_type, media in content.items():
        model = getattr(models, media["schema"]["$ref"].rpartition("/")[2])
        if content_type == "multipart/form-data":
            file = File(payload=BytesIO(b"bytes"), file_name="harbour.jpeg", mime_type="image/x-harbour")
            yield {"body": model(file=file)}
        else:
            yield from ({"body": model.from_dict(value)} for value in values(media))
    if not content:
        yield {}


def example_response(operation: str) -> Any:
    """Return the spec's first example of a good response."""
    return next(values(resolved(OPERATIONS[operation]["responses"]["200"])["content"]["application/json"]))


def response_model(operation: str, status: int) -> Any:
    """Return the generated model that a response with this status is read into."""
    from wavespeed_api import models

    responses = OPERATIONS[operation]["responses"]
    described = responses.get(str(status)) or responses[f"{status // 100}XX"]
    media = resolved(described)["content"]["application/json"]
    return getattr(models, media["schema"]["$ref"].rpartition("/")[2])
