"""Upload one file to a storage host."""

from __future__ import annotations

import asyncio
import math
import os
import time
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from io import SEEK_END
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

import httpx
from attrs import define, field

from wavespeed_api import models

from ..errors import InvalidInputError, error_from_response
from ..media.kinds import HEAD, OTHER, ending_in, type_of
from ..transport.attempt import TimeLeft
from .inputs import name_of
from .names import ending_of
from .storage import NETWORK_ERRORS, async_beginning, async_host, beginning, connection_error, host, web_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator

    from .kinds import ImageInput
    from .ticket import UploadTicket

    Progress = Callable[[int, int | None], object]

T = TypeVar("T")

LARGEST_UPLOAD = 200 * 1024 * 1024
CHUNK = 256 * 1024
# An encoded image that is larger, in bytes, goes to a temporary file.
LARGEST_IN_MEMORY = 1024 * 1024
# Headers of a ticket that are replaced by our own: the body has a known length.
FRAMING = ("content-length", "transfer-encoding")


@define
class Source:
    """A file to upload, open at its first byte."""

    file: BinaryIO
    filename: str
    content_type: str
    size: int
    begin: int
    digest: str = field(init=False, default="")
    _hash: Any = field(init=False, default=None)

    def query(self) -> models.UploadQuery:
        """Return the query of the request for a ticket."""
        return models.UploadQuery(filename=self.filename, size=self.size, content_type=self.content_type)

    def take_digest(self) -> str:
        """Read the file; return the sha256 of its bytes. From then on, `read` refuses other bytes.

        Raises:
            InvalidInputError: The file cannot be read.
        """
        hashed, done = sha256(), 0
        while chunk := self.read(done):
            hashed.update(chunk)
            done += len(chunk)
        self.digest, self._hash = hashed.hexdigest(), sha256()
        self.rewind()
        return self.digest

    def rewind(self) -> None:
        """Go back to the first byte. Does nothing if the file was closed meanwhile."""
        with suppress(Exception):  # as in `read`
            self.file.seek(self.begin)

    def read(self, done: int) -> bytes:
        """Read the next bytes after the first `done`; return b"" at the end.

        Raises:
            InvalidInputError: The file cannot be read, or has changed since the ticket was requested.
        """
        try:
            chunk = self._bytes(min(CHUNK, self.size - done))
            more = self._bytes(1) if done + len(chunk) == self.size else b""
        except Exception as error:  # a file object of the caller's may raise anything
            raise InvalidInputError(f"{self.filename} could not be read to its end: {error}") from error
        if not chunk and done < self.size:
            raise InvalidInputError(f"{self.filename} became shorter than {self.size} bytes while it was uploaded.")
        if more:
            raise InvalidInputError(f"{self.filename} became longer than {self.size} bytes while it was uploaded.")
        if self._hash is not None:
            self._hash.update(chunk)
            if done + len(chunk) == self.size and self._hash.hexdigest() != self.digest:
                raise InvalidInputError(f"{self.filename} was changed while it was uploaded.")
        return chunk

    def _bytes(self, most: int) -> bytes:
        given = cast("object", self.file.read(most))
        if not isinstance(given, bytes | bytearray) or len(given) > most:
            raise TypeError(f"read({most}) must return at most {most} bytes")
        return bytes(given)

    def put(self, ticket: UploadTicket, content: Any, pauses: Pauses) -> httpx.Request:
        """Build the upload request, with the ticket's headers and the length."""
        headers = {name: value for name, value in ticket.headers.items() if name.lower() not in FRAMING}
        headers["Content-Length"] = str(self.size)
        url, extensions = web_url(ticket.url), {"timeout": pauses}
        return httpx.Request(ticket.method, url, headers=headers, content=content, extensions=extensions)


@contextmanager
def opened(file: object, filename: str | None, content_type: str | None) -> Generator[Source]:
    """Open a file to upload. An open file stays open; an image is written to a temporary file.

    Raises:
        InvalidInputError: The file cannot be read, has no name, is larger than 200 MiB, or is open as text.
    """
    if isinstance(file, str | os.PathLike):
        path = Path(os.fsdecode(cast("str | os.PathLike[str]", file)))
        try:
            if path.exists() and not path.is_file():  # opening a named pipe could block forever
                raise OSError("it is not a regular file")
            opened_file = path.open("rb")
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{path.name!r} cannot be uploaded: {error}.") from error
        with opened_file:
            yield _source(opened_file, filename or name_of(path), content_type)
    elif hasattr(file, "save") and hasattr(file, "format") and not hasattr(file, "read"):
        with SpooledTemporaryFile(LARGEST_IN_MEMORY) as written:
            name = _write(cast("ImageInput", file), cast("BinaryIO", written))
            yield _source(cast("BinaryIO", written), filename or name, content_type)
    elif hasattr(file, "encoding") or not hasattr(file, "read"):  # text files have an encoding
        kind = type(file).__name__
        raise InvalidInputError(f"file must be a path, an image or a file opened in binary mode ('rb'), not {kind}.")
    else:
        yield _source(cast("BinaryIO", file), filename or name_of(file), content_type)


def _write(image: ImageInput, file: BinaryIO) -> str:
    """Write an image to a file; return a name for it."""
    kind = image.format or "PNG"
    try:
        image.save(file, format=kind)
        file.seek(0)
        return f"image.{kind.lower()}"
    except Exception as error:  # an image object of the caller's may raise anything
        message = (
            f"The image could not be written as {kind} ({type(error).__name__}: {error}): save it to a file first."
        )
        raise InvalidInputError(message) from error


def _source(file: BinaryIO, filename: object, content_type: object) -> Source:
    if not filename:
        raise InvalidInputError("This file has no name: pass filename=, such as filename='photo.png'.")
    if not isinstance(filename, str):
        raise InvalidInputError(f"filename must be a string, not {type(filename).__name__}.")
    if not isinstance(content_type, str | None):
        raise InvalidInputError(f"content_type must be a string or None, not {type(content_type).__name__}.")
    try:
        begin = file.tell()
        size = file.seek(0, SEEK_END) - begin
        file.seek(begin)
        kind = content_type or type_of(filename)
        if kind == OTHER and (ending := ending_in(file.read(HEAD))):
            kind, filename = type_of(ending), filename if ending_of(filename) else filename + ending
        file.seek(begin)
    except Exception as error:  # as in `Source.read`
        message = f"{filename} cannot be read, or has no length ({error}): write it to a file first."
        raise InvalidInputError(message) from error
    if size > LARGEST_UPLOAD:
        raise InvalidInputError(f"{filename} has {size} bytes; the limit is {LARGEST_UPLOAD} (200 MiB).")
    return Source(file, filename, kind, size, begin)


class Pauses(TimeLeft):
    """Timeouts of a request: the seconds without progress, or the seconds left if fewer."""

    def __init__(self, seconds: float, left: float) -> None:
        super().__init__(time.monotonic() + left)
        self._seconds = seconds

    def __getitem__(self, phase: str) -> float:
        return min(self._seconds, super().__getitem__(phase))


def send(
    ticket: UploadTicket, source: Source, timeout: float, on_progress: Progress | None, left: float = math.inf
) -> None:
    """Upload a file. Costs one request to the storage host; never retried.

    Args:
        ticket: The upload ticket.
        source: The file.
        timeout: Seconds without progress after which the upload fails.
        on_progress: Called with the bytes sent and the total. An exception from it ends the upload.
        left: Seconds for the whole upload.

    Raises:
        InvalidInputError: The file changed while it was read.
        APIError, UnexpectedResponseError: The storage host refused it.
        APIConnectionError: The connection failed.
    """

    def content() -> Iterator[bytes]:
        done = 0
        while chunk := source.read(done):
            yield chunk
            done += len(chunk)
            if on_progress is not None:
                on_progress(done, source.size)

    request = source.put(ticket, content(), Pauses(timeout, left))
    try:
        with host(request.url) as transport:
            response = transport.handle_request(request)
            try:
                if not response.is_success:
                    raise error_from_response(response.status_code, beginning(response))
            finally:
                response.close()
    except NETWORK_ERRORS as error:
        raise connection_error("upload to", request.url, error, " Upload the file again.") from error


async def send_async(
    ticket: UploadTicket, source: Source, timeout: float, on_progress: Progress | None, left: float = math.inf
) -> None:
    """Async send; reads the file in a thread."""

    async def content() -> AsyncIterator[bytes]:
        done = 0
        while chunk := await in_thread(partial(source.read, done)):
            yield chunk
            done += len(chunk)
            if on_progress is not None:
                on_progress(done, source.size)

    request = source.put(ticket, content(), Pauses(timeout, left))
    try:
        async with async_host(request.url) as transport:
            response = await transport.handle_async_request(request)
            try:
                if not response.is_success:
                    raise error_from_response(response.status_code, await async_beginning(response))
            finally:
                await response.aclose()
    except NETWORK_ERRORS as error:
        raise connection_error("upload to", request.url, error, " Upload the file again.") from error


async def in_thread(function: Callable[[], T]) -> T:
    """Call a function in a thread. If cancelled, wait for the function first: it may still use the caller's file."""
    work = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(work)
    finally:
        if not work.done():
            await asyncio.wait([work])
