"""What regenerating would change."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def files(package: Path) -> dict[str, bytes]:
    paths = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(package).as_posix(): path.read_bytes() for path in paths}


def differences(wanted: dict[str, bytes], found: dict[str, bytes]) -> Iterator[str]:
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            yield f"missing: generated/wavespeed_api/{name}"
        elif name not in wanted:
            yield f"stray: generated/wavespeed_api/{name}"
        elif found[name] != wanted[name]:
            old = found[name].decode("utf-8", "replace").splitlines()
            new = wanted[name].decode("utf-8", "replace").splitlines()
            yield f"differs: generated/wavespeed_api/{name}"
            yield from difflib.unified_diff(old, new, "committed", "from the spec", lineterm="")
