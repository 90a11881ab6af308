"""The asyncio tasks that carry out a batch for `AsyncWaveSpeed`. What they do next is decided by `Batch`.

`threads` is the same for `WaveSpeed`, method by method.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from attrs import define, field

from ..errors import WaveSpeedError
from ..parsing import is_certainly
from ..transport.context import Context
from . import log
from .attached import UntilStopped
from .job import PREPARING, Job, Stage
from .options import async_journal_for, async_pulled_from
from .outcome import delivered

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from ..catalogue.rows import Price
    from ..clock import Deadline
    from ..errors import SubmissionUncertainError
    from ..files.register import Upload
    from ..files.uploads import AsyncUploads
    from ..task import Task
    from .attached import Attached
    from .journal import AsyncJournal, Entry, Item, Note
    from .options import AsyncInputs
    from .outcome import Outcome
    from .state import Batch

    Submit: TypeAlias = Callable[[Context, str, dict[str, Any]], Awaitable[Task]]
    Find: TypeAlias = Callable[[SubmissionUncertainError], Awaitable[list[Task]]]
    Ask: TypeAlias = Callable[[Context, Task], Awaitable[Task]]
    Quote: TypeAlias = Callable[[Context, str, dict[str, Any]], Awaitable[Price]]

T = TypeVar("T")

# Steps by which nothing is submitted.
ENDED_AT_ONCE = (*PREPARING, Stage.FIND, Stage.POLL)


async def outcomes(
    batch: Batch,
    inputs: AsyncInputs,
    submit: Submit,
    ask: Ask,
    quote: Quote,
    find: Find,
    uploads: Callable[[], AsyncUploads],
    at_work: set[AsyncWorkers],
) -> AsyncGenerator[Outcome]:
    """Async outcomes."""
    workers = AsyncWorkers(batch, inputs, async_journal_for(batch.options), submit, ask, quote, find, uploads)
    await workers.begin()
    at_work.add(workers)
    try:
        while (outcome := await workers.next_outcome()) is not None:
            with delivered(outcome):
                if batch.options.on_progress is not None:
                    await done(batch.options.on_progress(batch.progress()))
            yield outcome
    finally:
        try:
            await workers.end()
        finally:
            at_work.discard(workers)


async def done(result: Awaitable[T] | T) -> T:
    """The result, awaited if that can be awaited."""
    if isinstance(result, Awaitable):
        return await cast("Awaitable[T]", result)
    return result


@define(eq=False)
class AsyncWorkers:
    """A batch's asyncio tasks: one pulls inputs, one is the scheduler, and each step under way has one."""

    batch: Batch
    inputs: AsyncInputs
    journal: AsyncJournal | None
    submit: Submit
    ask: Ask
    quote: Quote
    find: Find
    uploads: Callable[[], AsyncUploads]
    _steps: dict[asyncio.Task[None], Job] = field(init=False, factory=dict[asyncio.Task[None], Job])
    _own: list[asyncio.Task[None]] = field(init=False, factory=list[asyncio.Task[None]])
    _news: asyncio.Event = field(init=False, factory=asyncio.Event)
    _work: asyncio.Event = field(init=False, factory=asyncio.Event)
    _room: asyncio.Event = field(init=False, factory=asyncio.Event)
    _wakes_at: float = field(init=False, default=math.inf)

    async def begin(self) -> None:
        """Open the journal, and begin."""
        if self.journal is not None:
            await done(self.journal.prepare())
            self.batch.budget.opened(await done(self.journal.spent()))
        self._own = [asyncio.create_task(self._guarded(run)) for run in (self._pull, self._schedule)]

    async def next_outcome(self) -> Outcome | None:
        """The next outcome, waited for; None when there are no more."""
        while True:
            outcome = self.batch.outcome()
            if outcome is not None or self.batch.over:
                self._room.set()
                return outcome
            self._news.clear()
            await self._news.wait()

    async def end(self) -> None:
        """Send nothing more, and return when the submissions that were sent have been answered."""
        self.batch.stop()
        if asyncio.current_task() in self._steps:  # others wait for this one
            return
        try:
            if self._own[0].get_loop() is asyncio.get_running_loop():  # else it was closed, and nothing goes on there
                self._tell()
                await self._wait_for_steps()
        finally:
            self.batch.finish()
            if self.journal is not None:
                await done(self.journal.close())

    async def _wait_for_steps(self) -> None:
        """Wait for submissions, and for what is written down. A cancellation ends these, too, and is raised then."""
        for task in self._left():
            job = self._steps.get(task)
            if job is None or (job.stage in ENDED_AT_ONCE and job.outcome is None):
                task.cancel()
        cut_short: BaseException | None = None
        while left := self._left():
            try:
                await asyncio.wait(left)
            except asyncio.CancelledError as error:
                cut_short = error
                for task in left:
                    task.cancel()
        if cut_short is not None:
            raise cut_short

    def _left(self) -> set[asyncio.Task[None]]:
        """Its tasks that go on. The one that asks is not among them: inputs may end their own batch."""
        here = asyncio.current_task()
        return {task for task in (*self._own, *self._steps) if task is not here and not task.done()}

    async def _pull(self) -> None:
        pull = async_pulled_from(self.inputs)
        while not (self.batch.all_pulled or self.batch.stopped):
            self._room.clear()
            room = self.batch.room()
            if room:
                await self.batch.clock.await_event(self._room, room)
                continue
            try:
                item = await pull()
            except StopAsyncIteration:
                self.batch.exhausted()
            except (Exception, asyncio.CancelledError) as error:
                self.batch.exhausted(error)
            else:
                self.batch.pull(item)
                self._tell()
                await asyncio.sleep(0)

    async def _schedule(self) -> None:
        while True:
            self._work.clear()
            while (job := self.batch.take()) is not None:
                self._employ(job)
            if self.batch.has_outcomes:  # for a job that has ended because its time was up
                self._news.set()
            pause = self.batch.pause()
            self._wakes_at = self.batch.clock.now() + pause
            await self.batch.clock.await_event(self._work, pause)

    def _employ(self, job: Job) -> None:
        step = asyncio.create_task(self._guarded(partial(self._carry_out, job)), context=job.context)
        self._steps[step] = job
        step.add_done_callback(self._steps.pop)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except BaseException as error:
            self.batch.crashed(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._tell()

    async def _carry_out(self, job: Job) -> None:
        goes_on = True
        while goes_on:
            notes = await self._step(job)
            if notes and self.journal is not None:
                await done(self.journal.write(notes))
            goes_on = self.batch.settled(job)

    async def _step(self, job: Job) -> list[Note]:
        if job.stage is Stage.LOOK and self.journal is not None and job.item is not None:
            return self.batch.looked(job, await self._entry(self.journal, job.item))
        if job.stage is Stage.FIND and job.lost is not None:
            job.found(await self._found(job.lost))
            return []
        try:
            if job.stage is Stage.PRICE:
                context = Context(self._running())
                price = job.price or await self.quote(context, self.batch.options.model, job.fields or {})
                return self.batch.priced(job, price)
            if job.attached is not None and job.stage in PREPARING:
                await self._prepare(job, job.attached)
                return []
            task = await self._request(job)
        except Exception as error:
            return self.batch.failed(job, error)
        return self.batch.answered(job, task)

    async def _prepare(self, job: Job, attached: Attached) -> None:
        uploads, running = self.uploads(), self._running()
        if job.stage is Stage.READ:
            digests = await uploads.digests(attached.files, running)
            known: Sequence[Upload] = ()
            if self.journal is not None:
                known = await done(self.journal.uploads(list({*digests.values()})))
            uploads.recall(known)
            job.read(attached, self.batch.options.model, digests, known)
            return
        made = await uploads.urls(attached.files, running, attached.digests)
        if self.journal is not None:
            await done(self.journal.uploaded(list({*made.values()})))
        job.uploaded(attached, made)

    def _running(self) -> UntilStopped:
        return UntilStopped(self.batch.clock, math.inf, lambda: self.batch.stopped)

    async def _entry(self, journal: AsyncJournal, item: Item) -> Entry:
        (entry,) = await done(journal.claim([item]))
        if entry is None:
            (entry,) = await done(journal.planned([item]))
        return entry

    async def _found(self, error: SubmissionUncertainError) -> list[Task]:
        try:
            return [task for task in await self.find(error) if is_certainly(task, error)]
        except WaveSpeedError as trouble:
            log.not_looked_for(error, trouble)
            return []

    async def _request(self, job: Job) -> Task:
        # Once each: the batch itself decides what is tried again.
        departure = partial(self._departing, job)
        if job.wait is None:
            context = Context(tries=1, departure=departure, body=job.body)
            return await self.submit(context, self.batch.options.model, job.fields or {})
        context = Context(self.batch.answered_by(job.wait), tries=1, departure=departure)
        return await self.ask(context, job.wait.task)

    async def _departing(self, job: Job) -> Deadline | None:
        entry = self.batch.departing(job)
        if entry is not None and self.journal is not None:
            (entry,) = await done(self.journal.reserve([entry]))
            self.batch.reserved(job, entry)
        return entry.leaves_by if entry is not None else None

    def _tell(self) -> None:
        """Wake whom a change concerns."""
        if self.batch.stopped or self.batch.has_outcomes or self.batch.over:
            self._news.set()
        if self.batch.stopped or self.batch.room() < math.inf:
            self._room.set()
        if self.batch.stopped or self.batch.clock.now() + self.batch.pause() < self._wakes_at:
            self._work.set()
