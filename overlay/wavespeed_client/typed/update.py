"""Update a lock from the catalogue, and find what has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from ..arguments import model_id
from ..catalogue.catalogue import near, unknown_model
from ..catalogue.literals import seen
from ..catalogue.schema import input_facts
from ..errors import InvalidInputError, InvalidModelError
from .compare import Change, Level, compare
from .render import definitions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..catalogue.schema import Facts
    from .lock import Lock

# The facts of each model's input; None for a model whose input is not described.
Catalogue = dict[str, "Facts | None"]


@frozen
class ModelChange:
    """A change of one model."""

    model: str
    change: Change

    def __str__(self) -> str:
        return seen(f"{self.change.level!s:10} {self.model}: {self.change}")

    def as_json(self) -> dict[str, str]:
        """Return the fields of a JSON object."""
        change = self.change
        return {"model": self.model, "level": str(change.level), "where": change.where, "what": change.what}


def catalogue_of(rows: Iterable[Mapping[str, Any]]) -> Catalogue:
    """Return the facts of each row. Rows without a valid model id are skipped."""
    found: Catalogue = {}
    for row in rows:
        try:
            found[model_id(row["model_id"])] = input_facts(row)
        except InvalidModelError:
            continue
    return found


def described(catalogue: Catalogue) -> list[str]:
    """Return the models whose input is described."""
    return [model for model, facts in catalogue.items() if facts is not None]


def updated(lock: Lock, catalogue: Catalogue, models: Iterable[str] = ()) -> Lock:
    """Return the lock with these models added and the others updated. Models that left the catalogue are kept.

    Raises:
        InvalidInputError: The catalogue does not have a model (the message suggests similar ids), or does not describe
            its input.
    """
    known = dict(lock.models)
    for model in models:
        known.setdefault(model, _facts(model, catalogue))
    facts = {model: catalogue.get(model) or was for model, was in known.items()}
    return evolve(lock, models={model: lock.kept(each) for model, each in facts.items()})


def _facts(model: str, catalogue: Catalogue) -> Facts:
    if model not in catalogue:
        raise unknown_model(model_id(model), catalogue)
    facts = catalogue[model]
    if facts is None:
        raise InvalidInputError(f"The catalogue does not describe the input of {model}: call run({model!r}, input).")
    return facts


def without(lock: Lock, models: Iterable[str]) -> Lock:
    """Return the lock without these models.

    Raises:
        InvalidInputError: A model is not in the lock.
    """
    kept = dict(lock.models)
    for model in models:
        if kept.pop(model, None) is None:
            raise InvalidInputError(f"{model} is not in the file. Close to it: {near(model, lock.models)}.")
    return evolve(lock, models=kept)


def changes(lock: Lock, catalogue: Catalogue) -> list[ModelChange]:
    """Return the changes of the models in a lock, sorted by model id."""
    return [
        ModelChange(model, change)
        for model in sorted(lock.models)
        for change in _changes(model, lock.models[model], catalogue, lock)
    ]


def _changes(model: str, old: Facts, catalogue: Catalogue, lock: Lock) -> Iterator[Change]:
    new = catalogue.get(model)
    if new is None:
        what = "is no longer described in the catalogue" if model in catalogue else "is no longer in the catalogue"
        yield Change(Level.BREAKING, "", what)
        return
    new = lock.kept(new)
    yield from compare(old, new)
    for name in sorted(definitions(model, old).keys() - definitions(model, new).keys()):
        yield Change(Level.BREAKING, "", f"no longer has the name {name}")
