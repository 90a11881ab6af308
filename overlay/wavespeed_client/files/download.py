"""Downloads: an output on its way to a file, which gets its name when it is whole."""

from __future__ import annotations

import asyncio
import os
import uuid
from contextlib import aclosing, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote

import httpx
from attrs import define
from httpx_retries import RetryTransport

from ..errors import APIConnectionError, InvalidInputError, UnexpectedResponseError, WaveSpeedError, error_from_response
from ..settings import DEFAULT_MAX_RETRIES, USER_AGENT
from ..transport.context import Context
from ..transport.retry import policy_for, retry_after
from .outputs import decoded, is_inline, text_of
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
LONGEST_NAME = 150  # bytes


def fetch(
    output: object,
    target: Path,
    timeout: float,
    on_progress: Progress | None,
    max_retries: int = DEFAULT_MAX_RETRIES,
) -> None:
    """Download a file, or decode one that came as text, to its place.

    It is begun again when the connection breaks off or the host fails, as often and with the pauses that reads of the
    API have. Redirects cost requests of their own.

    Args:
        output: The output of a task.
        target: The file to write.
        timeout: Seconds that may pass without progress.
        on_progress: Called with the bytes that are done, and with all bytes if the host tells. Begins again, too.
        max_retries: How often it is begun again at most.

    Raises:
        APIError, UnexpectedResponseError: The storage host refused it, or does not tell where the file ends.
        APIConnectionError: The connection broke off, in the last try as well.
        InvalidInputError: It is no output, or cannot be written.
    """
    text = text_of(output)
    if is_inline(text):
        _keep(decoded(text), target)
        return
    tries = RetryTransport(DownloadTransport(target, timeout, on_progress))
    with _explained():
        _check_whole(tries.handle_request(_asked(text, max_retries)))


async def fetch_async(
    output: object,
    target: Path,
    timeout: float,
    on_progress: Progress | None,
    max_retries: int = DEFAULT_MAX_RETRIES,
) -> None:
    """Async fetch; the file is written beside the event loop."""
    text = text_of(output)
    if is_inline(text):
        await asyncio.to_thread(lambda: _keep(decoded(text), target))
        return
    tries = RetryTransport(DownloadTransport(target, timeout, on_progress))
    with _explained():
        _check_whole(await tries.handle_async_request(_asked(text, max_retries)))


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


def _check_whole(response: httpx.Response) -> None:
    if response.status_code != 200:
        raise error_from_response(response.status_code, response.content, retry_after=retry_after(response))


class DownloadTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """One try of a download, from its own address on: a response of 200 means that the file is whole and in its place.

    Raises:
        DropError: The connection broke off.
        UnexpectedResponseError, InvalidInputError: Another try would meet the same.
    """

    def __init__(self, target: Path, timeout: float, on_progress: Progress | None) -> None:
        self._target = target
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
            return httpx.Response(200)

    @contextmanager
    def _arriving(self, response: httpx.Response) -> Generator[Arrival]:
        total = length_of(response)
        with replacing(self._target) as file:
            arrival = Arrival(file, self._target, total, self._on_progress)
            arrival.tell()
            yield arrival


@define
class Arrival:
    """A file while its parts arrive."""

    file: BinaryIO
    target: Path
    total: int | None
    on_progress: Progress | None
    done: int = 0

    def write(self, chunk: bytes) -> None:
        """Write the next part.

        Raises:
            InvalidInputError: It cannot be written, for instance because the disk is full.
        """
        with _writing(self.target):
            self.done += self.file.write(chunk)

    def tell(self) -> None:
        """Tell the caller how far it is."""
        if self.on_progress is not None:
            self.on_progress(self.done, self.total)


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


def target_path(output: object, to: str | os.PathLike[str]) -> Path:
    """Return where a download goes: `to` itself, or a name from the URL inside it when it is a folder.

    Raises:
        InvalidInputError: It is no output; or the folder does not exist, or cannot be made.
    """
    name = _safe_name(text_of(output))
    try:
        path, text = Path(to), os.fspath(to)
        if text.endswith((os.sep, "/")):
            path.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            return path / name
        missing = "\0" in text or not path.parent.is_dir()
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInputError(f"The file or folder {to!r} cannot be used: {error}.") from error
    if missing:
        raise InvalidInputError(f"The folder {str(path.parent)!r} does not exist.")
    return path


def _safe_name(text: str) -> str:
    """The URL's last segment, as a name that leads nowhere else."""
    segment = "" if is_inline(text) else unquote(web_url(text).path).replace("\\", "/").rpartition("/")[2]
    kept = "".join("_" if character in '<>:"|?*' else character for character in segment if character.isprintable())
    return kept.strip(" .").encode("utf-8", "replace")[-LONGEST_NAME:].decode("utf-8", "ignore") or "output"


@contextmanager
def replacing(target: Path) -> Generator[BinaryIO]:
    """Open a new file beside the target that takes its place when all has gone well, and is gone otherwise.

    Raises:
        InvalidInputError: It cannot be written.
    """
    part = target.with_name(f".{uuid.uuid4().hex}.part")
    with _writing(target):
        file = part.open("xb")
    try:
        yield file
        with _writing(target):
            file.close()  # writes what is left in its buffer
            part.replace(target)
    finally:
        # What could not be written before cannot be now: it is told already.
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def _writing(target: Path) -> Generator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{target.name!r} cannot be written: {error}.") from error


def _keep(content: bytes, target: Path) -> None:
    with replacing(target) as file, _writing(target):
        file.write(content)


def _too_many_redirects() -> WaveSpeedError:
    message = f"The file's address sends on more than {MOST_REDIRECTS} times."
    return UnexpectedResponseError(message, status_code=302, body="")
