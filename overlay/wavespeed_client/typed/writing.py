"""Write several files, all or none."""

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
    """Write files in this order, each replaced by one rename. Symbolic links and file modes are kept.

    Raises:
        OSError: A file cannot be written; the error names it. None was changed, unless a rename failed.
    """
    with ExitStack() as stack:
        staged = [(path, stack.enter_context(_staged(path, text))) for path, text in texts.items()]
        for path, part in staged:
            with _named(path):
                part.replace(_target(path))


@contextmanager
def _staged(path: Path, text: str) -> Generator[Path]:
    """Write a text to a temporary file beside its target; delete it on exit unless it was renamed."""
    with _named(path):
        target = _target(path)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        number, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with _named(path), os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(number)  # otherwise a power failure could keep the name and lose the text
            Path(name).chmod(mode)
        yield Path(name)
    finally:
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)


def _target(path: Path) -> Path:
    """Return the path with symbolic links resolved."""
    try:
        return path.resolve(strict=True)  # from Python 3.13 on, circular links are an error only with `strict`
    except FileNotFoundError:
        return path.resolve()
    except RuntimeError as error:  # Python before 3.13 raises this for circular links
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error


@contextmanager
def _named(path: Path) -> Generator[None]:
    """Make an OSError name this file."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
