"""Check inputs against the loaded models."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from jsonschema import Draft202012Validator, ValidationError, validators

from ..arguments import STREAM
from ..catalogue.schema import with_inner
from .schemas import FORMATS, faults_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..catalogue.schema import Facts

# Fields of the API, not of a model: unless a model lists them, only the contract checks them.
API_FIELDS = (STREAM, "webhook_url")


class Inputs:
    """The inputs of the loaded models. Accepts whatever a model's facts do not describe.

    Attributes:
        facts: The facts of each model, by its id.
    """

    def __init__(self) -> None:
        self.facts: dict[str, Facts] = {}
        self._validators: dict[str, Any] = {}  # Any: the stubs of jsonschema are typed in part

    def load(self, models: Mapping[str, Facts]) -> None:
        """Add models; replace those with the same ids."""
        self.facts |= models
        for model, facts in models.items():
            self._validators[model] = InputValidator(_checkable(facts), format_checker=FORMATS)

    def faults(self, model: str, input: Mapping[str, Any]) -> Iterator[str]:
        """Yield the errors of an input; none for a model that was not loaded."""
        if model in self.facts:
            listed = self.facts[model].get("properties", {})
            fields = {name: value for name, value in input.items() if name not in API_FIELDS or name in listed}
            yield from dict.fromkeys(faults_of(self._validators[model], fields))  # a rule may repeat a field's error


def _checkable(facts: Facts) -> Facts:
    """Return facts without what cannot be checked.

    Rules such as `not` and `oneOf` are dropped if anything inside them was: they would refuse valid inputs.
    """
    readable = {key: value for key, value in facts.items() if _is_readable(key, value)}
    kept = with_inner(readable, _checkable)
    strict: list[str] = [key for key in ("not", "oneOf", "if") if key in facts]
    lost: set[str] = {key for key in strict if kept[key] != facts[key] or _is_open(facts[key])}
    lost |= {"then", "else"} if "if" in lost else set()
    if not all(map(_is_pattern, facts.get("patternProperties", ()))):
        lost |= {"patternProperties", "additionalProperties"}
    return {key: value for key, value in kept.items() if key not in lost}


def _is_readable(key: str, value: Any) -> bool:
    if key == "pattern":
        return _is_pattern(value)
    return key != "multipleOf" or value > 0


def _is_open(rule: Facts | list[Facts]) -> bool:
    """Return whether a rule, or one of its forms, is empty."""
    return {} in rule if isinstance(rule, list) else not rule


def _is_pattern(text: str) -> bool:
    """Return whether a pattern, written for JavaScript, is also valid in Python."""
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError, Warning):  # tests may turn warnings into errors
        return False
    return True


def _multiple_of(validator: Any, step: float, value: Any, schema: Facts) -> Iterator[ValidationError]:
    """Check `multipleOf` in decimal, where 0.3 is a multiple of 0.1."""
    if not validator.is_type(value, "number"):
        return
    if (isinstance(value, float) and math.isinf(value)) or Fraction(str(value)) % Fraction(str(step)):
        yield ValidationError(f"{value!r} is not a multiple of {step!r}")


# Any: jsonschema's stubs do not cover it.
InputValidator = cast("Any", validators).extend(Draft202012Validator, {"multipleOf": _multiple_of})
