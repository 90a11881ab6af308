"""Save all outputs of a task to a folder, at most 4 at once."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field

from ..arguments import check_callable, task_of
from ..errors import ConfigurationError, InvalidInputError, TaskError, WaveSpeedError, concerning
from ..media.kinds import ending_for, ending_in, name_in
from ..task import Task
from ..waiting.wait import completed
from .download import fetch, fetch_async, write_inline
from .names import ending_of, safe_name
from .outputs import Inline, contained
from .places import OwnFile, folder_at, writing

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from ..settings import Settings

    Progress = Callable[[int, int | None], object]

MOST_AT_ONCE = 4

# Seconds that an interrupted save gives its threads to delete their part files.
SHUTDOWN = 5.0


@define(eq=False)
class Saving:
    """The outputs of one task while they are saved. Threads may share it: each works on another output."""

    task: Task
    folder: Path
    on_progress: Progress | None
    _done: list[int] = field(init=False)
    _totals: list[int | None] = field(init=False)
    _reported: tuple[int, int | None] | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._done = [0] * len(self.task.outputs)
        self._totals = [None] * len(self.task.outputs)

    @property
    def numbers(self) -> range:
        """The indices of the outputs."""
        return range(len(self.task.outputs))

    def local(self, number: int) -> Path | OwnFile:
        """Return the path of an output that needs no download, or else the place to download it to.

        An inline output is written; a file that an earlier call saved is kept.

        Raises:
            InvalidInputError: The file cannot be written.
        """
        place, inline = place_in(self.folder, self.task, number)
        path = place.existing() or (write_inline(inline, place) if inline else None)
        if path is None:
            return place
        with writing(place.label):
            size = path.stat().st_size
        self.record(number, size, size)
        return path

    def record(self, number: int, done: int, total: int | None) -> None:
        """Record the bytes of an output that are done."""
        self._done[number], self._totals[number] = done, total

    def report(self) -> None:
        """Report the bytes of all outputs to the caller. The total is None until every host has sent a length."""
        known = [total for total in self._totals if total is not None]
        now = sum(self._done), sum(known) if len(known) == len(self._totals) else None
        if self.on_progress is not None and now != self._reported:
            self._reported = now
            self.on_progress(*now)

    def paths(self, results: list[Path | WaveSpeedError]) -> list[Path]:
        """Return the paths of all outputs.

        Raises:
            WaveSpeedError: The error of the first output that was not saved.
        """
        for number, result in enumerate(results, start=1):
            if isinstance(result, WaveSpeedError):
                result.add_note(
                    f"Output {number} of task {self.task.id} was not saved. Save the task again: complete files in "
                    f"{str(self.folder)!r} are not downloaded again."
                )
                raise result
        return [result for result in results if not isinstance(result, WaveSpeedError)]


def start(found: object, folder: str | os.PathLike[str], on_progress: Progress | None) -> Saving:
    """Check what to save, and create the folder.

    Raises:
        TaskError: The task is still running, or did not complete.
        WaveSpeedError: The outcome's own error.
        InvalidInputError: This is neither a task nor an outcome, or the folder cannot be created.
    """
    check_callable(on_progress, "on_progress", "the bytes received and the total")
    task = found if isinstance(found, Task) else getattr(found, "task", None)
    error = getattr(found, "error", None)
    if isinstance(error, WaveSpeedError) and task is None:
        raise error
    if not isinstance(task, Task):
        raise InvalidInputError(
            f"save takes a task or an outcome, not {type(found).__name__}: with an id, use ws.save(ws.get(id), folder)."
        )
    with concerning(task):
        if isinstance(error, WaveSpeedError):
            raise error
        return Saving(_completed(task_of(task)), folder_at(folder), on_progress)


def place_in(folder: Path, task: Task, number: int) -> tuple[OwnFile, Inline | None]:
    """Return the place of a task's output in a folder, and the file if the output is inline.

    Raises:
        InvalidInputError: The output is an object that cannot be written as JSON.
    """
    output = task.outputs[number]
    inline = contained(output)
    ending = _ending_of_inline(inline) if inline else ending_of(safe_name(name_in(str(output))))
    return OwnFile(folder, f"{task.id}-{number + 1}", ending), inline


def _completed(task: Task) -> Task:
    if not task.done:
        message = f"Task {task.id} is still running (status {task.status!r}): call ws.save(ws.wait(task), folder)."
        raise TaskError(message, task=task)
    return completed(task)


def _ending_of_inline(inline: Inline) -> str:
    return ending_for(inline.content_type) or ending_in(inline.content) or ".bin"


def save(found: object, folder: str | os.PathLike[str], settings: Settings, on_progress: Progress | None) -> list[Path]:
    """Save the outputs of a task or an outcome; return their paths, in the order of the outputs.

    Complete files are not downloaded again; each other URL costs one request to its host. If one output fails, the
    others are still saved.

    Args:
        found: The task or outcome.
        folder: Where the files go; created if needed.
        settings: The timeout and the retries of each download.
        on_progress: Called in the caller's thread with the bytes of all outputs.

    Raises:
        WaveSpeedError: See `start` and `fetch`; has `.task`.
    """
    saving = start(found, folder, on_progress)
    with concerning(saving.task):
        return saving.paths(_Threads(saving, settings).results())


@define(eq=False)
class _Threads:
    """Threads that save a task's outputs, while the caller's thread waits and reports progress."""

    saving: Saving
    settings: Settings
    _news: threading.Event = field(init=False, factory=threading.Event)
    _stopped: bool = field(init=False, default=False)

    def results(self) -> list[Path | WaveSpeedError]:
        """Return the path or the error of each output."""
        pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="wavespeed-save")
        futures: list[Future[Path | WaveSpeedError]] = []
        try:
            for number in self.saving.numbers:
                futures.append(_submitted(pool, partial(copy_context().run, partial(self._result, number))))
                futures[-1].add_done_callback(lambda _: self._news.set())
            while not all(future.done() for future in futures):
                self._news.wait(1.0)  # Windows handles Ctrl-C only between two waits
                self._news.clear()
                self.saving.report()
            self.saving.report()
        finally:
            self._stopped = True
            pool.shutdown(wait=False, cancel_futures=True)
            wait([future for future in futures if not future.cancelled()], SHUTDOWN)
        return [future.result() for future in futures]

    def _result(self, number: int) -> Path | WaveSpeedError:
        try:
            found = self.saving.local(number)
            if isinstance(found, Path):
                return found
            output, record = self.saving.task.outputs[number], partial(self._record, number)
            return fetch(output, found, self.settings.timeout, record, self.settings.max_retries)
        except WaveSpeedError as error:
            return error

    def _record(self, number: int, done: int, total: int | None) -> None:
        if self._stopped:
            raise _StoppedError
        self.saving.record(number, done, total)
        self._news.set()


class _StoppedError(Exception):
    """The caller has stopped waiting; raised in a download to end it."""


def _submitted(
    pool: ThreadPoolExecutor, function: Callable[[], Path | WaveSpeedError]
) -> Future[Path | WaveSpeedError]:
    try:
        return pool.submit(function)
    except RuntimeError as error:
        raise ConfigurationError(f"No thread can be started to save the outputs: {error}") from error


async def save_async(
    found: object, folder: str | os.PathLike[str], settings: Settings, on_progress: Progress | None
) -> list[Path]:
    """Async save."""
    saving = await asyncio.to_thread(start, found, folder, on_progress)
    slots = asyncio.Semaphore(MOST_AT_ONCE)

    def record(number: int, done: int, total: int | None) -> None:
        saving.record(number, done, total)
        saving.report()

    async def result_of(number: int) -> Path | WaveSpeedError:
        async with slots:
            try:
                found = await asyncio.to_thread(saving.local, number)
                if isinstance(found, OwnFile):
                    output, progress = saving.task.outputs[number], partial(record, number)
                    return await fetch_async(output, found, settings.timeout, progress, settings.max_retries)
            except WaveSpeedError as error:
                return error
        saving.report()
        return found

    with concerning(saving.task):
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(result_of(number)) for number in saving.numbers]
        except BaseExceptionGroup as failures:  # raised by on_progress, so the caller's own
            raise failures.exceptions[0] from None
        return saving.paths([task.result() for task in tasks])
