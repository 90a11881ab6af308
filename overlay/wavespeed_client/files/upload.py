"""Uploads: a file of the user's on its way to a storage host."""

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

from ..errors import APIConnectionError, InvalidInputError, WaveSpeedError, error_from_response
from ..media.kinds import HEAD, OTHER, ending_in, type_of
from ..transport.attempt import TimeLeft
from .inputs import name_of
from .names import ending_of
from .storage import NETWORK_ERRORS, async_beginning, async_host, beginning, host, web_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator

    from .kinds import ImageInput
    from .ticket import UploadTicket

    Progress = Callable[[int, int | None], object]

T = TypeVar("T")

LARGEST_UPLOAD = 200 * 1024 * 1024
CHUNK = 256 * 1024
# An image that is written to be uploaded is kept on disk from so many bytes on.
LARGEST_IN_MEMORY = 1024 * 1024
# These are our own: the body is sent as it is, with its length.
FRAMING = ("content-length", "transfer-encoding")


@define
class Source:
    """A file that is to be uploaded, open at the place where its bytes begin."""

    file: BinaryIO
    filename: str
    content_type: str
    size: int
    begin: int
    digest: str = field(init=False, default="")
    _seen: Any = field(init=False, default=None)

    def query(self) -> models.UploadQuery:
        """Return what to ask for a ticket with."""
        return models.UploadQuery(filename=self.filename, size=self.size, content_type=self.content_type)

    def take_digest(self) -> str:
        """Read the whole file for the sha256 of its bytes, and return it; from then on, only these are uploaded.

        Raises:
            InvalidInputError: It cannot be read.
        """
        seen, done = sha256(), 0
        while chunk := self.read(done):
            seen.update(chunk)
            done += len(chunk)
        self.digest, self._seen = seen.hexdigest(), sha256()
        self.rewind()
        return self.digest

    def rewind(self) -> None:
        """Go back to where the bytes begin. A file that was closed meanwhile is left alone."""
        with suppress(Exception):  # as in `read`
            self.file.seek(self.begin)

    def read(self, done: int) -> bytes:
        """Read the next bytes, when so many are done; none when all are.

        Raises:
            InvalidInputError: The file is no longer the one that the ticket is for.
        """
        try:
            chunk = self._bytes(min(CHUNK, self.size - done))
            more = self._bytes(1) if done + len(chunk) == self.size else b""
        except Exception as error:  # the program that made the file may raise anything
            raise InvalidInputError(f"{self.filename} could not be read to its end: {error}") from error
        if not chunk and done < self.size:
            raise InvalidInputError(f"{self.filename} became shorter than {self.size} bytes while it was uploaded.")
        if more:
            raise InvalidInputError(f"{self.filename} became longer than {self.size} bytes while it was uploaded.")
        if self._seen is not None:
            self._seen.update(chunk)
            if done + len(chunk) == self.size and self._seen.hexdigest() != self.digest:
                raise InvalidInputError(f"{self.filename} was changed while it was uploaded.")
        return chunk

    def _bytes(self, most: int) -> bytes:
        given = cast("object", self.file.read(most))
        if not isinstance(given, bytes | bytearray) or len(given) > most:
            raise TypeError(f"its read({most}) returned no bytes, or more of them")
        return bytes(given)

    def put(self, ticket: UploadTicket, content: Any, pauses: Pauses) -> httpx.Request:
        """Make the request that carries the bytes: exactly the ticket's headers, and the length."""
        headers = {name: value for name, value in ticket.headers.items() if name.lower() not in FRAMING}
        headers["Content-Length"] = str(self.size)
        url, extensions = web_url(ticket.url), {"timeout": pauses}
        return httpx.Request(ticket.method, url, headers=headers, content=content, extensions=extensions)


@contextmanager
def opened(file: object, filename: str | None, content_type: str | None) -> Generator[Source]:
    """Open a file to be uploaded. A file that was given open stays open; an image is written to a file of our own.

    Raises:
        InvalidInputError: It cannot be read, has no name, is larger than 200 MiB, or is open as text.
    """
    if isinstance(file, str | os.PathLike):
        path = Path(os.fsdecode(cast("str | os.PathLike[str]", file)))
        try:
            if path.exists() and not path.is_file():  # a named pipe would be waited for without end
                raise OSError("it is no file on a disk")
            opened_file = path.open("rb")
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{path.name!r} cannot be uploaded: {error}.") from error
        with opened_file:
            yield _source(opened_file, filename or name_of(path), content_type)
    elif hasattr(file, "save") and hasattr(file, "format") and not hasattr(file, "read"):
        with SpooledTemporaryFile(LARGEST_IN_MEMORY) as written:
            name = _write(cast("ImageInput", file), cast("BinaryIO", written))
            yield _source(cast("BinaryIO", written), filename or name, content_type)
    elif hasattr(file, "encoding") or not hasattr(file, "read"):  # the former is open as text
        raise InvalidInputError("file must be a path or a file that is open for reading bytes ('rb').")
    else:
        yield _source(cast("BinaryIO", file), filename or name_of(file), content_type)


def _write(image: ImageInput, file: BinaryIO) -> str:
    """Write an image to a file; return its name. The program that made the image may raise anything."""
    kind = image.format or "PNG"
    try:
        image.save(file, format=kind)
        file.seek(0)
        return f"image.{kind.lower()}"
    except Exception as error:
        message = f"The image could not be written as {kind} ({type(error).__name__}: {error}): pass a file of it."
        raise InvalidInputError(message) from error


def _source(file: BinaryIO, filename: object, content_type: object) -> Source:
    if not filename:
        raise InvalidInputError("This file has no name: pass filename=, its ending tells the kind of media.")
    if not isinstance(filename, str) or not isinstance(content_type, str | None):
        raise InvalidInputError("filename and content_type must be text.")
    try:
        begin = file.tell()
        size = file.seek(0, SEEK_END) - begin
        file.seek(begin)
        told = content_type or type_of(filename)
        if told == OTHER and (ending := ending_in(file.read(HEAD))):
            told, filename = type_of(ending), filename if ending_of(filename) else filename + ending
        file.seek(begin)
    except Exception as error:  # as in `Source.read`
        message = (
            f"{filename} cannot be read, or has no length that can be found out ({error}): write it to a file first."
        )
        raise InvalidInputError(message) from error
    if size > LARGEST_UPLOAD:
        raise InvalidInputError(f"{filename} has {size} bytes; an upload may have {LARGEST_UPLOAD} (200 MiB).")
    return Source(file, filename, told, size, begin)


class Pauses(TimeLeft):
    """Seconds that may pass without progress, and never more than are left of all."""

    def __init__(self, seconds: float, left: float) -> None:
        super().__init__(time.monotonic() + left)
        self._seconds = seconds

    def __getitem__(self, phase: str) -> float:
        return min(self._seconds, super().__getitem__(phase))


def send(
    ticket: UploadTicket, source: Source, timeout: float, on_progress: Progress | None, left: float = math.inf
) -> None:
    """Upload a file to its ticket.

    Args:
        ticket: Where to.
        source: The file.
        timeout: Seconds that may pass without progress.
        on_progress: Called with the bytes that are done, and all bytes. What it raises ends the upload.
        left: Seconds after which no step of it is waited for any more.

    Raises:
        InvalidInputError: The file changed while it was read.
        APIError, UnexpectedResponseError: The storage host refused it.
        APIConnectionError: The connection broke off.
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
        raise _broken_upload(error) from error


async def send_async(
    ticket: UploadTicket, source: Source, timeout: float, on_progress: Progress | None, left: float = math.inf
) -> None:
    """Async send; the file is read beside the event loop."""

    async def content() -> AsyncIterator[bytes]:
        done = 0
        while chunk := await beside_loop(partial(source.read, done)):
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
        raise _broken_upload(error) from error


def _broken_upload(error: Exception) -> WaveSpeedError:
    return APIConnectionError(f"The upload broke off ({type(error).__name__}): upload the file again.")


async def beside_loop(function: Callable[[], T]) -> T:
    """Call a function in a thread. A cancellation waits for its end: a file that is read is not given back before."""
    work = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(work)
    finally:
        if not work.done():
            await asyncio.wait([work])
