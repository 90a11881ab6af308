"""Look up a model's input in the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..arguments import model_id
from ..catalogue.catalogue import unknown_model
from ..catalogue.schema import input_facts
from ..errors import AuthenticationError, ConfigurationError, WaveSpeedError

if TYPE_CHECKING:
    from ..catalogue.schema import Facts
    from ..client import WaveSpeed
    from .printer import Printer


def facts_for(printer: Printer, ws: WaveSpeed, model: str) -> Facts | None:
    """Return the facts about a model's input. One request.

    If the catalogue does not have them, print a message and return None; values are then sent as text.

    Raises:
        InvalidModelError: The catalogue does not have the model.
        AuthenticationError, ConfigurationError: No request of this account would succeed.
    """
    model_id(model)
    try:
        rows = {row.model_id: row for row in ws.models()}
        if model not in rows:
            raise unknown_model(model, rows)
    except (AuthenticationError, ConfigurationError):
        raise
    except WaveSpeedError as error:
        printer.message(f"{error} Without the model's schema, values are sent as text; use NAME:=JSON for others.")
        return None
    facts = input_facts(rows[model].raw)
    if facts is None:
        printer.message(f"The catalogue has no schema of {model}: values are sent as text; use NAME:=JSON for others.")
    return facts
