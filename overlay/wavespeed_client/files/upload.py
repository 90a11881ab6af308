"""Uploads: a file of the user's on its way to a storage host."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from io import SEEK_END, TextIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import httpx
from attrs import define

from wavespeed_api import models

from ..errors import APIConnectionError, InvalidInputError, UnexpectedResponseError, WaveSpeedError, error_from_response
from ..media.kinds import type_of
from .storage import NETWORK_ERRORS, async_beginning, async_host, beginning, bounded, host, web_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator

    from .ticket import UploadTicket

    Progress = Callable[[int, int | None], object]

LARGEST_UPLOAD = 200 * 1024 * 1024
CHUNK = 256 * 1024
# These are our own: the body is sent as it is, with its length.
FRAMING = ("content-length", "transfer-encoding")


@define
class Source:
    """A file that is to be uploaded, open at the place where its bytes begin."""

    file: BinaryIO
    filename: str
    content_type: str
    size: int

    def query(self) -> models.UploadQuery:
        """Return what to ask for a ticket with."""
        return models.UploadQuery(filename=self.filename, size=self.size, content_type=self.content_type)

    def read(self, done: int) -> bytes:
        """Read the next bytes, when so many are done; none when all are.

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
        """Make the request that carries the bytes: exactly the ticket's headers, and the length."""
        headers = {name: value for name, value in ticket.headers.items() if name.lower() not in FRAMING}
        headers["Content-Length"] = str(self.size)
        try:
            return httpx.Request(ticket.method, web_url(ticket.url), headers=headers, content=content)
        except (TypeError, ValueError) as error:
            message = "The upload ticket holds a method or header that cannot be sent."
            raise UnexpectedResponseError(message, status_code=200, body="") from error


@contextmanager
def opened(file: object, filename: str | None, content_type: str | None) -> Generator[Source]:
    """Open a file to be uploaded. A file that was given open stays open.

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
    return Source(file, filename, content_type or type_of(filename), size)


def send(ticket: UploadTicket, source: Source, timeout: float, on_progress: Progress | None) -> None:
    """Upload a file to its ticket.

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

    request = bounded(source.put(ticket, content()), timeout)
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


async def send_async(ticket: UploadTicket, source: Source, timeout: float, on_progress: Progress | None) -> None:
    """Async send; the file is read beside the event loop."""

    async def content() -> AsyncIterator[bytes]:
        done = 0
        while chunk := await asyncio.to_thread(source.read, done):
            yield chunk
            done += len(chunk)
            if on_progress is not None:
                on_progress(done, source.size)

    request = bounded(source.put(ticket, content()), timeout)
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
