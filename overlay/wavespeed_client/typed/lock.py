"""The lock beside a generated module: the facts that the module is rendered from, as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from attrs import frozen

from ..arguments import model_id
from ..catalogue.literals import UNSEEN
from ..catalogue.schema import Facts, facts_of, without_words
from ..errors import InvalidInputError, InvalidModelError

if TYPE_CHECKING:
    import re
    from pathlib import Path

FORMAT = 1
ENDING = ".lock.json"


@frozen
class Lock:
    """The facts that a module is rendered from.

    Attributes:
        models: The facts of each model's input, by model id.
        descriptions: Whether the facts include the service's descriptions.
    """

    models: dict[str, Facts]
    descriptions: bool = True

    def kept(self, facts: Facts) -> Facts:
        """Return a model's facts, without descriptions if this lock has none."""
        return facts if self.descriptions else without_words(facts)

    def text(self) -> str:
        """Return the lock as JSON. The order of the models does not matter."""
        held = {"format": FORMAT, "descriptions": self.descriptions, "models": self.models}
        return UNSEEN.sub(_escaped, json.dumps(held, ensure_ascii=False, sort_keys=True, indent=1) + "\n")


def _escaped(match: re.Match[str]) -> str:
    return match[0] if match[0] == "\n" else json.dumps(match[0])[1:-1]


def lock_path(file: Path) -> Path:
    """Return the path of a module's lock."""
    return file.with_suffix(ENDING)


def read_lock(path: Path) -> Lock:
    """Read a lock.

    Raises:
        InvalidInputError: The lock is missing, or cannot be read.
    """
    try:
        held: Any = json.loads(path.read_text("utf-8-sig"))
        if held["format"] != FORMAT:
            raise InvalidInputError(
                f"{path} has format {held['format']!r}, this version of wavespeed-client reads {FORMAT}: install the "
                "version that wrote it, or delete it and its module and write both again."
            )
        models = cast("dict[str, object]", held["models"]).items()
        return Lock({model_id(name): _facts(facts) for name, facts in models}, held["descriptions"] is True)
    except FileNotFoundError:
        raise InvalidInputError(
            f"{path} does not exist: write it with `python -m wavespeed_client.typed FILE MODEL`."
        ) from None
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}.") from None
    except (InvalidModelError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, InvalidInputError) and not isinstance(error, InvalidModelError):
            raise
        raise InvalidInputError(
            f"{path} is damaged, or not a lock of `python -m wavespeed_client.typed`. Restore it (after a merge "
            f"conflict: one side of it, then add the other models), or delete it and "
            f"{path.name.removesuffix(ENDING)}.py and name all models again."
        ) from None


def _facts(stored: object) -> Facts:
    facts = facts_of(stored)
    if facts is None:
        raise ValueError("it does not describe an input")
    return facts
