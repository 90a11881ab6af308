"""Transfers to and from storage hosts, sync and async. The rules are in `files`; these send and write."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import httpx

from .connection import explained, proxy_for, tls_context
from .errors import APIConnectionError, UnexpectedResponseError, WaveSpeedError, error_from_answer
from .files import MOST_REDIRECTS, Source, decoded, length_of, redirected, replacing, web_url, written
from .settings import USER_AGENT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator
    from pathlib import Path

    from wavespeed_api.models import UploadTicket

    from .files import Progress

MOST_OF_AN_ERROR = 64 * 1024
TRIES = 2


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

    request = _bounded(source.put(ticket, content()), timeout)
    try:
        with _transport(request.url) as transport:
            response = transport.handle_request(request)
            try:
                _check_stored(response, _beginning(response))
            finally:
                response.close()
    except httpx.HTTPError as error:
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

    request = _bounded(source.put(ticket, content()), timeout)
    try:
        async with _async_transport(request.url) as transport:
            response = await transport.handle_async_request(request)
            try:
                _check_stored(response, await _async_beginning(response))
            finally:
                await response.aclose()
    except httpx.HTTPError as error:
        raise _broken_upload(error) from error


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
        with _transport(url) as transport:
            response = transport.handle_request(_bounded(_get(url), timeout))
            try:
                onward = redirected(url, response)
                if onward is None:
                    if response.status_code != 200:
                        raise error_from_answer(response.status_code, _beginning(response))
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
        async with _async_transport(url) as transport:
            response = await transport.handle_async_request(_bounded(_get(url), timeout))
            try:
                onward = redirected(url, response)
                if onward is None:
                    if response.status_code != 200:
                        raise error_from_answer(response.status_code, await _async_beginning(response))
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


def _bounded(request: httpx.Request, timeout: float) -> httpx.Request:
    """The request, with the seconds that may pass without progress."""
    request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
    return request


def _transport(url: httpx.URL) -> httpx.HTTPTransport:
    with explained():
        return httpx.HTTPTransport(verify=tls_context(), proxy=proxy_for(url))


def _async_transport(url: httpx.URL) -> httpx.AsyncHTTPTransport:
    with explained():
        return httpx.AsyncHTTPTransport(verify=tls_context(), proxy=proxy_for(url))


def _beginning(response: httpx.Response) -> bytes:
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MOST_OF_AN_ERROR:
            break
    return body


async def _async_beginning(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MOST_OF_AN_ERROR:
            break
    return body


def _check_stored(response: httpx.Response, body: bytes) -> None:
    if not response.is_success:
        raise error_from_answer(response.status_code, body)


def _broken_upload(error: httpx.HTTPError) -> WaveSpeedError:
    return APIConnectionError(f"The upload broke off ({type(error).__name__}): upload the file again.")


def _broken_download(error: httpx.HTTPError) -> WaveSpeedError:
    return APIConnectionError(f"The download broke off twice ({type(error).__name__}): {error}")


def _too_many_redirects() -> WaveSpeedError:
    message = f"The file's address sends on more than {MOST_REDIRECTS} times."
    return UnexpectedResponseError(message, status_code=302, body="")
