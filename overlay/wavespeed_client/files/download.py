"""Downloads: an output on its way to a file, which gets its name when it is whole."""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import uuid
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote

import httpx

from ..errors import APIConnectionError, InvalidInputError, UnexpectedResponseError, WaveSpeedError, error_from_response
from ..settings import USER_AGENT
from .storage import async_beginning, async_host, beginning, bounded, host, length_of, redirected, web_url

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator

    Progress = Callable[[int, int | None], object]

MOST_REDIRECTS = 5
TRIES = 2
LONGEST_NAME = 150  # bytes


def fetch(url: str, target: Path, timeout: float, on_progress: Progress | None) -> None:
    """Download a file, or decode one that came as base64, to its place.

    Raises:
        APIError, UnexpectedResponseError: The storage host refused it.
        APIConnectionError: The connection broke off, twice.
        InvalidInputError: It cannot be written.
    """
    if ":" not in url:
        with replacing(target) as file:
            file.writelines(decoded(url))
        return
    for tries_left in reversed(range(TRIES)):
        try:
            with replacing(target) as file:
                done = 0
                for chunk, total in _pieces(web_url(url), timeout):
                    done += written(file, chunk, target)
                    if on_progress is not None:
                        on_progress(done, total)
            return
        except httpx.HTTPError as error:
            if not tries_left:
                raise _broken_download(error) from error


async def fetch_async(url: str, target: Path, timeout: float, on_progress: Progress | None) -> None:
    """Async fetch; the file is written beside the event loop."""
    if ":" not in url:
        await asyncio.to_thread(fetch, url, target, timeout, on_progress)
        return
    for tries_left in reversed(range(TRIES)):
        try:
            with replacing(target) as file:
                done = 0
                async with aclosing(_async_pieces(web_url(url), timeout)) as pieces:
                    async for chunk, total in pieces:
                        done += await asyncio.to_thread(written, file, chunk, target)
                        if on_progress is not None:
                            on_progress(done, total)
            return
        except httpx.HTTPError as error:
            if not tries_left:
                raise _broken_download(error) from error


def _pieces(url: httpx.URL, timeout: float) -> Iterator[tuple[bytes, int | None]]:
    """The parts of a file, each with the file's length; an empty one first."""
    for _ in range(MOST_REDIRECTS + 1):
        with host(url) as transport:
            response = transport.handle_request(bounded(_get(url), timeout))
            try:
                onward = redirected(url, response)
                if onward is None:
                    if response.status_code != 200:
                        raise error_from_response(response.status_code, beginning(response))
                    yield b"", length_of(response)
                    for chunk in response.iter_bytes():
                        yield chunk, length_of(response)
                    return
                url = onward
            finally:
                response.close()
    raise _too_many_redirects()


async def _async_pieces(url: httpx.URL, timeout: float) -> AsyncGenerator[tuple[bytes, int | None]]:
    for _ in range(MOST_REDIRECTS + 1):
        async with async_host(url) as transport:
            response = await transport.handle_async_request(bounded(_get(url), timeout))
            try:
                onward = redirected(url, response)
                if onward is None:
                    if response.status_code != 200:
                        raise error_from_response(response.status_code, await async_beginning(response))
                    yield b"", length_of(response)
                    async for chunk in response.aiter_bytes():
                        yield chunk, length_of(response)
                    return
                url = onward
            finally:
                await response.aclose()
    raise _too_many_redirects()


def _get(url: httpx.URL) -> httpx.Request:
    return httpx.Request("GET", url, headers={"Accept-Encoding": "identity", "User-Agent": USER_AGENT})


def target_path(url: str, to: str | os.PathLike[str]) -> Path:
    """Return where a download goes: `to` itself, or a name from the URL inside it when it is a folder.

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
    """Open a new file beside the target that takes its place when all has gone well, and is gone otherwise.

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
    """Write a chunk; return how many bytes that were: all of them.

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
    """Decode an output that came as base64.

    Raises:
        InvalidInputError: It is neither a URL nor base64.
    """
    try:
        yield base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInputError("This output is neither a URL nor base64 data.") from error


def _broken_download(error: httpx.HTTPError) -> WaveSpeedError:
    return APIConnectionError(f"The download broke off twice ({type(error).__name__}): {error}")


def _too_many_redirects() -> WaveSpeedError:
    message = f"The file's address sends on more than {MOST_REDIRECTS} times."
    return UnexpectedResponseError(message, status_code=302, body="")
