"""Format tasks and amounts."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from .escapes import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..catalogue.rows import Price
    from ..task import Task

CENT, MICRO = Decimal("0.01"), Decimal("0.000001")


def task_record(task: Task) -> dict[str, Any]:
    """Return a task as a JSON object."""
    return {
        "id": task.id,
        "model": task.model,
        "status": task.status,
        "outputs": list(task.outputs),
        "urls": list(task.urls),
        "error": task.error,
        "code": task.code,
        "created_at": task.created_at.isoformat() if task.created_at else None,
        "inference_ms": task.inference_ms,
    }


def task_line(task: Task) -> str:
    """Return a task on one line that begins with its id."""
    words = [task.id, task.status, task.model]
    words += [f"{task.created_at:%Y-%m-%dT%H:%M:%SZ}"] if task.created_at else []
    return one_line("  ".join(filter(None, [*words, task.error])))


def output_lines(task: Task) -> list[str]:
    """Return a task's outputs: URLs and text unchanged, objects as JSON."""
    return [output if isinstance(output, str) else json.dumps(output) for output in task.outputs]


def dollars(amount: float | Decimal) -> str:
    """Format an amount of USD with two decimals, or up to six below one dollar."""
    exact = Decimal(repr(amount)) if isinstance(amount, float) else Decimal(amount)
    whole = f"{abs(exact).quantize(CENT if abs(exact) >= 1 else MICRO, ROUND_HALF_UP):f}"
    units, _, fraction = whole.partition(".")
    return f"{'-' if exact < 0 else ''}${units}.{fraction[:2]}{fraction[2:].rstrip('0')}"


def price_text(price: Price) -> str:
    """Format the price that the account pays."""
    if price.currency in (None, "USD"):
        return dollars(price.discounted_price)
    return f"{price.discounted_price:g} {price.currency}"


def total(amounts: Iterable[float]) -> Decimal:
    """Add up amounts exactly, in decimal."""
    return sum((Decimal(repr(float(amount))) for amount in amounts), Decimal(0))
