"""The inputs of a batch, from a file: CSV, JSON Lines or a list in JSON. Columns that begin with @ are files."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from .fields import Field, Kind, input_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..catalogue.schema import Facts

STDIN = "-"
# A prompt may be long, and a cell may hold JSON.
LARGEST_CELL = 2**24

Row = dict[str, Any]


def read_rows(source: str) -> list[tuple[int, Row]]:
    """Read the rows of a file, or of stdin for -, with the numbers of their lines. Cells of CSV are text.

    Raises:
        UsageError: It cannot be read, or is neither CSV nor JSON; the message names the line.
    """
    try:
        content = sys.stdin.buffer.read() if source == STDIN else Path(source).read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise click.UsageError(f"{source}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{source} is not text in UTF-8 ({error}).") from error
    begin = text.lstrip()[:1]
    rows = _json_list(text) if begin == "[" else _json_lines(text) if begin == "{" else _csv(text)
    try:
        return list(rows)
    except csv.Error as error:
        raise click.UsageError(f"{source} is no CSV: {error}.") from error


def inputs_of(rows: list[tuple[int, Row]], facts: Facts | None, folder: Path) -> list[dict[str, Any]]:
    """Return the input that each row makes.

    Args:
        rows: The rows, with the numbers of their lines.
        facts: What the model's schema says, for the cells of CSV.
        folder: Where the paths of files begin.

    Raises:
        UsageError: A cell does not fit the schema, or names a file that is not there; the message names the line.
    """
    return [_input(number, row, facts, folder) for number, row in rows]


def is_text(rows: list[tuple[int, Row]]) -> bool:
    """Tell whether a cell is text whose type the model's schema tells."""
    return any(isinstance(value, _Cell) for _, row in rows for value in row.values())


class _Cell(str):
    """A cell of CSV: text, or what the model's schema takes it for."""

    __slots__ = ()


def _input(number: int, row: Row, facts: Facts | None, folder: Path) -> dict[str, Any]:
    try:
        return input_of([field for name, value in row.items() for field in _fields(name, value)], facts, folder)
    except click.UsageError as error:
        raise click.UsageError(f"Line {number}: {error.message}") from None


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
        raise click.UsageError(f"{name} must be the path of a file, or a list of them.")
    return paths


def _csv(text: str) -> Iterator[tuple[int, Row]]:
    csv.field_size_limit(LARGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    first = next(reader, None)
    names = [name.strip() for name in first or ()]
    doubled = {name for name in names if names.count(name) > 1}
    if not all(name.strip("@") for name in names) or doubled:
        what = f"has the column {min(doubled)!r} twice" if doubled else "has a column without a name"
        raise click.UsageError(f"Line 1 {what}. It holds the names of the fields.")
    for cells in reader:
        if len(cells) > len(names):
            raise click.UsageError(f"Line {reader.line_num} has {len(cells)} cells, and line 1 has {len(names)}.")
        if any(cells):  # a cell that is empty leaves its field out
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
        raise click.UsageError(f"{what} is no JSON: {error}.") from error


def _row(number: int, row: object) -> Row:
    if not isinstance(row, dict):
        raise click.UsageError(f'Line {number} is no object, such as {{"prompt": "a cat"}}.')
    return cast("Row", row)
