"""Download an output to a file. The file gets its final name once it is complete."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import httpx
from attrs import define
from httpx_retries import RetryTransport

from ..arguments import check_callable
from ..errors import InvalidInputError, UnexpectedResponseError, WaveSpeedError, error_from_response
from ..media.kinds import HEAD, ending_for, ending_in, name_in
from ..settings import DEFAULT_MAX_RETRIES, USER_AGENT
from ..transport.context import Context
from ..transport.retry import policy_for, retry_after
from .names import safe_name
from .outputs import Inline, decoded, is_inline, text_of
from .places import NewFile, Place, ThisFile, folder_at, part_in, writing
from .storage import (
    DropError,
    async_beginning,
    async_chunks,
    async_host,
    beginning,
    bounded,
    chunks,
    connection_error,
    dropping,
    host,
    length_of,
    network,
    redirected,
    web_url,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    Progress = Callable[[int, int | None], object]

MOST_REDIRECTS = 5
UNNAMED = "output"


def fetch(
    output: object,
    place: Place,
    timeout: float,
    on_progress: Progress | None,
    max_retries: int = DEFAULT_MAX_RETRIES,
) -> Path:
    """Download an output, or decode one that is inline, to its place; return its path.

    Dropped connections and failures of the host are retried from the first byte, with the same backoff as the API's
    GET requests. Costs one request, and one more for each redirect and retry.

    Args:
        output: The output of a task.
        place: Where the file goes.
        timeout: Seconds without progress after which an attempt fails.
        on_progress: Called with the bytes received and the total (None if unknown). A retry starts again at 0.
        max_retries: The most retries.

    Raises:
        APIError, UnexpectedResponseError: The host refused, or does not say where the file ends.
        APIConnectionError: The connection failed in the last attempt, too.
        InvalidInputError: This is not an output, or the file cannot be written.
    """
    text = _checked(output, on_progress)
    if is_inline(text):
        return write_inline(decoded(text), place)
    transport = DownloadTransport(place, timeout, on_progress)
    request = _request(text, max_retries)
    with _drops_explained():
        return _path(RetryTransport(transport).handle_request(request), transport)


async def fetch_async(
    output: object,
    place: Place,
    timeout: float,
    on_progress: Progress | None,
    max_retries: int = DEFAULT_MAX_RETRIES,
) -> Path:
    """Async fetch; writes the file in a thread."""
    text = _checked(output, on_progress)
    if is_inline(text):
        return await asyncio.to_thread(lambda: write_inline(decoded(text), place))
    transport = DownloadTransport(place, timeout, on_progress)
    request = _request(text, max_retries)
    with _drops_explained():
        return _path(await RetryTransport(transport).handle_async_request(request), transport)


def _checked(output: object, on_progress: object) -> str:
    check_callable(on_progress, "on_progress", "the bytes received and the total")
    return text_of(output)


class Download(httpx.Request):
    """A GET without its URL in the repr: httpx-retries logs it, and the URL may be signed."""

    def __repr__(self) -> str:
        return "<Download>"


def _request(text: str, max_retries: int) -> Download:
    policy = policy_for(Context(), submission=False, max_retries=max_retries)
    retry = policy.copy_with(retry_on_exceptions=[DropError])
    return Download("GET", web_url(text), extensions={"retry": retry})


@contextmanager
def _drops_explained() -> Generator[None]:
    try:
        yield
    except DropError as drop:
        if drop.__cause__ is None or drop.url is None:
            raise
        raise connection_error("download from", drop.url, drop.__cause__) from drop.__cause__


def _path(response: httpx.Response, transport: DownloadTransport) -> Path:
    if transport.path is None:
        raise error_from_response(response.status_code, response.content, retry_after=retry_after(response))
    return transport.path


class DownloadTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that carries out one attempt at a download, redirects included.

    It returns 200 once the file is complete and in its place.

    Attributes:
        path: Where the file is; None until it is complete.

    Raises:
        DropError: The connection failed; retry.
        UnexpectedResponseError, InvalidInputError: A retry would not help.
    """

    def __init__(self, place: Place, timeout: float, on_progress: Progress | None) -> None:
        self.path: Path | None = None
        self._place = place
        self._timeout = timeout
        self._on_progress = on_progress

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with _followed(request.url, self._timeout) as response:
            if response.status_code != 200:
                return _refusal(response, beginning(response))
            with self._part(response) as part:
                for chunk in chunks(response):
                    part.write(chunk)
                    part.report()
                self.path = part.finish()
            return httpx.Response(200)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async with _async_followed(request.url, self._timeout) as response:
            if response.status_code != 200:
                return _refusal(response, await async_beginning(response))
            with self._part(response) as part:
                async with aclosing(async_chunks(response)) as body:
                    async for chunk in body:
                        await asyncio.to_thread(part.write, chunk)
                        part.report()
                self.path = await asyncio.to_thread(part.finish)
            return httpx.Response(200)

    @contextmanager
    def _part(self, response: httpx.Response) -> Generator[PartFile]:
        total = length_of(response)
        content_type = response.headers.get("Content-Type", "")
        with part_file(self._place, content_type, total, self._on_progress) as part:
            part.report()
            yield part


@contextmanager
def part_file(place: Place, content_type: str, total: int | None, on_progress: Progress | None) -> Generator[PartFile]:
    """Open a part file; delete it on exit unless `finish` gave it its final name."""
    with part_in(place.folder, place.label) as (file, path):
        yield PartFile(file, path, place, content_type, total, on_progress)


@define
class PartFile:
    """A file that is still incomplete."""

    file: BinaryIO
    path: Path
    place: Place
    content_type: str
    total: int | None
    on_progress: Progress | None
    done: int = 0
    head: bytes = b""

    def write(self, chunk: bytes) -> None:
        """Write the next bytes.

        Raises:
            InvalidInputError: They cannot be written, for example because the disk is full.
        """
        if len(self.head) < HEAD:
            self.head += chunk[:HEAD]
        with writing(self.place.label):
            self.done += self.file.write(chunk)

    def report(self) -> None:
        """Report progress to the caller."""
        if self.on_progress is not None:
            self.on_progress(self.done, self.total)

    def finish(self) -> Path:
        """Give the complete file its final name; return its path.

        Raises:
            InvalidInputError: The file cannot be written.
        """
        with writing(self.place.label):
            self.file.flush()
            os.fsync(self.file.fileno())  # otherwise a power failure could keep the name and lose the bytes
            self.file.close()
            return self.place.take(self.path, ending_for(self.content_type) or ending_in(self.head))


@contextmanager
def _followed(url: httpx.URL, timeout: float) -> Generator[httpx.Response]:
    """Open a URL, following redirects; yield the last response."""
    for _ in range(MOST_REDIRECTS + 1):
        with host(url) as transport, dropping(url):
            with network():
                response = transport.handle_request(_get(url, timeout))
            with closing(response):
                target = redirected(url, response)
                if target is None:
                    yield response
                    return
                url = target
    raise _too_many_redirects()


@asynccontextmanager
async def _async_followed(url: httpx.URL, timeout: float) -> AsyncGenerator[httpx.Response]:
    for _ in range(MOST_REDIRECTS + 1):
        async with async_host(url) as transport:
            with dropping(url):
                with network():
                    response = await transport.handle_async_request(_get(url, timeout))
                async with aclosing(response):
                    target = redirected(url, response)
                    if target is None:
                        yield response
                        return
                    url = target
    raise _too_many_redirects()


def _get(url: httpx.URL, timeout: float) -> httpx.Request:
    headers = {"Accept-Encoding": "identity", "User-Agent": USER_AGENT}
    return bounded(httpx.Request("GET", url, headers=headers), timeout)


def _refusal(response: httpx.Response, body: bytes) -> httpx.Response:
    """Copy the parts of a response that decide about a retry; its connection is closed before."""
    headers = [(name, value) for name, value in response.headers.raw if name.lower() == b"retry-after"]
    return httpx.Response(response.status_code, headers=headers, content=body)


def place_for(output: object, to: str | os.PathLike[str]) -> Place:
    """Return where a download goes: to `to`, or into it under a name from the URL if it is a folder.

    A path that ends in a slash names a folder, which is created if needed.

    Raises:
        InvalidInputError: This is not an output, the folder does not exist or cannot be created, or `to` is a pipe or
            a device.
    """
    name = _name_for(text_of(output))
    try:
        path, text = Path(to), os.fsdecode(os.fsencode(to))  # a name with half of a pair is refused
        if text.endswith((os.sep, "/")):
            folder_at(to)
        if path.is_dir():
            return NewFile(path, name)
        missing = "\0" in text or not path.parent.is_dir()
        special = path.exists() and not path.is_file()
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInputError(f"The file or folder {to!r} cannot be used: {error}.") from error
    if missing:
        raise InvalidInputError(f"The folder {str(path.parent)!r} does not exist: create it first.")
    if special:  # /dev/null, for example, would be replaced
        raise InvalidInputError(f"{str(path)!r} is a pipe or a device, not a file: choose another path.")
    return ThisFile(path)


def _name_for(text: str) -> str:
    if is_inline(text):
        return UNNAMED
    return safe_name(name_in(str(web_url(text)))) or UNNAMED


def write_inline(inline: Inline, place: Place) -> Path:
    """Write an inline output to its place; return its path.

    Raises:
        InvalidInputError: The file cannot be written.
    """
    with part_file(place, inline.content_type, len(inline.content), None) as part:
        part.write(inline.content)
        return part.finish()


def _too_many_redirects() -> WaveSpeedError:
    message = f"The file's URL redirects more than {MOST_REDIRECTS} times."
    return UnexpectedResponseError(message, status_code=302, body="")
