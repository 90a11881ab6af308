"""Folders for outputs: on this machine, or remote through fsspec, such as a bucket."""

from __future__ import annotations

import os
import tempfile
import uuid
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from attrs import frozen

from ..errors import ConfigurationError
from ..files.places import folder_at

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..files.places import OwnFile

LOCAL = ("file://", "local://")
# On these, a file appears only when it is complete, and folders need not be created.
OBJECT_STORES = frozenset({"s3", "gs", "abfs", "oss"})
NO_FOLDER = "The folder must be a path, or a URL that fsspec knows, such as s3://bucket/cats."


class Folder(Protocol):
    """A folder for outputs. Several threads may call it at once."""

    @property
    def here(self) -> Path:
        """The local folder into which files are written first."""
        ...

    def find(self, place: OwnFile) -> str | None:
        """Return the path or URL of an output's file; None if it is not there."""
        ...

    def keep(self, path: Path) -> str:
        """Move a complete file from `here` to the folder; return its path or URL."""
        ...


@frozen
class LocalFolder:
    """A local or mounted folder."""

    here: Path

    def find(self, place: OwnFile) -> str | None:
        path = place.existing()
        return None if path is None else str(path)

    def keep(self, path: Path) -> str:
        return str(path)


@frozen
class RemoteFolder:
    """A remote folder, through fsspec."""

    system: Any
    root: str
    here: Path

    def find(self, place: OwnFile) -> str | None:
        targets = (f"{self.root}/{name}" for name in place.names())
        return next((self._shown(target) for target in targets if self._is_whole(target)), None)

    def keep(self, path: Path) -> str:
        target = f"{self.root}/{path.name}"
        if is_object_store(self.system):
            self.system.put_file(str(path), target)
        else:
            self._put_and_name(path, target)
        path.unlink()
        return self._shown(target)

    def _put_and_name(self, path: Path, target: str) -> None:
        part = f"{self.root}/.{uuid.uuid4().hex}.part"
        try:
            self.system.put_file(str(path), part)
            self.system.mv(part, target)
        except BaseException as error:
            with suppress(Exception):
                self.system.rm_file(part)
            if not isinstance(error, Exception) or not self._is_whole(target):  # else another worker was faster
                raise

    def _is_whole(self, target: str) -> bool:
        try:
            found = self.system.info(target)
        except FileNotFoundError:
            return False
        return bool(found["type"] == "file" and found["size"] != 0)

    def _shown(self, target: str) -> str:
        return str(self.system.unstrip_protocol(target))


def is_object_store(system: Any) -> bool:
    """Return whether a file system of fsspec is an object store."""
    names = system.protocol
    return not OBJECT_STORES.isdisjoint({names} if isinstance(names, str) else names)


def checked_folder(folder: str | os.PathLike[str]) -> str:
    """Check a folder; return its URL or absolute path.

    Raises:
        ConfigurationError: It is neither a path nor a URL, or it holds a password.
    """
    text = os.fspath(folder) if isinstance(folder, os.PathLike) else folder
    if not isinstance(text, str) or not text.strip() or "\0" in text:  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
        raise ConfigurationError(NO_FOLDER)
    for scheme in LOCAL:
        text = text.removeprefix(scheme)
    if "://" not in text:
        return str(Path(text).absolute())
    try:
        passwords = [urlsplit(part).password for part in text.split("::")]  # fsspec chains its systems
    except ValueError as error:
        raise ConfigurationError(NO_FOLDER) from error
    if any(password is not None for password in passwords):
        raise ConfigurationError(
            "The folder's URL holds a password, which would be pickled: leave it to the settings of each worker, as in "
            "fsspec's configuration."
        )
    return text


@contextmanager
def folder_for(folder: str) -> Generator[Folder]:
    """Open a checked folder; create it if it does not exist.

    Raises:
        ConfigurationError: fsspec is missing, or does not know the URL.
        InvalidInputError: The folder cannot be created.
    """
    if "://" not in folder:
        yield LocalFolder(folder_at(folder))
        return
    system, root = _reached(folder)
    with tempfile.TemporaryDirectory(prefix="wavespeed-") as here:
        yield RemoteFolder(system, root.rstrip("/"), Path(here))


def _reached(folder: str) -> tuple[Any, str]:
    try:
        system, root = import_module("fsspec").url_to_fs(folder)
        if not is_object_store(system):
            system.makedirs(root, exist_ok=True)
    except ImportError as error:
        message = f"{folder} needs fsspec: pip install 'wavespeed-client[distributed]' ({error})"
        raise ConfigurationError(message) from error
    except Exception as error:  # file systems of fsspec may raise anything
        raise ConfigurationError(f"The folder {folder} cannot be used ({type(error).__name__}): {error}") from error
    return system, root
