"""Files on their way to and from storage hosts: what is sent and where it is put, without the API's key.

Storage hosts are not the API: they get no key and no cookie, and their signed URLs are in no log. So the
requests here go through a bare httpx transport, one for each file. `transfer` makes them.
"""

from __future__ import annotations

import base64
import binascii
import mimetypes
import os
import uuid
from contextlib import contextmanager, suppress
from io import SEEK_END, TextIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import unquote

import httpx
from attrs import define

from wavespeed_api import models

from .errors import InvalidInputError, UnexpectedResponseError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from wavespeed_api.models import UploadTicket

    Progress = Callable[[int, int | None], object]

LARGEST_UPLOAD = 200 * 1024 * 1024
CHUNK = 256 * 1024
MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
# These are our own: the body is sent as it is, with its length.
FRAMING = ("content-length", "transfer-encoding")
LONGEST_NAME = 150  # bytes


@define
class Source:
    """A file that is to be uploaded, open at the place where its bytes begin."""

    file: BinaryIO
    filename: str
    content_type: str
    size: int

    def query(self) -> models.UploadQuery:
        """What to ask for a ticket with."""
        return models.UploadQuery(filename=self.filename, size=self.size, content_type=self.content_type)

    def read(self, done: int) -> bytes:
        """The next bytes, when so many are done; none when all are.

        Raises:
            InvalidInputError: The file is no longer the one that the ticket is for.
        """
        try:
            chunk = self.file.read(min(CHUNK, self.size - done))
            more = self.file.read(1) if done + len(chunk) == self.size else b""
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{self.filename} could not be read to its end: {error}") from error
        if not chunk and done < self.size:
            raise InvalidInputError(f"{self.filename} became shorter than {self.size} bytes while it was uploaded.")
        if more:
            raise InvalidInputError(f"{self.filename} became longer than {self.size} bytes while it was uploaded.")
        return chunk

    def put(self, ticket: UploadTicket, content: Any) -> httpx.Request:
        """The request that carries the bytes: exactly the ticket's headers, and the length."""
        upload = ticket.upload
        given = upload.headers.additional_properties
        headers = {name: value for name, value in given.items() if name.lower() not in FRAMING}
        headers["Content-Length"] = str(self.size)
        try:
            return httpx.Request(upload.method, web_url(upload.url), headers=headers, content=content)
        except (TypeError, ValueError) as error:
            message = "The upload ticket holds a method or header that cannot be sent."
            raise UnexpectedResponseError(message, status_code=200, body="") from error


@contextmanager
def opened(file: object, filename: str | None, content_type: str | None) -> Generator[Source]:
    """The file, ready to be uploaded. A file that was given open stays open.

    Raises:
        InvalidInputError: It cannot be read, has no name, is larger than 200 MiB, or is open as text.
    """
    if isinstance(file, str | os.PathLike):
        path = Path(cast("str | os.PathLike[str]", file))
        try:
            opened_file = path.open("rb")
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{path.name!r} cannot be uploaded: {error}.") from error
        with opened_file:
            yield _source(opened_file, filename or path.name, content_type)
    elif isinstance(file, TextIOBase) or not hasattr(file, "read"):
        raise InvalidInputError("file must be a path or a file that is open for reading bytes ('rb').")
    else:
        name = filename or Path(str(getattr(file, "name", ""))).name
        if not name:
            raise InvalidInputError("This file has no name: pass filename=, its ending tells the kind of media.")
        yield _source(cast("BinaryIO", file), name, content_type)


def _source(file: BinaryIO, filename: object, content_type: object) -> Source:
    if not isinstance(filename, str) or not isinstance(content_type, str | None):
        raise InvalidInputError("filename and content_type must be text.")
    try:
        begin = file.tell()
        size = file.seek(0, SEEK_END) - begin
        file.seek(begin)
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidInputError(f"{filename} has no length that can be found out: write it to a file first.") from error
    if size > LARGEST_UPLOAD:
        raise InvalidInputError(f"{filename} has {size} bytes; an upload may have {LARGEST_UPLOAD} (200 MiB).")
    guessed = mimetypes.guess_type(filename)[0] or "application/octet-stream"
    return Source(file, filename, content_type or guessed, size)


def web_url(url: str) -> httpx.URL:
    """The URL, if it is one of the web.

    Raises:
        UnexpectedResponseError: It is another kind of address.
    """
    try:
        parsed = httpx.URL(url)
        fits = parsed.scheme in ("http", "https") and bool(parsed.host.encode("idna"))
        fits = fits and (parsed.port is None or 0 < parsed.port < 65536)
    except (httpx.InvalidURL, ValueError):
        parsed, fits = httpx.URL(""), False
    if not fits:
        message = "A file's address must begin with https:// or http:// and a host."
        raise UnexpectedResponseError(message, status_code=0, body="")
    return parsed


def redirected(url: httpx.URL, response: httpx.Response) -> httpx.URL | None:
    """Where an answer sends on to, if it does.

    Raises:
        UnexpectedResponseError: To something that is not of the web.
    """
    if response.status_code not in REDIRECTS or "Location" not in response.headers:
        return None
    try:
        onward = str(url.join(response.headers["Location"]))
    except (httpx.InvalidURL, ValueError):
        onward = ""
    return web_url(onward)


def length_of(response: httpx.Response) -> int | None:
    """How many bytes an answer's body has, if it tells.

    Raises:
        UnexpectedResponseError: It is compressed, which was not asked for: its end could not be told from a drop.
    """
    if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
        message = "The file came compressed, which was not asked for."
        raise UnexpectedResponseError(message, status_code=response.status_code, body="")
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def target_path(url: str, to: str | os.PathLike[str]) -> Path:
    """Where a download goes: `to` itself, or a name from the URL inside it when it is a folder.

    Raises:
        InvalidInputError: The folder does not exist, or cannot be made.
    """
    path, text = Path(to), os.fspath(to)
    try:
        if text.endswith((os.sep, "/")):
            path.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            return path / _safe_name(url)
        missing = "\0" in text or not path.parent.is_dir()
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"The folder {text!r} cannot be used: {error}.") from error
    if missing:
        raise InvalidInputError(f"The folder {str(path.parent)!r} does not exist.")
    return path


def _safe_name(url: str) -> str:
    """The URL's last segment, as a name that leads nowhere else."""
    segment = unquote(web_url(url).path).replace("\\", "/").rpartition("/")[2] if ":" in url else ""
    kept = "".join("_" if character in '<>:"|?*' else character for character in segment if character.isprintable())
    return kept.strip(" .").encode("utf-8", "replace")[-LONGEST_NAME:].decode("utf-8", "ignore") or "output"


@contextmanager
def replacing(target: Path) -> Generator[BinaryIO]:
    """A new file beside the target that takes its place when all has gone well, and is gone otherwise.

    Raises:
        InvalidInputError: It cannot be written.
    """
    part = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        file = part.open("xb")
    except (OSError, ValueError) as error:
        raise _unwritable(target, error) from error
    try:
        with file:
            yield file
        try:
            part.replace(target)
        except OSError as error:
            raise _unwritable(target, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def written(file: BinaryIO, chunk: bytes, target: Path) -> int:
    """How many bytes were written: all of them.

    Raises:
        InvalidInputError: They cannot be, for instance because the disk is full.
    """
    try:
        return file.write(chunk)
    except OSError as error:
        raise _unwritable(target, error) from error


def _unwritable(target: Path, error: Exception) -> InvalidInputError:
    return InvalidInputError(f"{target.name!r} cannot be written: {error}.")


def decoded(text: str) -> Iterator[bytes]:
    """The bytes of an output that came as base64.

    Raises:
        InvalidInputError: It is neither a URL nor base64.
    """
    try:
        yield base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInputError("This output is neither a URL nor base64 data.") from error
