"""Downloads: an output on its way to a file, which gets its name when it is whole."""

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
from ..errors import APIConnectionError, InvalidInputError, UnexpectedResponseError, WaveSpeedError, error_from_response
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
    """Download a file, or decode one that came as text, to its place; return its path.

    It is begun again when the connection breaks off or the host fails, as often and with the pauses that reads of the
    API have. Redirects cost requests of their own.

    Args:
        output: The output of a task.
        place: Where it goes.
        timeout: Seconds that may pass without progress.
        on_progress: Called with the bytes that are done, and with all bytes if the host tells. Begins again, too.
        max_retries: How often it is begun again at most.

    Raises:
        APIError, UnexpectedResponseError: The storage host refused it, or does not tell where the file ends.
        APIConnectionError: The connection broke off, in the last try as well.
        InvalidInputError: It is no output, or cannot be written.
    """
    text = _checked(output, on_progress)
    if is_inline(text):
        return keep(decoded(text), place)
    transport = DownloadTransport(place, timeout, on_progress)
    request = _asked(text, max_retries)
    with _explained():
        return _whole(RetryTransport(transport).handle_request(request), transport)


async def fetch_async(
    output: object,
    place: Place,
    timeout: float,
    on_progress: Progress | None,
    max_retries: int = DEFAULT_MAX_RETRIES,
) -> Path:
    """Async fetch; the file is written beside the event loop."""
    text = _checked(output, on_progress)
    if is_inline(text):
        return await asyncio.to_thread(lambda: keep(decoded(text), place))
    transport = DownloadTransport(place, timeout, on_progress)
    request = _asked(text, max_retries)
    with _explained():
        return _whole(await RetryTransport(transport).handle_async_request(request), transport)


def _checked(output: object, on_progress: object) -> str:
    check_callable(on_progress, "on_progress", "the bytes that are done and all bytes")
    return text_of(output)


class Download(httpx.Request):
    """The request that is tried again. httpx-retries logs it, and its URL is signed."""

    def __repr__(self) -> str:
        return "<Download>"


def _asked(text: str, max_retries: int) -> Download:
    policy = policy_for(Context(), submission=False, max_retries=max_retries)
    again = policy.copy_with(retry_on_exceptions=[DropError])
    return Download("GET", web_url(text), extensions={"retry": again})


@contextmanager
def _explained() -> Generator[None]:
    try:
        yield
    except DropError as drop:
        cause = drop.__cause__
        raise APIConnectionError(f"The download broke off ({type(cause).__name__}): {cause}") from cause


def _whole(response: httpx.Response, transport: DownloadTransport) -> Path:
    if transport.path is None:
        raise error_from_response(response.status_code, response.content, retry_after=retry_after(response))
    return transport.path


class DownloadTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """One try of a download, from its own address on: a response of 200 means that the file is whole and in its place.

    Attributes:
        path: Where the file is; None until it is whole.

    Raises:
        DropError: The connection broke off.
        UnexpectedResponseError, InvalidInputError: Another try would meet the same.
    """

    def __init__(self, place: Place, timeout: float, on_progress: Progress | None) -> None:
        self.path: Path | None = None
        self._place = place
        self._timeout = timeout
        self._on_progress = on_progress

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with _answered(request.url, self._timeout) as response:
            if response.status_code != 200:
                return _refusal(response, beginning(response))
            with self._arriving(response) as arrival:
                for chunk in chunks(response):
                    arrival.write(chunk)
                    arrival.tell()
                self.path = arrival.take()
            return httpx.Response(200)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async with _async_answered(request.url, self._timeout) as response:
            if response.status_code != 200:
                return _refusal(response, await async_beginning(response))
            with self._arriving(response) as arrival:
                async with aclosing(async_chunks(response)) as parts:
                    async for chunk in parts:
                        await asyncio.to_thread(arrival.write, chunk)
                        arrival.tell()
                self.path = await asyncio.to_thread(arrival.take)
            return httpx.Response(200)

    @contextmanager
    def _arriving(self, response: httpx.Response) -> Generator[Arrival]:
        total = length_of(response)
        content_type = response.headers.get("Content-Type", "")
        with arriving(self._place, content_type, total, self._on_progress) as arrival:
            arrival.tell()
            yield arrival


@contextmanager
def arriving(place: Place, content_type: str, total: int | None, on_progress: Progress | None) -> Generator[Arrival]:
    """Open a new file that `take` gives its name. It is gone if that did not happen."""
    with part_in(place.folder, place.label) as (file, path):
        yield Arrival(file, path, place, content_type, total, on_progress)


@define
class Arrival:
    """A file while its parts arrive."""

    file: BinaryIO
    part: Path
    place: Place
    content_type: str
    total: int | None
    on_progress: Progress | None
    done: int = 0
    head: bytes = b""

    def write(self, chunk: bytes) -> None:
        """Write the next part.

        Raises:
            InvalidInputError: It cannot be written, for instance because the disk is full.
        """
        if len(self.head) < HEAD:
            self.head += chunk[:HEAD]
        with writing(self.place.label):
            self.done += self.file.write(chunk)

    def tell(self) -> None:
        """Tell the caller how far it is."""
        if self.on_progress is not None:
            self.on_progress(self.done, self.total)

    def take(self) -> Path:
        """Give the file its name, now that it is whole; return its path.

        Raises:
            InvalidInputError: It cannot be written.
        """
        with writing(self.place.label):
            self.file.flush()
            os.fsync(self.file.fileno())  # else a name could outlive a power failure that its bytes do not
            self.file.close()
            return self.place.take(self.part, ending_for(self.content_type) or ending_in(self.head))


@contextmanager
def _answered(url: httpx.URL, timeout: float) -> Generator[httpx.Response]:
    """The response of the host that a file is on, which the URL may send on to."""
    for _ in range(MOST_REDIRECTS + 1):
        with host(url) as transport:
            with network():
                response = transport.handle_request(_get(url, timeout))
            with closing(response):
                onward = redirected(url, response)
                if onward is None:
                    yield response
                    return
                url = onward
    raise _too_many_redirects()


@asynccontextmanager
async def _async_answered(url: httpx.URL, timeout: float) -> AsyncGenerator[httpx.Response]:
    for _ in range(MOST_REDIRECTS + 1):
        async with async_host(url) as transport:
            with network():
                response = await transport.handle_async_request(_get(url, timeout))
            async with aclosing(response):
                onward = redirected(url, response)
                if onward is None:
                    yield response
                    return
                url = onward
    raise _too_many_redirects()


def _get(url: httpx.URL, timeout: float) -> httpx.Request:
    headers = {"Accept-Encoding": "identity", "User-Agent": USER_AGENT}
    return bounded(httpx.Request("GET", url, headers=headers), timeout)


def _refusal(response: httpx.Response, body: bytes) -> httpx.Response:
    """What is left of a response when its connection is closed, for the decision whether to try again."""
    pause = [(name, value) for name, value in response.headers.raw if name.lower() == b"retry-after"]
    return httpx.Response(response.status_code, headers=pause, content=body)


def place_for(output: object, to: str | os.PathLike[str]) -> Place:
    """Return where a download goes: `to` itself, or a name from the URL inside it when it is a folder.

    Raises:
        InvalidInputError: It is no output; or the folder does not exist, or cannot be made; or what is there is neither
            a folder nor a file, but a pipe or device.
    """
    name = _name_for(text_of(output))
    try:
        path, text = Path(to), os.fspath(to)
        if text.endswith((os.sep, "/")):
            folder_at(to)
        if path.is_dir():
            return NewFile(path, name)
        missing = "\0" in text or not path.parent.is_dir()
        other = path.exists() and not path.is_file()
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInputError(f"The file or folder {to!r} cannot be used: {error}.") from error
    if missing:
        raise InvalidInputError(f"The folder {str(path.parent)!r} does not exist.")
    if other:  # such as /dev/null, whose name would go to the file
        raise InvalidInputError(f"{str(path)!r} is no file, and is not replaced by one: name another place.")
    return ThisFile(path)


def _name_for(text: str) -> str:
    if is_inline(text):
        return UNNAMED
    return safe_name(name_in(str(web_url(text)))) or UNNAMED


def keep(inline: Inline, place: Place) -> Path:
    """Write a file that an output holds to its place; return its path.

    Raises:
        InvalidInputError: It cannot be written.
    """
    with arriving(place, inline.content_type, len(inline.content), None) as arrival:
        arrival.write(inline.content)
        return arrival.take()


def _too_many_redirects() -> WaveSpeedError:
    message = f"The file's address sends on more than {MOST_REDIRECTS} times."
    return UnexpectedResponseError(message, status_code=302, body="")
