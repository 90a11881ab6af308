"""Convert outcomes to columns that are added to rows. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ..errors import ConfigurationError, SubmissionUncertainError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..batch.outcome import Outcome

# The added columns in their order, with the kinds of their values.
GENERATED = {
    "task_id": "string",
    "status": "string",
    "outputs": "list",
    "error": "string",
    "error_type": "string",
    "uncertain": "bool",
    "inference_ms": "double",
    "created_at": "time",
}
SAVED = {"saved": "list", "save_error": "string"}


def outcome_columns(outcome: Outcome) -> dict[str, Any]:
    """Return the columns of an outcome."""
    task = outcome.task
    columns = error_columns(outcome.error)
    if task is not None:
        columns |= {
            "task_id": task.id,
            "status": sound(task.status),
            "outputs": [sound(text_of(output)) for output in task.outputs],
            "inference_ms": task.inference_ms,
            "created_at": task.created_at,
        }
    return columns


def error_columns(error: Exception | None) -> dict[str, Any]:
    """Return the columns of a row without a task."""
    columns: dict[str, Any] = {**dict.fromkeys(GENERATED), "outputs": [], "uncertain": False}
    if error is not None:
        columns |= {"error": sound(str(error)), "error_type": type(error).__name__}
    if isinstance(error, SubmissionUncertainError):
        columns |= {"uncertain": True, "task_id": error.task_id}
    return columns


def text_of(output: str | dict[str, Any]) -> str:
    """Return an output as text: an object as JSON."""
    return output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)


def output_of(text: str) -> str | dict[str, Any]:
    """Return the output from its text. The inverse of `text_of`."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return cast("dict[str, Any]", found) if isinstance(found, dict) else text


def sound(text: str) -> str:
    """Return a text that every format can hold: half of a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def named(columns: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return columns with a prefix before their names."""
    return {prefix + name: value for name, value in columns.items()}


def joined(rows: Sequence[object], found: Sequence[Mapping[str, Any]], prefix: str) -> list[dict[str, Any]]:
    """Return rows with columns added. A row that is not a mapping is replaced by its added columns."""
    return [{**columns_of(row), **named(columns, prefix)} for row, columns in zip(rows, found, strict=True)]


def columns_of(row: object) -> Mapping[str, Any]:
    """Return the columns of a row; none if it is not a mapping."""
    return cast("Mapping[str, Any]", row) if isinstance(row, Mapping) else {}


def refuse_clashes(there: Iterable[object], ours: Iterable[str], prefix: str) -> None:
    """Check that rows do not have any of the added columns yet.

    Raises:
        ConfigurationError: They have such a column; the message names it.
    """
    names = set(there)
    for name in ours:
        if prefix + name in names:
            raise ConfigurationError(
                f"The rows have a column {prefix + name!r} already: give it another name, drop it, or pass "
                f"prefix={prefix + 'ws_'!r}, which goes before the names of all columns that are added."
            )
