"""Where a file goes: its name once it is complete, and what happens if that name is taken."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from attrs import frozen

from ..errors import InvalidInputError
from ..media.kinds import BINARY_ENDINGS
from .names import ending_of, first_free, numbered

if TYPE_CHECKING:
    from collections.abc import Generator


class Place(Protocol):
    """Where a file goes. It is written to a part file in the same folder first."""

    @property
    def folder(self) -> Path:
        """The folder of the file."""
        ...

    @property
    def label(self) -> str:
        """The file's name in error messages."""
        ...

    def take(self, part: Path, ending: str) -> Path:
        """Move a complete part file to its final name; return its path.

        Args:
            part: The part file.
            ending: The ending, with its dot, for the file's media type; empty if unknown.

        Raises:
            OSError: The file cannot be moved.
        """
        ...


@frozen
class ThisFile:
    """A path that the caller chose. An existing file is replaced; a link stays, and the file behind it is replaced."""

    path: Path

    @property
    def folder(self) -> Path:
        return self._target.parent

    @property
    def label(self) -> str:
        return self.path.name

    @property
    def _target(self) -> Path:
        return Path(os.path.realpath(self.path))

    def take(self, part: Path, ending: str) -> Path:
        part.replace(self._target)
        return self.path


@frozen
class NewFile:
    """A new file in a folder. If the name is taken, it gets a number; no file is replaced."""

    folder: Path
    name: str

    @property
    def label(self) -> str:
        return self.name

    def take(self, part: Path, ending: str) -> Path:
        name = self.name if ending_of(self.name) else self.name + ending
        number = first_free(lambda number: os.path.lexists(self.folder / numbered(name, number)))
        while True:
            path = self.folder / numbered(name, number)
            with suppress(FileExistsError):  # another thread or process was faster
                _name(part, path)
                return path
            number += 1


@frozen
class OwnFile:
    """The file of one output. No other output has its name, so an existing file is this output, complete.

    Attributes:
        folder: The folder.
        stem: The name without its ending.
        ending: The ending, with its dot; empty if it is not known before the download.
    """

    folder: Path
    stem: str
    ending: str

    @property
    def label(self) -> str:
        return self.stem + self.ending

    def existing(self) -> Path | None:
        """Return the path of the file; None if it does not exist."""
        paths = (self.folder / name for name in self.names())
        return next((path for path in paths if _is_complete(path)), None)

    def names(self) -> list[str]:
        """Return the possible names of the file."""
        endings = (self.ending,) if self.ending else BINARY_ENDINGS
        return [self.stem + ending for ending in endings]

    def take(self, part: Path, ending: str) -> Path:
        path = self.folder / (self.stem + (self.ending or ending or ".bin"))
        try:
            _name(part, path)
        except FileExistsError:
            if not path.is_file():  # a folder
                raise
            if not _is_complete(path):
                part.replace(path)
        return path


def _is_complete(path: Path) -> bool:
    """Return whether a file is complete. An empty one may be left from a process that was killed in `_name`."""
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:
        return False


def _name(part: Path, path: Path) -> None:
    """Give a part file its final name, atomically, without replacing another file.

    Raises:
        FileExistsError: The name is taken.
        OSError: The file cannot have this name.
    """
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: reserve the name with an empty file
        path.touch(exist_ok=False)
        try:
            part.replace(path)
        except OSError:
            path.unlink()
            raise


@contextmanager
def part_in(folder: Path, label: str) -> Generator[tuple[BinaryIO, Path]]:
    """Open a part file in a folder; close and delete it on exit, unless it was moved.

    Raises:
        InvalidInputError: The file cannot be written.
    """
    path = folder / f".{uuid.uuid4().hex}.part"
    with writing(label):
        file = path.open("xb")
    try:
        yield file, path
    finally:
        # A write error was raised before; closing the file only repeats it.
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            path.unlink(missing_ok=True)


@contextmanager
def writing(label: str) -> Generator[None]:
    """Turn the system's errors about a file into ours.

    Raises:
        InvalidInputError: The file cannot be written, for example because the disk is full.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{label!r} cannot be written: {error}.") from error


def folder_at(to: str | os.PathLike[str]) -> Path:
    """Return a folder, created if needed.

    Raises:
        InvalidInputError: The folder cannot be created, or the path is something else.
    """
    try:
        folder = Path(to)
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInputError(f"The folder {to!r} cannot be used: {error}.") from error
    return folder
