"""What the catalogue says of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..arguments import model_id, unknown_model
from ..errors import AuthenticationError, ConfigurationError, WaveSpeedError
from ..schema import input_facts

if TYPE_CHECKING:
    from ..client import WaveSpeed
    from ..rows import Model
    from ..schema import Facts
    from .printer import Printer


def model_named(ws: WaveSpeed, model: str) -> Model:
    """Look a model up. One request, about 2 MB.

    Raises:
        InvalidModelError: There is none of this id; the message names three that are close.
    """
    rows = {row.model_id: row for row in ws.models()}
    if model_id(model) in rows:
        return rows[model]
    raise unknown_model(model, rows)


def facts_for(printer: Printer, ws: WaveSpeed, model: str) -> Facts | None:
    """Return what the catalogue says of a model's input; None, with a message, if it says nothing or cannot be asked.

    Raises:
        WaveSpeedError: What any request would meet.
    """
    model_id(model)
    try:
        facts = input_facts(model_named(ws, model).raw)
    except (AuthenticationError, ConfigurationError):
        raise
    except WaveSpeedError as error:
        printer.tell(f"{error} So all values of the input are sent as text, but for those of NAME:=JSON.")
        return None
    if facts is None:
        printer.tell(f"The catalogue does not say what {model} takes, so values are sent as text.")
    return facts
