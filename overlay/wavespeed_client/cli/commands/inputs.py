"""Show what a model takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ..options import connected, model_argument, prints

if TYPE_CHECKING:
    from ...schema import Facts
    from ..printer import Printer

EXAMPLE = """\b
Example:
  $ wavespeed-client inputs wavespeed-ai/flux-dev"""

MOST_CHOICES = 12


@click.command(epilog=EXAMPLE)
@model_argument
@prints
def command(printer: Printer, model: str) -> None:
    """Show the fields of a model's input: type, default, limits and choices. One request.

    A star marks a field that is required, @ one in whose place a file may stand.
    """
    from ...schema import input_facts
    from ..catalogue import model_named
    from ..tables import table

    with connected(printer) as ws:
        row = model_named(ws, model)
    facts = input_facts(row.raw) or {}
    properties: dict[str, Facts] = facts.get("properties", {})
    order: list[str] = list(facts.get("order") or sorted(properties))
    if not properties:
        printer.tell(f"The catalogue does not say what {model} takes.")
    required = set(facts.get("required", ()))
    order.sort(key=lambda name: name not in required)
    rows = [_row(name, properties[name], name in required) for name in order]
    records = [_record(name, properties[name], name in required) for name in order]
    record = {"model": row.model_id, "type": row.type_, "base_price": row.base_price, "inputs": records}
    printer.result(record, table(rows))


def _row(name: str, facts: Facts, required: bool) -> tuple[str, ...]:
    from ...schema import is_file
    from ..fields import kinds_of

    marks = ("*" if required else "") + ("@" if is_file(facts) else "")
    return name + marks, " or ".join(kinds_of(facts)), _limits(facts), facts.get("description", "")


def _record(name: str, facts: Facts, required: bool) -> dict[str, object]:
    from ...schema import is_file
    from ..fields import kinds_of

    record: dict[str, object] = {"name": name, "type": kinds_of(facts), "required": required, "file": is_file(facts)}
    told = {"default": "default", "choices": "enum", "minimum": "minimum", "maximum": "maximum"}
    return record | {key: facts.get(fact) for key, fact in told.items()} | {"description": facts.get("description")}


def _limits(facts: Facts) -> str:
    """Return what a value may be, and what it is where it is left out."""
    words: list[str] = []
    if "default" in facts:
        words.append(f"= {_text(facts['default'])}")
    if "minimum" in facts or "maximum" in facts:
        words.append(f"{facts.get('minimum', '')}..{facts.get('maximum', '')}")
    choices = facts.get("enum", ())
    words += ["|".join(map(_text, choices[:MOST_CHOICES])) + ("|..." if len(choices) > MOST_CHOICES else "")]
    return "  ".join(filter(None, words))


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
