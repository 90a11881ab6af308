"""Upload the files inside inputs, several at a time. One client uploads equal contents only once."""

from __future__ import annotations

import asyncio
import math
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from contextvars import copy_context
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakValueDictionary

from attrs import define, field

from ..errors import APIConnectionError, InvalidInputError, WaveSpeedError
from ..fields import named
from ..transport.context import Context
from .inputs import PLAIN_NAME, name_of
from .register import Register, Upload
from .storage import web_url
from .upload import in_thread, opened, send, send_async

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterable, Mapping

    from ..calls import Calls
    from ..clock import Deadline
    from ..fields import Place
    from .kinds import FileInput
    from .ticket import UploadTicket
    from .upload import Source

# Uploads at once, for each client.
AT_ONCE = 4
NONE: Mapping[Place, str] = {}


@contextmanager
def naming_field(place: Place) -> Generator[None]:
    """Add the field's name to an error about its file."""
    try:
        yield
    except WaveSpeedError as error:
        error.args = (f"{named(place)} could not be uploaded, so nothing was submitted: {error}",)
        raise


def opened_all(
    stack: ExitStack | AsyncExitStack, files: Mapping[Place, FileInput], digests: Mapping[Place, str]
) -> dict[Place, Source]:
    """Open all files and compute their digests, so that a bad file is found before any is uploaded.

    Args:
        stack: Closes the files; rewinds those that were open before.
        files: The files.
        digests: The digests they must have, where known.

    Raises:
        InvalidInputError: A file cannot be read, is empty, too large, or changed; the message names its field.
    """
    sources: dict[int, Source] = {}
    for place, file in files.items():
        if id(file) in sources:
            continue
        with naming_field(place):
            name = name_of(file) or (PLAIN_NAME if hasattr(file, "read") else None)
            source = sources[id(file)] = stack.enter_context(opened(file, name, None))
            stack.callback(source.rewind)
            digest = source.take_digest()
            if not source.size:
                raise InvalidInputError(f"{source.filename} is empty, or was already read to its end: call seek(0).")
            if digests.get(place, digest) != digest:
                raise InvalidInputError(f"{source.filename} was changed after its input was read.")
    return {place: sources[id(file)] for place, file in files.items()}


def contents(sources: Mapping[Place, Source]) -> dict[str, tuple[Place, Source]]:
    """Return each distinct content, by digest, with the first place where it occurs."""
    found: dict[str, tuple[Place, Source]] = {}
    for place, source in sources.items():
        found.setdefault(source.digest, (place, source))
    return found


def checked_url(ticket: UploadTicket) -> str:
    """Return the URL that the uploaded file will have.

    Raises:
        UnexpectedResponseError: It is not an http(s) URL, so no task could use the file.
    """
    web_url(ticket.download_url)
    return ticket.download_url


def exclusive(files: Mapping[Place, FileInput]) -> list[tuple[int, Place]]:
    """Return a lock key and a place for each open file and image: only one thread may read it at a time.

    Sorted, so that threads that lock several files cannot deadlock.
    """
    keys = {id(file): place for place, file in files.items() if not hasattr(file, "__fspath__")}
    return sorted(keys.items())


def timed_out() -> APIConnectionError:
    """Return the error for an upload that missed its deadline."""
    return APIConnectionError("the timeout ended before the upload was complete.")


@define(eq=False)
class Uploads:
    """The uploads of one `WaveSpeed`. Thread-safe.

    Args:
        calls: The calls of the client.
        timeout: Seconds without progress after which an upload fails.
    """

    calls: Calls
    timeout: float
    _register: Register = field(init=False, factory=Register)
    _slots: threading.Semaphore = field(init=False, factory=partial(threading.Semaphore, AT_ONCE))
    _guard: threading.Lock = field(init=False, factory=threading.Lock)
    _locks: WeakValueDictionary[object, Any] = field(init=False, factory=WeakValueDictionary[object, Any])

    def digests(self, files: Mapping[Place, FileInput], deadline: Deadline) -> dict[Place, str]:
        """Return the digests of an input's files. Costs no request.

        Raises:
            InvalidInputError: A file cannot be read, or would be refused by `urls`; the message names its field.
        """
        with ExitStack() as stack:
            sources = self._opened(stack, files, deadline, NONE)
            return {place: source.digest for place, source in sources.items()}

    def urls(
        self, files: Mapping[Place, FileInput], deadline: Deadline, digests: Mapping[Place, str] = NONE
    ) -> dict[Place, Upload]:
        """Return the uploads of an input's files. Costs two requests for each content that is not uploaded yet.

        Args:
            files: The files.
            deadline: When to give up.
            digests: The digests that the files must have, where known.

        Raises:
            WaveSpeedError: A file cannot be read or uploaded in time; the message names its field.
        """
        known = {place: self._find(digest) for place, digest in digests.items()}
        if known and None not in known.values():
            return cast("dict[Place, Upload]", known)
        with ExitStack() as stack:
            sources = self._opened(stack, files, deadline, digests)
            made = self._uploaded(contents(sources), deadline)
            return {place: made[source.digest] for place, source in sources.items()}

    def recall(self, uploads: Iterable[Upload]) -> None:
        """Register uploads, for example those of an earlier run."""
        with self._guard:
            for upload in uploads:
                self._register.keep(upload)

    def _opened(
        self, stack: ExitStack, files: Mapping[Place, FileInput], deadline: Deadline, digests: Mapping[Place, str]
    ) -> dict[Place, Source]:
        for key, place in exclusive(files):
            with naming_field(place):
                stack.enter_context(self._held(self._lock(key), deadline))
        return opened_all(stack, files, digests)

    def _uploaded(self, found: dict[str, tuple[Place, Source]], deadline: Deadline) -> dict[str, Upload]:
        stopped = threading.Event()
        upload = partial(self._upload, deadline, stopped)
        if len(found) == 1:  # in the caller's thread, where Ctrl-C ends it at once
            return {digest: upload(place, source) for digest, (place, source) in found.items()}
        with ThreadPoolExecutor(AT_ONCE, "wavespeed-upload") as threads:
            try:
                work = {
                    digest: threads.submit(copy_context().run, partial(upload, place, source))
                    for digest, (place, source) in found.items()
                }
                ended = wait(work.values(), return_when=FIRST_EXCEPTION).done
                return {digest: future.result() for digest, future in work.items() if future in ended}
            finally:
                stopped.set()
                threads.shutdown(wait=False, cancel_futures=True)

    def _upload(self, deadline: Deadline, stopped: threading.Event, place: Place, source: Source) -> Upload:
        def check(_done: int, _size: int | None) -> None:
            if stopped.is_set() or not deadline.left():
                raise timed_out()

        with naming_field(place), self._held(self._slots, deadline), self._held(self._lock(source.digest), deadline):
            upload = self._find(source.digest)
            if upload is None:
                check(0, None)
                ticket = self.calls.upload(Context(deadline), source.query()).send()
                url = checked_url(ticket)
                send(ticket, source, self.timeout, check, deadline.left())
                upload = Upload(source.digest, url, datetime.now(UTC))
                self.recall([upload])
            return upload

    def _find(self, digest: str) -> Upload | None:
        with self._guard:
            return self._register.find(digest, datetime.now(UTC))

    def _lock(self, key: object) -> threading.Lock:
        with self._guard:
            lock: threading.Lock = self._locks.setdefault(key, threading.Lock())
            return lock

    @contextmanager
    def _held(self, lock: threading.Lock | threading.Semaphore, deadline: Deadline) -> Generator[None]:
        if not lock.acquire(timeout=min(deadline.left(), threading.TIMEOUT_MAX)):
            raise timed_out()
        try:
            yield
        finally:
            lock.release()


@define(eq=False)
class AsyncUploads:
    """Async Uploads, of one `AsyncWaveSpeed`."""

    calls: Calls
    timeout: float
    _register: Register = field(init=False, factory=Register)
    _slots: asyncio.Semaphore = field(init=False, factory=partial(asyncio.Semaphore, AT_ONCE))
    _locks: WeakValueDictionary[object, Any] = field(init=False, factory=WeakValueDictionary[object, Any])

    async def digests(self, files: Mapping[Place, FileInput], deadline: Deadline) -> dict[Place, str]:
        """Async digests."""
        async with AsyncExitStack() as stack:
            sources = await self._opened(stack, files, deadline, NONE)
            return {place: source.digest for place, source in sources.items()}

    async def urls(
        self, files: Mapping[Place, FileInput], deadline: Deadline, digests: Mapping[Place, str] = NONE
    ) -> dict[Place, Upload]:
        """Async urls."""
        known = {place: self._find(digest) for place, digest in digests.items()}
        if known and None not in known.values():
            return cast("dict[Place, Upload]", known)
        async with AsyncExitStack() as stack:
            sources = await self._opened(stack, files, deadline, digests)
            made = await self._uploaded(contents(sources), deadline)
            return {place: made[source.digest] for place, source in sources.items()}

    def recall(self, uploads: Iterable[Upload]) -> None:
        """Register uploads, for example those of an earlier run."""
        for upload in uploads:
            self._register.keep(upload)

    async def _opened(
        self, stack: AsyncExitStack, files: Mapping[Place, FileInput], deadline: Deadline, digests: Mapping[Place, str]
    ) -> dict[Place, Source]:
        for key, place in exclusive(files):
            with naming_field(place):
                async with in_time(deadline):
                    await stack.enter_async_context(self._lock(key))
        return await in_thread(partial(opened_all, stack, files, digests))

    async def _uploaded(self, found: dict[str, tuple[Place, Source]], deadline: Deadline) -> dict[str, Upload]:
        try:
            async with asyncio.TaskGroup() as group:
                work = {digest: group.create_task(self._upload(deadline, *one)) for digest, one in found.items()}
        except ExceptionGroup as failed:
            error = failed.exceptions[0]
        else:
            return {digest: task.result() for digest, task in work.items()}
        raise error

    async def _upload(self, deadline: Deadline, place: Place, source: Source) -> Upload:
        with naming_field(place):
            async with in_time(deadline), self._slots, self._lock(source.digest):
                upload = self._find(source.digest)
                if upload is None:
                    ticket = await self.calls.upload(Context(deadline), source.query()).asend()
                    url = checked_url(ticket)
                    await send_async(ticket, source, self.timeout, None, deadline.left())
                    upload = Upload(source.digest, url, datetime.now(UTC))
                    self.recall([upload])
                return upload

    def _find(self, digest: str) -> Upload | None:
        return self._register.find(digest, datetime.now(UTC))

    def _lock(self, key: object) -> asyncio.Lock:
        lock: asyncio.Lock = self._locks.setdefault(key, asyncio.Lock())
        return lock


@asynccontextmanager
async def in_time(deadline: Deadline) -> AsyncGenerator[None]:
    """Cancel the code in the `with` block at a deadline.

    Raises:
        APIConnectionError: The deadline has passed.
    """
    left = deadline.left()
    try:
        async with asyncio.timeout(None if math.isinf(left) else left):
            yield
    except TimeoutError as error:
        raise timed_out() from error
