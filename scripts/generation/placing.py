"""Replace the package, so that a complete one remains if the process is killed at any step, or report differences."""

from __future__ import annotations

import contextlib
import difflib
import fcntl
import os
import shutil
from typing import TYPE_CHECKING

from environment import ROOT

from .refusal import SpecError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

TARGET = ROOT / "generated" / "wavespeed_api"
NEW = TARGET.with_name(".wavespeed_api.new")
OLD = TARGET.with_name(".wavespeed_api.old")


@contextlib.contextmanager
def alone() -> Generator[None]:
    """Keep other runs out, because runs would mistake each other's folders for leftovers."""
    TARGET.parent.mkdir(exist_ok=True)
    folder = os.open(TARGET.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise SpecError("another run is under way") from None
    finally:
        os.close(folder)


def recover() -> None:
    """Clean up after a run that was killed: restore the old package if there is no other, and remove leftovers."""
    if OLD.exists() and not TARGET.exists():
        OLD.rename(TARGET)
    for leftover in (OLD, NEW):
        if leftover.exists():
            shutil.rmtree(leftover)


def swap() -> None:
    try:
        if TARGET.exists():
            TARGET.rename(OLD)
        NEW.rename(TARGET)
    except OSError:
        if OLD.exists() and not TARGET.exists():
            OLD.rename(TARGET)
        raise
    shutil.rmtree(OLD, ignore_errors=True)


def differences(package: Path) -> Iterator[str]:
    """Yield the changes that replacing the package would make."""
    wanted, found = files(package), files(TARGET)
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            yield f"missing: generated/wavespeed_api/{name}"
        elif name not in wanted:
            yield f"stray: generated/wavespeed_api/{name}"
        elif found[name] != wanted[name]:
            old, new = (each[name].decode("utf-8", "replace").splitlines() for each in (found, wanted))
            yield f"differs: generated/wavespeed_api/{name}"
            yield from difflib.unified_diff(old, new, "committed", "from the spec", lineterm="")


def files(package: Path) -> dict[str, bytes]:
    paths = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(package).as_posix(): path.read_bytes() for path in paths}
