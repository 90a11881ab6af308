"""The types of files that an input accepts. Loads nothing else: generated modules of typed inputs import it."""

from __future__ import annotations

from pathlib import Path
from typing import IO, BinaryIO, Protocol, TypeAlias


class ImageInput(Protocol):
    """An image object that can be written to a file, such as Pillow's `Image`."""

    @property
    def format(self) -> str | None:
        """The image's format; None if it was created in memory."""
        ...

    def save(self, fp: BinaryIO, format: str) -> None:
        """Write the image to a file."""
        ...


# NamedTemporaryFile and SpooledTemporaryFile return files that are no BinaryIO.
FileInput: TypeAlias = Path | IO[bytes] | ImageInput
