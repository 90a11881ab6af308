"""Saving a task: all of its outputs on their way into a folder, at most 4 at once."""

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
from .download import fetch, fetch_async, keep
from .names import ending_of, safe_name
from .outputs import Inline, contained
from .places import OwnFile, folder_at, writing

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from ..settings import Settings

    Progress = Callable[[int, int | None], object]

MOST_AT_ONCE = 4

# Seconds for which an interrupted save waits for its threads, which remove what is not whole and end.
FAREWELL = 5.0


@define(eq=False)
class Saving:
    """The outputs of one task while they are saved. Threads may share it: each output has places of its own in it."""

    task: Task
    folder: Path
    on_progress: Progress | None
    _done: list[int] = field(init=False)
    _totals: list[int | None] = field(init=False)
    _told: tuple[int, int | None] | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._done = [0] * len(self.task.outputs)
        self._totals = [None] * len(self.task.outputs)

    @property
    def numbers(self) -> range:
        """The places of the outputs, from 0."""
        return range(len(self.task.outputs))

    def at_hand(self, number: int) -> Path | OwnFile:
        """Return the path of an output that needs no request: it is saved already, or holds its file itself, which is
        written here. For any other one return where it is to be fetched to.

        Raises:
            InvalidInputError: It cannot be written.
        """
        output = self.task.outputs[number]
        inline = contained(output)
        ending = _ending_of_inline(inline) if inline else ending_of(safe_name(name_in(str(output))))
        place = OwnFile(self.folder, f"{self.task.id}-{number + 1}", ending)
        path = place.existing() or (keep(inline, place) if inline else None)
        if path is None:
            return place
        with writing(place.label):
            size = path.stat().st_size
        self.record(number, size, size)
        return path

    def record(self, number: int, done: int, total: int | None) -> None:
        """Take in how many bytes of an output are done."""
        self._done[number], self._totals[number] = done, total

    def tell(self) -> None:
        """Tell the caller how many bytes of all outputs are done, and of how many once all hosts have told."""
        known = [total for total in self._totals if total is not None]
        now = sum(self._done), sum(known) if len(known) == len(self._totals) else None
        if self.on_progress is not None and now != self._told:
            self._told = now
            self.on_progress(*now)

    def paths(self, ends: list[Path | WaveSpeedError]) -> list[Path]:
        """Return the paths of all outputs.

        Raises:
            WaveSpeedError: The error of the first output that was not saved.
        """
        for number, end in enumerate(ends, start=1):
            if isinstance(end, WaveSpeedError):
                end.add_note(
                    f"Output {number} of task {self.task.id} was not saved. Save the task again: what is whole in "
                    f"{str(self.folder)!r} is not fetched again."
                )
                raise end
        return [end for end in ends if not isinstance(end, WaveSpeedError)]


def begun(found: object, folder: str | os.PathLike[str], on_progress: Progress | None) -> Saving:
    """Begin to save a task, or an outcome's.

    Raises:
        TaskError: The task has not ended, or not as completed.
        WaveSpeedError: The error of the outcome.
        InvalidInputError: It is neither a task nor an outcome; the folder cannot be made.
    """
    check_callable(on_progress, "on_progress", "the bytes that are done and all bytes")
    task = found if isinstance(found, Task) else getattr(found, "task", None)
    error = getattr(found, "error", None)
    if isinstance(error, WaveSpeedError) and task is None:
        raise error
    if not isinstance(task, Task):
        raise InvalidInputError(
            f"save takes a task or an outcome, not {type(found).__name__}; of an id: ws.save(ws.get(id), folder)."
        )
    with concerning(task):
        if isinstance(error, WaveSpeedError):
            raise error
        return Saving(_completed(task_of(task)), folder_at(folder), on_progress)


def _completed(task: Task) -> Task:
    if not task.done:
        message = f"Task {task.id} has not ended (status {task.status!r}): ws.save(ws.wait(task), folder) waits for it."
        raise TaskError(message, task=task)
    return completed(task)


def _ending_of_inline(inline: Inline) -> str:
    return ending_for(inline.content_type) or ending_in(inline.content) or ".bin"


def save(found: object, folder: str | os.PathLike[str], settings: Settings, on_progress: Progress | None) -> list[Path]:
    """Save the outputs of a task or an outcome; return their paths, in the order of the outputs.

    What is whole already is not fetched. Each other URL costs a request to its host. When one output fails, the others
    are saved all the same.

    Args:
        found: The task, or the outcome.
        folder: Where they go; it is made if it is not there.
        settings: How long a host may be silent, and how often a download is begun again.
        on_progress: Called in the caller's thread with the bytes of all outputs.

    Raises:
        WaveSpeedError: See `begun`, and `fetch`. It names the task.
    """
    saving = begun(found, folder, on_progress)
    with concerning(saving.task):
        return saving.paths(_Threads(saving, settings).ends())


@define(eq=False)
class _Threads:
    """The threads that save a task's outputs, for a caller that waits and hears of the progress."""

    saving: Saving
    settings: Settings
    _news: threading.Event = field(init=False, factory=threading.Event)
    _stopped: bool = field(init=False, default=False)

    def ends(self) -> list[Path | WaveSpeedError]:
        """Return what became of each output."""
        pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="wavespeed-save")
        futures: list[Future[Path | WaveSpeedError]] = []
        try:
            for number in self.saving.numbers:
                futures.append(_started(pool, partial(copy_context().run, partial(self._end, number))))
                futures[-1].add_done_callback(lambda _: self._news.set())
            while not all(future.done() for future in futures):
                self._news.wait(1.0)  # on Windows, Ctrl-C is noticed between two waits only
                self._news.clear()
                self.saving.tell()
            self.saving.tell()
        finally:
            self._stopped = True
            pool.shutdown(wait=False, cancel_futures=True)
            wait([future for future in futures if not future.cancelled()], FAREWELL)
        return [future.result() for future in futures]

    def _end(self, number: int) -> Path | WaveSpeedError:
        try:
            found = self.saving.at_hand(number)
            if isinstance(found, Path):
                return found
            output, hear = self.saving.task.outputs[number], partial(self._told, number)
            return fetch(output, found, self.settings.timeout, hear, self.settings.max_retries)
        except WaveSpeedError as error:
            return error

    def _told(self, number: int, done: int, total: int | None) -> None:
        if self._stopped:
            raise _StoppedError
        self.saving.record(number, done, total)
        self._news.set()


class _StoppedError(Exception):
    """The caller waits no more: it ends a download."""


def _started(pool: ThreadPoolExecutor, function: Callable[[], Path | WaveSpeedError]) -> Future[Path | WaveSpeedError]:
    try:
        return pool.submit(function)
    except RuntimeError as error:
        raise ConfigurationError(f"No thread can be started to save the outputs: {error}") from error


async def save_async(
    found: object, folder: str | os.PathLike[str], settings: Settings, on_progress: Progress | None
) -> list[Path]:
    """Async save."""
    saving = await asyncio.to_thread(begun, found, folder, on_progress)
    room = asyncio.Semaphore(MOST_AT_ONCE)

    def told(number: int, done: int, total: int | None) -> None:
        saving.record(number, done, total)
        saving.tell()

    async def end_of(number: int) -> Path | WaveSpeedError:
        async with room:
            try:
                found = await asyncio.to_thread(saving.at_hand, number)
                if isinstance(found, OwnFile):
                    output, hear = saving.task.outputs[number], partial(told, number)
                    return await fetch_async(output, found, settings.timeout, hear, settings.max_retries)
            except WaveSpeedError as error:
                return error
        saving.tell()
        return found

    with concerning(saving.task):
        try:
            async with asyncio.TaskGroup() as group:
                ends = [group.create_task(end_of(number)) for number in saving.numbers]
        except BaseExceptionGroup as failures:  # of on_progress, which are the caller's own
            raise failures.exceptions[0] from None
        return saving.paths([end.result() for end in ends])
