"""The files inside inputs on their way to storage hosts: each content once for each client, several at a time."""

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
from .inputs import PLAIN_NAME, name_of
from .register import Register, Upload
from .storage import web_url
from .upload import beside_loop, opened, send, send_async

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Mapping

    from wavespeed_api.models import UploadQuery

    from ..clock import Deadline
    from ..fields import Place
    from .kinds import FileInput
    from .ticket import UploadTicket
    from .upload import Source

# Uploads at once, for each client.
AT_ONCE = 4
NONE: Mapping[Place, str] = {}


@contextmanager
def of_field(place: Place) -> Generator[None]:
    """Let an error name the field whose file it is about. Its class stays, and nothing was submitted."""
    try:
        yield
    except WaveSpeedError as error:
        error.args = (f"{named(place)} could not be uploaded, so nothing was submitted: {error}",)
        raise


def opened_all(
    stack: ExitStack | AsyncExitStack, files: Mapping[Place, FileInput], digests: Mapping[Place, str]
) -> dict[Place, Source]:
    """Open files and take their digests, so that all that is wrong with them shows before one is uploaded.

    Args:
        stack: Closes them again, and lets a file that was open stand where it stood.
        files: The files.
        digests: The digests that they had before, where they were taken.

    Raises:
        InvalidInputError: One of them cannot be read, is empty, too large or another one; the message names its field.
    """
    sources: dict[int, Source] = {}
    for place, file in files.items():
        if id(file) in sources:
            continue
        with of_field(place):
            name = name_of(file) or (PLAIN_NAME if hasattr(file, "read") else None)
            source = sources[id(file)] = stack.enter_context(opened(file, name, None))
            stack.callback(source.rewind)
            digest = source.take_digest()
            if not source.size:
                raise InvalidInputError(f"{source.filename} is empty, or was read to its end before.")
            if digests.get(place, digest) != digest:
                raise InvalidInputError(f"{source.filename} was changed after its input was taken.")
    return {place: sources[id(file)] for place, file in files.items()}


def contents(sources: Mapping[Place, Source]) -> dict[str, tuple[Place, Source]]:
    """Return each content once, by its digest, with the first place that it is at."""
    found: dict[str, tuple[Place, Source]] = {}
    for place, source in sources.items():
        found.setdefault(source.digest, (place, source))
    return found


def usable(ticket: UploadTicket) -> str:
    """Return the URL that a ticket's file will have.

    Raises:
        UnexpectedResponseError: It is none, and would be paid for in vain.
    """
    web_url(ticket.download_url)
    return ticket.download_url


def shared(files: Mapping[Place, FileInput]) -> list[tuple[int, Place]]:
    """Return what marks the files that only one may read at a time, in an order in which nobody waits in a circle."""
    marks = {id(file): place for place, file in files.items() if not hasattr(file, "__fspath__")}
    return sorted(marks.items())


def too_late() -> APIConnectionError:
    """Make the error of a file that was not uploaded in time."""
    return APIConnectionError("the time was up before it was done.")


@define(eq=False)
class Uploads:
    """The uploads of one `WaveSpeed`, which its threads share.

    Args:
        ask: Asks for a ticket.
        timeout: Seconds that an upload may go without progress.
    """

    ask: Callable[[UploadQuery, Deadline], UploadTicket]
    timeout: float
    _register: Register = field(init=False, factory=Register)
    _slots: threading.Semaphore = field(init=False, factory=partial(threading.Semaphore, AT_ONCE))
    _guard: threading.Lock = field(init=False, factory=threading.Lock)
    _locks: WeakValueDictionary[object, Any] = field(init=False, factory=WeakValueDictionary[object, Any])

    def digests(self, files: Mapping[Place, FileInput], deadline: Deadline) -> dict[Place, str]:
        """Return the digests of the files of an input.

        Raises:
            InvalidInputError: A file cannot be read, or could not be uploaded; the message names its field.
        """
        with ExitStack() as stack:
            sources = self._opened(stack, files, deadline, NONE)
            return {place: source.digest for place, source in sources.items()}

    def urls(
        self, files: Mapping[Place, FileInput], deadline: Deadline, digests: Mapping[Place, str] = NONE
    ) -> dict[Place, Upload]:
        """Upload the files of an input, as far as they are not uploaded.

        Args:
            files: The files.
            deadline: When it is given up.
            digests: Their digests, where they are known: only these contents are uploaded then.

        Raises:
            WaveSpeedError: A file cannot be read or uploaded, or not in time; the message names its field.
        """
        known = {place: self._find(digest) for place, digest in digests.items()}
        if known and None not in known.values():
            return cast("dict[Place, Upload]", known)
        with ExitStack() as stack:
            sources = self._opened(stack, files, deadline, digests)
            made = self._uploaded(contents(sources), deadline)
            return {place: made[source.digest] for place, source in sources.items()}

    def recall(self, uploads: Iterable[Upload]) -> None:
        """Remember what was uploaded elsewhere."""
        with self._guard:
            for upload in uploads:
                self._register.keep(upload)

    def _opened(
        self, stack: ExitStack, files: Mapping[Place, FileInput], deadline: Deadline, digests: Mapping[Place, str]
    ) -> dict[Place, Source]:
        for mark, place in shared(files):
            with of_field(place):
                stack.enter_context(self._held(self._lock(mark), deadline))
        return opened_all(stack, files, digests)

    def _uploaded(self, found: dict[str, tuple[Place, Source]], deadline: Deadline) -> dict[str, Upload]:
        stopped = threading.Event()
        upload = partial(self._upload, deadline, stopped)
        if len(found) == 1:  # here, where Ctrl-C ends it at once
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
                raise too_late()

        with of_field(place), self._held(self._slots, deadline), self._held(self._lock(source.digest), deadline):
            upload = self._find(source.digest)
            if upload is None:
                check(0, None)
                ticket = self.ask(source.query(), deadline)
                url = usable(ticket)
                send(ticket, source, self.timeout, check, deadline.left())
                upload = Upload(source.digest, url, datetime.now(UTC))
                self.recall([upload])
            return upload

    def _find(self, digest: str) -> Upload | None:
        with self._guard:
            return self._register.find(digest, datetime.now(UTC))

    def _lock(self, mark: object) -> threading.Lock:
        with self._guard:
            lock: threading.Lock = self._locks.setdefault(mark, threading.Lock())
            return lock

    @contextmanager
    def _held(self, lock: threading.Lock | threading.Semaphore, deadline: Deadline) -> Generator[None]:
        if not lock.acquire(timeout=min(deadline.left(), threading.TIMEOUT_MAX)):
            raise too_late()
        try:
            yield
        finally:
            lock.release()


@define(eq=False)
class AsyncUploads:
    """Async Uploads, of one `AsyncWaveSpeed`."""

    ask: Callable[[UploadQuery, Deadline], Awaitable[UploadTicket]]
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
        """Remember what was uploaded elsewhere."""
        for upload in uploads:
            self._register.keep(upload)

    async def _opened(
        self, stack: AsyncExitStack, files: Mapping[Place, FileInput], deadline: Deadline, digests: Mapping[Place, str]
    ) -> dict[Place, Source]:
        for mark, place in shared(files):
            with of_field(place):
                async with in_time(deadline):
                    await stack.enter_async_context(self._lock(mark))
        return await beside_loop(partial(opened_all, stack, files, digests))

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
        with of_field(place):
            async with in_time(deadline), self._slots, self._lock(source.digest):
                upload = self._find(source.digest)
                if upload is None:
                    ticket = await self.ask(source.query(), deadline)
                    url = usable(ticket)
                    await send_async(ticket, source, self.timeout, None, deadline.left())
                    upload = Upload(source.digest, url, datetime.now(UTC))
                    self.recall([upload])
                return upload

    def _find(self, digest: str) -> Upload | None:
        return self._register.find(digest, datetime.now(UTC))

    def _lock(self, mark: object) -> asyncio.Lock:
        lock: asyncio.Lock = self._locks.setdefault(mark, asyncio.Lock())
        return lock


@asynccontextmanager
async def in_time(deadline: Deadline) -> AsyncGenerator[None]:
    """End what is awaited within by a deadline.

    Raises:
        APIConnectionError: The time was up.
    """
    left = deadline.left()
    try:
        async with asyncio.timeout(None if math.isinf(left) else left):
            yield
    except TimeoutError as error:
        raise too_late() from error
