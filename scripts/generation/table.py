"""The table of operations on the page "Change the spec"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .document import operations
from .refusal import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = "overlay/docs/change-the-spec.md"
TABLE_BEGIN, TABLE_END = "<!-- operations: written by scripts/regenerate.py -->", "<!-- end of operations -->"


def with_operations_table(page: str, spec: dict[str, Any]) -> str:
    """Return the page with the table of operations made from the spec."""
    before, begin, rest = page.partition(TABLE_BEGIN)
    _, end, after = rest.partition(TABLE_END)
    if not begin or not end:
        raise SpecError(f"{PAGE} has no place for the table of operations: {TABLE_BEGIN} ... {TABLE_END}")
    rows = ["| operation | generated function | verb |", "| --- | --- | --- |", *operation_rows(spec)]
    return "\n".join([f"{before}{begin}", "", *rows, "", f"{end}{after}"])


def operation_rows(spec: dict[str, Any]) -> Iterator[str]:
    for path, method, operation in operations(spec):
        verb = f"`{operation['x-verb']}`" if "x-verb" in operation else "by `ws.api`"
        function = f"wavespeed_api.api.{operation['tags'][0]}.{operation['operationId']}"
        yield f"| {method.upper()} `{path}` | `{function}` | {verb} |"
