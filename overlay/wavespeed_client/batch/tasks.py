"""The asyncio tasks that carry out a batch for `AsyncWaveSpeed`. What they do next is decided by `Batch`."""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, field

from ..transport.context import Context
from .job import Job
from .options import async_pulled_from
from .outcome import delivered

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from ..task import Task
    from .options import AsyncInputs
    from .outcome import Outcome
    from .state import Batch

    Submit: TypeAlias = Callable[[Context, str, dict[str, Any]], Awaitable[Task]]
    Ask: TypeAlias = Callable[[Context, Task], Awaitable[Task]]


async def outcomes(
    batch: Batch, inputs: AsyncInputs, submit: Submit, ask: Ask, at_work: set[AsyncWorkers]
) -> AsyncGenerator[Outcome]:
    """Async outcomes."""
    batch.open_journal()
    workers = AsyncWorkers(batch, inputs, submit, ask)
    at_work.add(workers)
    try:
        while (outcome := await workers.next_outcome()) is not None:
            with delivered(outcome):
                if batch.options.on_progress is not None:
                    told = batch.options.on_progress(batch.progress())
                    if inspect.isawaitable(told):
                        await told
            yield outcome
    finally:
        try:
            await workers.end()
        finally:
            at_work.discard(workers)


@define(eq=False)
class AsyncWorkers:
    """A batch's asyncio tasks: one pulls inputs, one watches the clock, and each request under way has one."""

    batch: Batch
    inputs: AsyncInputs
    submit: Submit
    ask: Ask
    _steps: dict[asyncio.Task[None], Job] = field(init=False, factory=dict[asyncio.Task[None], Job])
    _own: list[asyncio.Task[None]] = field(init=False, factory=list[asyncio.Task[None]])
    _news: asyncio.Event = field(init=False, factory=asyncio.Event)
    _work: asyncio.Event = field(init=False, factory=asyncio.Event)
    _room: asyncio.Event = field(init=False, factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        self._own = [asyncio.create_task(self._guarded(run)) for run in (self._pull, self._carry_out)]

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
        questions = [step for step, job in self._steps.items() if job.wait is not None]
        for task in (*self._own, *questions):
            task.cancel()
        cut_short: BaseException | None = None
        while left := {task for task in (*self._own, *self._steps) if not task.done()}:
            try:
                await asyncio.wait(left)
            except asyncio.CancelledError as error:  # again, while submissions are waited for
                cut_short = error
                for task in left:
                    task.cancel()
        self.batch.finish()
        self.batch.close_journal()
        self._news.set()
        if cut_short is not None:
            raise cut_short

    async def _guarded(self, run: Callable[[], Awaitable[None]]) -> None:
        try:
            await run()
        except BaseException as error:
            self.batch.crashed(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._tell()

    async def _pull(self) -> None:
        pull = async_pulled_from(self.inputs)
        while not self.batch.all_pulled:
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

    async def _carry_out(self) -> None:
        while True:
            self._work.clear()
            while (job := self.batch.take()) is not None:
                step = asyncio.create_task(self._guarded(partial(self._step, job)))
                self._steps[step] = job
                step.add_done_callback(self._steps.pop)
            if self.batch.has_outcomes:  # for a job that has ended because its time was up
                self._news.set()
            await self.batch.clock.await_event(self._work, self.batch.pause())

    async def _step(self, job: Job) -> None:
        departure = partial(self.batch.departing, job)
        try:
            # Once each: the batch itself decides what is tried again.
            if job.wait is None:
                task = await self.submit(Context(tries=1, departure=departure), self.batch.options.model, job.input)
            else:
                context = Context(self.batch.answered_by(job.wait), tries=1, departure=departure)
                task = await self.ask(context, job.wait.task)
        except Exception as error:
            self.batch.failed(job, error)
        else:
            self.batch.answered(job, task)

    def _tell(self) -> None:
        for event in (self._news, self._work, self._room):
            event.set()
