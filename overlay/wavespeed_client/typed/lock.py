"""The lock beside a written file: the facts that the file is rendered from, as JSON."""

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
    """What a file is rendered from.

    Attributes:
        models: The facts of each model's input, by the model's id.
        descriptions: Whether they hold the service's descriptions.
    """

    models: dict[str, Facts]
    descriptions: bool = True

    def kept(self, facts: Facts) -> Facts:
        """Return what this lock keeps of a model's facts."""
        return facts if self.descriptions else without_words(facts)

    def text(self) -> str:
        """Return the lock's text, which is the same for the same models whatever their order."""
        held = {"format": FORMAT, "descriptions": self.descriptions, "models": self.models}
        return UNSEEN.sub(_escaped, json.dumps(held, ensure_ascii=False, sort_keys=True, indent=1) + "\n")


def _escaped(match: re.Match[str]) -> str:
    return match[0] if match[0] == "\n" else json.dumps(match[0])[1:-1]


def lock_path(file: Path) -> Path:
    """Return where the lock of a file is."""
    return file.with_suffix(ENDING)


def read_lock(path: Path) -> Lock:
    """Read a lock.

    Raises:
        InvalidInputError: There is none, or it cannot be read; the message says what to do.
    """
    try:
        held: Any = json.loads(path.read_text("utf-8-sig"))
        if held["format"] != FORMAT:
            raise InvalidInputError(f"{path} is of another format: write it with the version that is installed.")
        models = cast("dict[str, object]", held["models"]).items()
        return Lock({model_id(name): _facts(facts) for name, facts in models}, held["descriptions"] is True)
    except FileNotFoundError:
        raise InvalidInputError(
            f"There is no {path}: `python -m wavespeed_client.typed` writes it, by naming a model, or with --all."
        ) from None
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}.") from None
    except (InvalidModelError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, InvalidInputError) and not isinstance(error, InvalidModelError):
            raise
        raise InvalidInputError(
            f"{path} is no lock of `python -m wavespeed_client.typed`, or is damaged: restore it (after a conflict, "
            f"one side of it) and name what is missing, or delete it and {path.name.removesuffix(ENDING)}.py and name "
            "all models."
        ) from None


def _facts(stored: object) -> Facts:
    facts = facts_of(stored)
    if facts is None:
        raise ValueError("it describes no input")
    return facts
