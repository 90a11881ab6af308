"""What the catalogue says of a model."""

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
    """Return what the catalogue says of a model's input; None, with a message, if it says nothing or cannot be asked.

    Raises:
        WaveSpeedError: What any request would meet.
    """
    model_id(model)
    try:
        rows = {row.model_id: row for row in ws.models()}
        if model not in rows:
            raise unknown_model(model, rows)
    except (AuthenticationError, ConfigurationError):
        raise
    except WaveSpeedError as error:
        printer.tell(f"{error} So all values of the input are sent as text, but for those of NAME:=JSON.")
        return None
    facts = input_facts(rows[model].raw)
    if facts is None:
        printer.tell(f"The catalogue does not say what {model} takes, so values are sent as text.")
    return facts
