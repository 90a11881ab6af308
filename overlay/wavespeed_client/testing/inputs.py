"""Inputs: what the models that were loaded take, and what is wrong with an input of one of them."""

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

# Fields of the call and not of a model: where a model does not list them, they are the contract's alone.
CALLS_OWN = (STREAM, "webhook_url")


class Inputs:
    """The inputs of models, by their facts. What facts leave open is accepted."""

    def __init__(self) -> None:
        self._facts: dict[str, Facts] = {}
        self._judges: dict[str, Any] = {}  # Any: the stubs of jsonschema are typed in part

    def load(self, models: Mapping[str, Facts]) -> None:
        """Add models, in place of those of their ids."""
        self._facts |= models
        self._judges |= {model: Judge(_judged(facts), format_checker=FORMATS) for model, facts in models.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def facts(self, model: str) -> Facts | None:
        """Return what was loaded of a model."""
        return self._facts.get(model)

    def faults(self, model: str, input: Mapping[str, Any]) -> Iterator[str]:
        """Say what is wrong with an input; nothing is, for a model that was not loaded."""
        if model in self._facts:
            listed = self._facts[model].get("properties", {})
            fields = {name: value for name, value in input.items() if name not in CALLS_OWN or name in listed}
            yield from dict.fromkeys(faults_of(self._judges[model], fields))  # a rule may repeat what a field says


def _judged(facts: Facts) -> Facts:
    """Return facts without what cannot be judged; nor rules that refuse more, the less is left of them."""
    readable = {key: value for key, value in facts.items() if _is_readable(key, value)}
    kept = with_inner(readable, _judged)
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
    """Tell whether nothing is known of a rule, or of one of its forms."""
    return {} in rule if isinstance(rule, list) else not rule


def _is_pattern(text: str) -> bool:
    """Tell whether a pattern, which is written for another language, is one in Python, too."""
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError, Warning):  # a test may run with its warnings as errors
        return False
    return True


def _multiple_of(judge: Any, step: float, value: Any, schema: Facts) -> Iterator[ValidationError]:
    """Tell by decimal digits, in which 0.3 is a multiple of 0.1."""
    if not judge.is_type(value, "number"):
        return
    if (isinstance(value, float) and math.isinf(value)) or Fraction(str(value)) % Fraction(str(step)):
        yield ValidationError(f"{value!r} is not a multiple of {step!r}")


# Any: the stubs of jsonschema do not know it.
Judge = cast("Any", validators).extend(Draft202012Validator, {"multipleOf": _multiple_of})
