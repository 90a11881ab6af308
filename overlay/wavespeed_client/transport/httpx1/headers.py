"""Read and set headers where httpx keeps them.

Delete this once reading one header through httpx no longer decodes all headers of the response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


def lines(headers: httpx.Headers) -> list[tuple[bytes, bytes, bytes]]:
    """Return httpx's own list of the headers: name, lower-case name, value."""
    found: list[tuple[bytes, bytes, bytes]] = vars(headers)["_list"]
    return found


def value_of(headers: httpx.Headers, key: bytes) -> bytes:
    """Return the value of the header with this lower-case name, several joined by commas; b"" if there is none."""
    return b", ".join([value for _, found, value in lines(headers) if found == key])


def replace(headers: httpx.Headers, name: bytes, value: bytes) -> None:
    """Set a header, in place of any with the same name."""
    key, found = name.lower(), lines(headers)
    found[:] = [line for line in found if line[1] != key]
    found.append((name, key, value))
