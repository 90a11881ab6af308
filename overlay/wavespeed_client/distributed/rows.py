"""Convert rows to inputs and names. Pure: no request, no file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from attrs import frozen

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    # Looks up a column of a row.
    Look = Callable[[str], object]


@frozen
class Prepared:
    """A row that may be submitted.

    Attributes:
        name: The row's key as text, which distinguishes rows with the same input.
        input: The input to send.
    """

    name: str
    input: dict[str, Any]


@frozen
class Recipe:
    """The rules that convert a row to an input.

    Attributes:
        key: The column that identifies a row.
        columns: The column of each field.
        constants: Fields that are the same for each row.
        files: Fields whose bytes are files.
    """

    key: str
    columns: Mapping[str, str]
    constants: Mapping[str, Any]
    files: frozenset[str]

    @property
    def needed(self) -> list[str]:
        """The columns that a row must have, each once."""
        return list(dict.fromkeys([self.key, *self.columns.values()]))

    def prepare(self, look: Look) -> Prepared:
        """Return a row's name and input. Fields without a value are left out.

        Raises:
            InvalidInputError: The row cannot be submitted; the message says why.
        """
        name = name_of(self.key, look(self.key))
        found = {field: plain(look(column)) for field, column in self.columns.items()}
        own = {field: value for field, value in found.items() if not is_missing(value)}
        if not own:
            raise InvalidInputError(f"The row has no value for any of its fields ({', '.join(self.columns)}).")
        for field, value in own.items():
            if field in self.files:
                own[field] = as_file(value)
            elif isinstance(value, bytes):
                raise InvalidInputError(f"{field} is bytes: name it in files= to have them uploaded, or give text.")
        return Prepared(name, {**self.constants, **own})


def look_in(row: object) -> Look:
    """Return a function that looks up a column of a row. It raises InvalidInputError if there is no such column."""

    def look(column: str) -> object:
        if not isinstance(row, Mapping):
            raise InvalidInputError(f"A row must be a dict of columns, not {type(row).__name__}.")
        columns = cast("Mapping[str, object]", row)
        if column not in columns:
            raise InvalidInputError(f"The row has no column {column!r}.")
        return columns[column]

    return look


def name_of(key: str, value: object) -> str:
    """Return a row's key as text. The numbers 1 and 1.0 have the same text.

    Raises:
        InvalidInputError: The key is missing, or is not text, a number, a time or bytes.
    """
    value = plain(value)
    if isinstance(value, float | Decimal) and value % 1 == 0:  # pandas makes floats of numbers where one is missing
        value = int(value)
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if is_missing(value) or value == "":
        raise InvalidInputError(f"The row has no key: its column {key!r} is empty.")
    if not isinstance(value, str | int | float | Decimal | date | UUID):
        kind = type(value).__name__
        raise InvalidInputError(f"The key in the column {key!r} is {kind}: it must be text or a number.")
    return f"{value:f}".rstrip("0") if isinstance(value, Decimal) else str(value)  # 1.50 is 1.5, as a float is written


def plain(value: object) -> Any:
    """Convert values of numpy and similar libraries to plain ones, also within lists and dicts."""
    if isinstance(value, dict):
        return {name: plain(child) for name, child in cast("dict[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [plain(child) for child in cast("list[object]", value)]
    tolist: Any = getattr(value, "tolist", None)
    if not callable(tolist) or type(value) is memoryview:
        return value
    found: Any = tolist()
    if not isinstance(found, list):
        return found
    return plain(cast("list[object]", found))  # arrays may hold arrays, as pandas has nested lists


def is_missing(value: Any) -> bool:
    """Return whether a value is missing: None, NaN, or pandas' NA or NaT."""
    if isinstance(value, str | bytes | list | dict):
        return False
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(value != value)


def as_file(value: object) -> Any:
    """Convert bytes to a file to upload, also within a list. Other values, such as URLs, stay unchanged."""
    if isinstance(value, list):
        return [as_file(child) for child in cast("list[object]", value)]
    return BytesIO(cast("bytes", value)) if isinstance(value, bytes | bytearray | memoryview) else value
