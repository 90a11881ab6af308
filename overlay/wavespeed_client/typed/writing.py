"""Files are written whole, all of them, or stay as they were."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping


def write(texts: Mapping[Path, str]) -> None:
    """Put texts in the places of files, each by one rename, in this order; a link stays one, and a file keeps its mode.

    Raises:
        OSError: One cannot be written there; it names the file. None is, unless a rename fails.
    """
    with ExitStack() as stack:
        staged = [(path, stack.enter_context(_staged(path, text))) for path, text in texts.items()]
        for path, part in staged:
            with _named(path):
                part.replace(_target(path))


@contextmanager
def _staged(path: Path, text: str) -> Generator[Path]:
    """Write a text to a new file beside its place, which is gone afterwards unless it was renamed."""
    with _named(path):
        target = _target(path)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        number, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with _named(path), os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(number)  # else the name could outlive a power failure that the text does not
            Path(name).chmod(mode)
        yield Path(name)
    finally:
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)


def _target(path: Path) -> Path:
    """Return the file that a path leads to by links."""
    try:
        return path.resolve()
    except RuntimeError as error:  # before Python 3.13, of links in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error


@contextmanager
def _named(path: Path) -> Generator[None]:
    """Let an error name the file that it is about."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
