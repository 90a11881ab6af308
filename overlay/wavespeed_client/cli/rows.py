"""Read the inputs of a batch from CSV, JSON Lines or a JSON list. Columns that begin with @ are files."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from ..batch.attached import taken
from ..errors import InvalidInputError
from .fields import Field, FieldError, Kind, input_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..catalogue.schema import Facts

STDIN = "-"
# Characters; prompts may be long, and a cell may contain JSON.
LARGEST_CELL = 2**24

Row = dict[str, Any]


def read_rows(source: str) -> list[tuple[int, Row]]:
    """Read the rows of a file, or of stdin for "-", with their line numbers.

    Raises:
        UsageError: The file cannot be read, or is neither CSV nor JSON; the message names the line.
    """
    try:
        content = sys.stdin.buffer.read() if source == STDIN else Path(source).read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise click.UsageError(f"{source}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{source} is not UTF-8 text ({error}): save it as UTF-8.") from error
    begin = text.lstrip()[:1]
    rows = _json_list(text) if begin == "[" else _json_lines(text) if begin == "{" else _csv(text)
    try:
        return list(rows)
    except csv.Error as error:
        raise click.UsageError(f"{source} is not valid CSV: {error}.") from error


def inputs_of(rows: list[tuple[int, Row]], facts: Facts | None, folder: Path) -> list[dict[str, Any]]:
    """Build an input from each row.

    Args:
        rows: The rows, with their line numbers.
        facts: The facts of the model's schema, for the cells of CSV.
        folder: The folder that the paths of files are relative to.

    Raises:
        UsageError: A cell does not fit the schema, or a file does not exist; the message names the line.
    """
    return [_input(number, row, facts, folder) for number, row in rows]


def is_text(rows: list[tuple[int, Row]]) -> bool:
    """Return whether the rows come from CSV, so that their types depend on the model's schema."""
    return any(isinstance(value, _Cell) for _, row in rows for value in row.values())


class _Cell(str):
    """A cell of CSV. The model's schema decides its type."""

    __slots__ = ()


def _input(number: int, row: Row, facts: Facts | None, folder: Path) -> dict[str, Any]:
    try:
        input = input_of([field for name, value in row.items() for field in _fields(name, value)], facts, folder)
        taken(input)
    except FieldError as error:
        raise click.UsageError(f"Line {number}: {error.in_a_file}") from None
    except (click.UsageError, InvalidInputError) as error:
        raise click.UsageError(f"Line {number}: {error}") from None
    return input


def _fields(name: str, value: Any) -> list[Field]:
    if name.startswith("@"):
        return [Field(name[1:], "=@", path) for path in _paths(name, value)]
    kind: Kind = "=" if isinstance(value, _Cell) else ":="
    return [Field(name, kind, value if kind == "=" else json.dumps(value))]


def _paths(name: str, value: Any) -> list[str]:
    paths: list[Any] = value
    if not isinstance(value, list):
        paths = [value]
    if not all(isinstance(path, str) for path in paths):
        raise click.UsageError(f"{name} must be a path or a list of paths, not {json.dumps(value)[:80]}.")
    return paths


def _csv(text: str) -> Iterator[tuple[int, Row]]:
    csv.field_size_limit(LARGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    first = next(reader, None)
    names = [name.strip() for name in first or ()]
    doubled = {name for name in names if names.count(name) > 1}
    if not all(name.strip("@") for name in names) or doubled:
        what = f"the column {min(doubled)!r} occurs twice" if doubled else "a column has no name"
        raise click.UsageError(f"Line 1 must contain the names of the fields, but {what}.")
    for cells in reader:
        if len(cells) > len(names):
            raise click.UsageError(
                f"Line {reader.line_num} has {len(cells)} cells, but line 1 has only {len(names)}: quote cells that "
                "contain commas."
            )
        if any(cells):
            yield reader.line_num, {name: _Cell(cell) for name, cell in zip(names, cells, strict=False) if cell}


def _json_lines(text: str) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _row(number, _loaded(line, f"Line {number}"))


def _json_list(text: str) -> Iterator[tuple[int, Row]]:
    for number, row in enumerate(_loaded(text, "The list"), 1):
        yield number, _row(number, row)


def _loaded(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"{what} is not JSON: {error}.") from error


def _row(number: int, row: object) -> Row:
    if not isinstance(row, dict):
        raise click.UsageError(f'Line {number} must be a JSON object such as {{"prompt": "a cat"}}.')
    return cast("Row", row)
