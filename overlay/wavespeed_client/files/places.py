"""Where a file goes: the name that it gets when it is whole, and what becomes of a file that has this name already."""

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
    """Where a file goes. It is written beside its name first."""

    @property
    def folder(self) -> Path:
        """The folder in which the file is written."""
        ...

    @property
    def label(self) -> str:
        """What to call the file in errors."""
        ...

    def take(self, part: Path, ending: str) -> Path:
        """Give a whole file its name; return its path.

        Args:
            part: The file.
            ending: What its host or its first bytes say that it is, as an ending with a dot; empty for unknown.

        Raises:
            OSError: It cannot be written there.
        """
        ...


@frozen
class ThisFile:
    """A file that the caller has named. One that is there is replaced."""

    path: Path

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def label(self) -> str:
        return self.path.name

    def take(self, part: Path, ending: str) -> Path:
        part.replace(self.path)
        return self.path


@frozen
class NewFile:
    """A new file of this name in a folder: no other one is replaced, the name gets a number instead."""

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
            with suppress(FileExistsError):  # another thread or process was quicker
                _name(part, path)
                return path
            number += 1


@frozen
class OwnFile:
    """The file of one output, whose name no other output has: what bears it is this output already, and whole.

    Attributes:
        folder: The folder.
        stem: Its name up to the ending.
        ending: Its ending, with the dot; empty if its host will tell.
    """

    folder: Path
    stem: str
    ending: str

    @property
    def label(self) -> str:
        return self.stem + self.ending

    def existing(self) -> Path | None:
        """Return the path of the file, if it is there."""
        endings = (self.ending,) if self.ending else BINARY_ENDINGS
        paths = (self.folder / (self.stem + ending) for ending in endings)
        return next((path for path in paths if _is_whole(path)), None)

    def take(self, part: Path, ending: str) -> Path:
        path = self.folder / (self.stem + (self.ending or ending or ".bin"))
        try:
            _name(part, path)
        except FileExistsError:
            if not path.is_file():  # a folder
                raise
            if not _is_whole(path):
                part.replace(path)
        return path


def _is_whole(path: Path) -> bool:
    """Tell whether a file was finished. An empty one may be a name that was taken before a program was killed."""
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:
        return False


def _name(part: Path, path: Path) -> None:
    """Give a file a name that no other file has, in one step.

    Raises:
        FileExistsError: Another file has it.
        OSError: It cannot have it.
    """
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: the name is taken first
        path.touch(exist_ok=False)
        try:
            part.replace(path)
        except OSError:
            path.unlink()
            raise


@contextmanager
def part_in(folder: Path, label: str) -> Generator[tuple[BinaryIO, Path]]:
    """Open a new file in a folder, which is closed and gone afterwards unless it got a name.

    Raises:
        InvalidInputError: It cannot be written.
    """
    path = folder / f".{uuid.uuid4().hex}.part"
    with writing(label):
        file = path.open("xb")
    try:
        yield file, path
    finally:
        # What could not be written before cannot be now: it is told already.
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            path.unlink(missing_ok=True)


@contextmanager
def writing(label: str) -> Generator[None]:
    """Explain what the system says when a file cannot be written.

    Raises:
        InvalidInputError: It cannot, for instance because the disk is full.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{label!r} cannot be written: {error}.") from error


def folder_at(to: str | os.PathLike[str]) -> Path:
    """Return a folder, which is made if it is not there.

    Raises:
        InvalidInputError: It cannot be made, or is none.
    """
    try:
        folder = Path(to)
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInputError(f"The folder {to!r} cannot be used: {error}.") from error
    return folder
