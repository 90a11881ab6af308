"""Rows in pyarrow tables. pyarrow is loaded only when there is a table."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, InvalidInputError
from .columns import named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .rows import Look


def check_table(table: object) -> None:
    """Check that this is a pyarrow table.

    Raises:
        ConfigurationError: It is not, or pyarrow is not installed.
    """
    if not isinstance(table, _pyarrow().Table):
        raise ConfigurationError(
            f'This takes tables of pyarrow, not {type(table).__name__}: pass batch_format="pyarrow" to map_batches. '
            "For an iterable of dicts use .rows."
        )


def looks(table: Any, needed: Sequence[str]) -> list[Look]:
    """Return a function for each row of a table that looks up these columns.

    Raises:
        ConfigurationError: There is no such column, or there are several.
    """
    if not table.num_rows:  # a table without rows may lack columns, too
        return []
    names = table.column_names
    for name in needed:
        if names.count(name) != 1:
            number = "several columns" if name in names else "no column"
            raise ConfigurationError(f"The table has {number} {name!r}; its columns are {', '.join(names)}.")
    columns = {name: table.column(name) for name in needed}
    return [_look(columns, number) for number in range(table.num_rows)]


def with_columns(table: Any, found: Sequence[Mapping[str, Any]], kinds: Mapping[str, str], prefix: str) -> Any:
    """Return a table with more columns."""
    pyarrow = _pyarrow()
    types = {
        "string": pyarrow.string(),
        "list": pyarrow.list_(pyarrow.string()),
        "bool": pyarrow.bool_(),
        "double": pyarrow.float64(),
        "time": pyarrow.timestamp("us", tz="UTC"),
    }
    for name, kind in named(kinds, prefix).items():
        values = [columns[name.removeprefix(prefix)] for columns in found]
        table = table.append_column(name, pyarrow.array(values, types[kind]))
    return table


def _look(columns: Mapping[str, Any], number: int) -> Look:
    def look(column: str) -> object:
        try:
            return columns[column][number].as_py()
        except Exception as error:  # such as a time that Python cannot represent
            raise InvalidInputError(f"The value in the column {column!r} cannot be read: {error}") from error

    return look


def _pyarrow() -> Any:
    try:
        return import_module("pyarrow")
    except ImportError as error:
        message = f"Tables need pyarrow: pip install 'wavespeed-client[distributed]' ({error})"
        raise ConfigurationError(message) from error
