"""What may stand for a file in an input. It loads nothing, for written files of typed inputs begin with it."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias


class ImageInput(Protocol):
    """An image object that can write itself to a file, such as Pillow's."""

    @property
    def format(self) -> str | None:
        """Name the image's format; None if it was made in memory."""
        ...

    def save(self, fp: BinaryIO, format: str) -> None:
        """Write the image to a file in a format."""
        ...


FileInput: TypeAlias = Path | BinaryIO | ImageInput
