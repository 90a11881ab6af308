"""The stand-in's models, prices, usage and billings, computed from its submissions."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..catalogue.schema import Facts

PRICE = 0.012
PROMPT = {"type": "object", "required": ["prompt"], "properties": {"prompt": {"type": "string"}}}


def model_row(model: str, facts: Facts | None) -> dict[str, Any]:
    """Return a model's row of the catalogue, with the schema of its input if one was loaded."""
    schema = PROMPT if facts is None else facts
    run = {"type": "model_run", "method": "POST", "server": "https://api.wavespeed.ai"}
    return {
        "model_id": model,
        "name": model,
        "type": "text-to-image",
        "base_price": PRICE,
        "description": "A model of the stand-in.",
        "sort_order": 100,
        "api_schema": {"api_schemas": [{**run, "api_path": f"/api/v3/{model}", "request_schema": schema}]},
    }


def price(model: str) -> dict[str, Any]:
    """Return the price of a task, with a discount of 10 percent."""
    discounted = {"discounted_price": round(PRICE * 0.9, 6), "discount_rate": 90}
    return {"model_id": model, "price": PRICE, "currency": "USD", **discounted}


def usage(submissions: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return usage totals of submissions, given as pairs of model and day."""
    kind = {"model_type": "text-to-image", "unit_price": PRICE}
    models = [
        {"model_uuid": model, **kind, "total_cost": PRICE * count, "total_count": count}
        | {"last_used_date": max(day for name, day in submissions if name == model)}
        for model, count in sorted(Counter(model for model, _ in submissions).items())
    ]
    days = [
        {"date": day, **_amount(count), "models": _of_day(day, submissions)}
        for day, count in sorted(Counter(day for _, day in submissions).items())
    ]
    total = len(submissions)
    summary = {"total_cost": PRICE * total, "total_requests": total, "success_requests": total}
    return {"per_model_usage": models or None, "daily_usage": days or None, "summary": summary}


def _of_day(wanted: str, submissions: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    counts = Counter(model for model, day in submissions if day == wanted)
    return [{"model_uuid": model, **_amount(count)} for model, count in sorted(counts.items())]


def _amount(count: int) -> dict[str, Any]:
    return {"amount": PRICE * count, "count": count}


def billing(task_id: str, model: str, status: str, created_at: str) -> dict[str, Any]:
    """Return the billing record of a task."""
    return {
        "uuid": f"bill-{task_id}",
        "access_key_id": 1,
        "access_key_name": "test",
        "billing_type": "deduct",
        "price": PRICE,
        "created_at": created_at,
        "updated_at": created_at,
        "order": {"uuid": f"order-{task_id}", "state": "done", "price": PRICE, "origin_price": PRICE},
        "prediction": {"uuid": task_id, "model_uuid": model, "status": status},
    }
