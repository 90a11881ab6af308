"""Cache the catalogue of models for an hour."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

from attrs import field, frozen

from ..errors import InvalidModelError
from .model_info import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .rows import Model

KEPT_SECONDS = 3600.0


@frozen
class Catalogue:
    """The models of the last response, as a cache.

    Attributes:
        requested_at: When the client requested them, by its clock.
    """

    requested_at: float = -math.inf
    _models: dict[str, Model] = field(factory=dict[str, "Model"], repr=False)

    @classmethod
    def of(cls, models: Iterable[Model], requested_at: float) -> Self:
        """Build a cache of these models."""
        return cls(requested_at, {model.model_id: model for model in models})

    def is_kept(self, now: float) -> bool:
        """Return whether the cache is recent enough to use. An empty one never is."""
        return bool(self._models) and now - self.requested_at < KEPT_SECONDS

    def info(self, model: str) -> ModelInfo:
        """Return a model and the fields of its input.

        Raises:
            InvalidModelError: There is no such model; the message names three close ones.
        """
        if model not in self._models:
            raise unknown_model(model, self._models)
        return ModelInfo.of(self._models[model])


def near(model: str, models: Iterable[str]) -> str:
    """Return the three ids most similar to this one, for an error message."""
    from difflib import get_close_matches  # loaded only for an error

    folded = {each.lower(): each for each in models}
    close = get_close_matches(model.lower(), folded, 3, cutoff=0)
    return ", ".join(folded[each] for each in close) or "none"


def unknown_model(model: str, models: Iterable[str]) -> InvalidModelError:
    """Return the error for a model that the catalogue does not have."""
    return InvalidModelError(f"There is no model {model}. Close to it: {near(model, models)}.")
